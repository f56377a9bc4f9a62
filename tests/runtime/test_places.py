from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import pytest

from norface import Norface, WeightsError
from norface.runtime.places import DEFAULT_WEIGHTS, find_weights, user_weights


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's weights, one set of them called `better`."""
    monkeypatch.setenv("NORFACE_WEIGHTS", str(tmp_path / "mine"))
    shutil.copytree(DEFAULT_WEIGHTS, tmp_path / "mine" / "better")
    return tmp_path / "mine"


def test_names_and_paths(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (None, "default", "tiny"):
        assert find_weights(name) == DEFAULT_WEIGHTS
    assert find_weights("better") == find_weights(Path("better")) == mine / "better"
    assert find_weights(str(mine / "better")) == mine / "better"
    # A folder that lies here comes before a name.
    shutil.copytree(DEFAULT_WEIGHTS, mine / "tiny")
    monkeypatch.chdir(mine)
    assert find_weights("tiny") == Path("tiny")


def test_a_name_is_enough_to_load(mine: Path) -> None:
    with Norface.load(weights="better") as norface:
        assert norface.reads_action_units


def test_the_place_of_a_users_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NORFACE_WEIGHTS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert user_weights() == tmp_path / "norface" / "weights"
    monkeypatch.setattr("sys.platform", "darwin")
    assert user_weights().parts[-4:] == ("Library", "Application Support", "norface", "weights")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert user_weights() == tmp_path / "local" / "norface" / "weights"


def checkpoint(path: Path, kind: str) -> Path:
    recipe = {"recipe": {"kind": kind}}
    header = json.dumps({"__metadata__": {"norface": json.dumps(recipe)}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


def test_an_unknown_name_is_told_with_the_known_ones(mine: Path) -> None:
    with pytest.raises(WeightsError, match=r"'bettr': .*default, tiny, better\. .*mine"):
        find_weights("bettr")


def test_a_checkpoint_is_told_with_the_way_to_export_it(tmp_path: Path) -> None:
    for kind, words in (
        ("normalization", r"norface export --normalization .*n\.safetensors --out FOLDER"),
        ("classification", r"--normalization F_NOR\.safetensors --classification .*n\.safetensors"),
        ("emotions", r"--emotions .*n\.safetensors"),
        ("masked_autoencoder", "which only training uses"),
    ):
        path = checkpoint(tmp_path / "n.safetensors", kind)
        with pytest.raises(WeightsError, match=f"is a checkpoint, .*{words}"):
            Norface.load(weights=path)
    checkpoint(tmp_path / "n.safetensors", "normalization")
    with pytest.raises(WeightsError, match=r"holds checkpoints \(n\.safetensors\).* export it"):
        find_weights(tmp_path)
    (tmp_path / "n.safetensors").write_bytes(b"damaged")
    with pytest.raises(WeightsError, match="is a checkpoint"):
        find_weights(tmp_path / "n.safetensors")


def test_what_is_no_folder_of_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.safetensors does not exist"):
        find_weights(tmp_path / "gone.safetensors")
    with pytest.raises(WeightsError, match=r"it has no manifest\.json"):
        find_weights(tmp_path)
    (tmp_path / "x.onnx").touch()
    with pytest.raises(WeightsError, match="no folder of weights"):
        find_weights(tmp_path / "x.onnx")
