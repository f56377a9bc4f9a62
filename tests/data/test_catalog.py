from __future__ import annotations

from pathlib import Path

import pytest

from norface.data.catalog import ADAPTERS, read_data_set
from norface.data.protocols import cross_pairs, protocol_names

DOCUMENT = Path(__file__).parents[2] / "docs" / "data-sets.md"


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_document_shows_every_tree(name: str) -> None:
    said = DOCUMENT.read_text()
    assert f"| `{name}` |" in said
    assert ADAPTERS[name].tree.rstrip() in said
    for variant in ADAPTERS[name].variants:
        assert f"`{variant}`" in said


@pytest.mark.parametrize("name", [*protocol_names(), *cross_pairs()])
def test_the_document_lists_every_protocol(name: str) -> None:
    assert f"`{name}`" in DOCUMENT.read_text()


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_variant_that_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no variant"):
        read_data_set(name, tmp_path, "other")


def test_a_set_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bp4d, bp4d-plus"):
        read_data_set("bp5d", tmp_path)
