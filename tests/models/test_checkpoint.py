from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from norface.models import checkpoint
from norface.models.checkpoint import CheckpointError, Recipe

RECIPES = [
    Recipe("normalization", "test"),
    Recipe("classification", "test", {"use_normalized": False}),
    Recipe("emotions", "test", {"input_moe": False}),
    Recipe(
        "classification", "test-vit", {"heads": ["action_units", "emotions"], "reads": "images"}
    ),
    Recipe("masked_autoencoder", "test-vit", {"mask_ratio": 0.5}),
    Recipe("expression_embedding", "test"),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: r.kind)
def test_round_trip(tmp_path: Path, recipe: Recipe) -> None:
    network, path = recipe.build(), tmp_path / "new" / "a.safetensors"
    notes = {"seed": 3, "data": ["synthetic"], "f1": 0.5}
    checkpoint.save_network(path, network, recipe, notes=notes)
    again, found = checkpoint.load_network(path)
    assert found == notes
    assert not again.training
    assert type(again) is type(network)
    for key, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key
    assert [p.name for p in path.parent.iterdir()] == ["a.safetensors"]


def test_the_wrong_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    checkpoint.save_network(path, RECIPES[1].build(), RECIPES[1])
    with pytest.raises(CheckpointError, match=r"a\.safetensors holds no normalization network"):
        checkpoint.load_normalization(path)
    checkpoint.load_classification(path)
    checkpoint.save_network(path, RECIPES[0].build(), RECIPES[0])
    with pytest.raises(CheckpointError, match=r"a\.safetensors holds no classification network"):
        checkpoint.load_classification(path)


def test_whom_networks_learned_from_is_read_without_their_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, recipe = tmp_path / "a.safetensors", RECIPES[1]
    people = {"disfa": ["SN001"]}
    checkpoint.save_network(path, recipe.build(), recipe, notes={"learned_from": people})
    header = checkpoint.read_header(path)
    assert header["recipe"]["kind"] == "classification"
    assert checkpoint.read_tensors(path)[1] == header

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("weights are read")

    monkeypatch.setattr(checkpoint, "safe_open", refused)
    assert checkpoint.learned_from(path, None, tmp_path / "none") == people
    path.write_bytes(b"\xff" * 40)
    assert checkpoint.learned_from(path) == {}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.safetensors does not exist"):
        checkpoint.load_network(tmp_path / "none.safetensors")


@pytest.mark.parametrize("keep", [0, 5, 2000, -100])
def test_a_truncated_file_is_named(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a.safetensors"
    checkpoint.save_network(path, RECIPES[1].build(), RECIPES[1])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"a\.safetensors is damaged"):
        checkpoint.load_network(path)


def test_foreign_safetensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match=r"a\.safetensors is no norface checkpoint.*weight"):
        checkpoint.load_network(path)


def _write_raw(path: Path, tensors: dict[str, torch.Tensor], header: dict[str, Any]) -> None:
    save_file(tensors, path, metadata={"norface": json.dumps(header)})


def test_all_faults_of_the_keys_are_named(tmp_path: Path) -> None:
    recipe, path = RECIPES[1], tmp_path / "a.safetensors"
    tensors = {k: v.clone() for k, v in recipe.build().state_dict().items()}
    del tensors["kinds"]
    tensors["strange"] = torch.zeros(1)
    tensors["action_units.pooling.queries"] = torch.zeros(2, 2)
    _write_raw(
        path,
        tensors,
        {"format": 1, "recipe": {"kind": recipe.kind, "preset": "test", "options": recipe.options}},
    )
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load_network(path)
    message = str(caught.value)
    assert str(path) in message
    assert "kinds is missing" in message
    assert "strange is unknown" in message
    assert "action_units.pooling.queries has shape (2, 2), not (25, 32)" in message


@pytest.mark.parametrize(
    "recipe",
    [
        {"kind": "nothing"},
        {"kind": "normalization", "preset": "huge"},
        {"kind": "normalization", "options": {"colour": True}},
        {"preset": "test"},
        None,
    ],
)
def test_an_unusable_recipe_is_named(tmp_path: Path, recipe: dict[str, Any] | None) -> None:
    path = tmp_path / "a.safetensors"
    header: dict[str, Any] = {"format": 1}
    if recipe is not None:
        header["recipe"] = recipe
    _write_raw(path, {"weight": torch.zeros(2)}, header)
    with pytest.raises(CheckpointError, match=r"a\.safetensors does not say which network"):
        checkpoint.load_network(path)


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    checkpoint.save_network(path, RECIPES[1].build(), RECIPES[1], notes={"which": "old"})

    def fail(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space"):
        checkpoint.save_network(path, RECIPES[1].build(), RECIPES[1], notes={"which": "new"})
    assert checkpoint.load_network(path)[1] == {"which": "old"}
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
