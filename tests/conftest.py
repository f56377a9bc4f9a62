"""What all tests share: the pictures of `examples/` and the weights that come with norface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def person() -> Path:
    """A picture of one person."""
    return ROOT / "examples" / "person_1.jpg"


@pytest.fixture(scope="session")
def group() -> Path:
    """A picture of several people."""
    return ROOT / "examples" / "group.jpg"


@pytest.fixture(scope="session")
def people() -> list[Path]:
    """Pictures of four people, one each."""
    return [ROOT / "examples" / f"person_{number}.jpg" for number in (1, 2, 3, 4)]


@pytest.fixture(scope="session")
def norface() -> Iterator[object]:
    from norface import Norface

    with Norface.load() as loaded:
        yield loaded
