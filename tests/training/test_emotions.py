"""The emotion loop on a miniature FER2013, first without and then with the normalized face."""

from __future__ import annotations

import dataclasses
import io
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from norface.data import face_folder
from norface.data.augment import AugmentationConfig
from norface.data.catalog import read_data_set
from norface.data.face_finding import FaceFolderError
from norface.data.prepared import prepare_set
from norface.facs import EMOTIONS
from norface.models import presets
from norface.models.checkpoint import Recipe, load_classification, save_network
from norface.models.grey_face_encoder import GreyFaceEncoder
from norface.training import emotions as module
from norface.training.batches import Part
from norface.training.emotion_faces import Faces, load_photos
from norface.training.emotions import Sizes, train_emotions
from norface.training.emotions_config import EmotionsConfig
from norface.training.fold import open_fold
from norface.training.fold_config import FoldConfig
from norface.training.normalized_faces import normalize_prepared
from norface.training.run import Run, TrainingError

QUIET = Console(file=io.StringIO())
PLAIN = AugmentationConfig(colour=0.0, grayscale=0.0, shading=0.0, occlusion=0.0)


@pytest.fixture(scope="module")
def fer(tmp_path_factory: pytest.TempPathFactory) -> FoldConfig:
    """A grey value for each emotion: 14 faces to learn from, 7 to choose by, 7 to test on."""
    folder = tmp_path_factory.mktemp("fer")
    rng = np.random.default_rng(0)
    lines = ["emotion,pixels,Usage"]
    for usage, rounds in (("Training", 2), ("PublicTest", 1), ("PrivateTest", 1)):
        for emotion in list(range(7)) * rounds:
            pixels = 30 * emotion + rng.integers(0, 20, 48 * 48)
            lines.append(f"{emotion},{' '.join(map(str, pixels))},{usage}")
    (folder / "fer2013.csv").write_text("\n".join(lines) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        # Fresh processes would take seconds to start.
        patch.setattr(face_folder, "in_processes", lambda work, jobs, *_: map(work, jobs))
        data = read_data_set("fer2013", folder, "fer2013")
        prepare_set(data, folder / "faces", crop=64, say=lambda _: None)
    return FoldConfig(protocol="fer2013-7", root=folder, faces=folder / "faces")


def config(out: Path, fold: FoldConfig, **options: Any) -> EmotionsConfig:
    return EmotionsConfig(
        **{"out": out, "fold": fold, "preset": "test", "batch": 8, "threads": 1, **options}
    )


def test_both_phases(fer: FoldConfig, make_shards: Callable[..., None], tmp_path: Path) -> None:
    make_shards(tmp_path / "shards", count=32)
    first = train_emotions(config(tmp_path / "first", fer, steps=3, mixup=0.2), QUIET)
    network, notes = load_classification(first)
    assert not network.use_normalized
    assert 0 <= notes["figures"]["accuracy"] <= 1
    assert notes["fold"]["protocol"] == "fer2013-7"
    assert notes["learned_from"] == {"fer2013": []}
    recipe = Recipe(kind="normalization", preset="test")
    torch.manual_seed(0)
    normalization = tmp_path / "normalization.safetensors"
    save_network(normalization, recipe.build(), recipe)
    second = config(
        tmp_path / "second",
        fer,
        steps=2,
        start=(first,),
        data=(tmp_path / "shards",),
        normalization=normalization,
    )
    with pytest.raises(FaceFolderError, match="make the normalized faces"):
        train_emotions(second, QUIET)
    assert fer.faces is not None
    normalize_prepared(fer.faces, normalization, say=lambda _: None)
    assert load_classification(train_emotions(second, QUIET))[0].use_normalized


def test_learns_four_faces_by_heart(
    fer: FoldConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = []
    real = module.loss_terms

    def recorded(*arguments: Any) -> Any:
        terms = real(*arguments)
        losses.append(float(terms["emotion"].detach()))
        return terms

    monkeypatch.setattr(module, "loss_terms", recorded)
    checkpoint = train_emotions(
        config(
            tmp_path / "run",
            fer,
            batch=14,
            steps=60,
            smoothing=0.0,
            learning_rate=1e-2,
            average=0.0,
            augmentation=PLAIN,
        ),
        QUIET,
    )
    assert losses[-1] < 0.2 * losses[0]
    assert load_classification(checkpoint)[1]["figures"]["accuracy"] > 0.5
    assert list((tmp_path / "run" / "pictures").glob("router_*.png"))


def test_goes_on_where_it_stopped(
    fer: FoldConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = config(tmp_path / "whole", fer, batch=4, steps=4, mixup=0.2)
    train_emotions(whole, QUIET)
    real, calls = module.loss_terms, []

    def stopped(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return real(*arguments)

    parts = dataclasses.replace(whole, out=tmp_path / "parts")
    monkeypatch.setattr(module, "loss_terms", stopped)
    train_emotions(parts, QUIET)
    assert len(calls) == 2
    monkeypatch.setattr(module, "loss_terms", real)
    again = train_emotions(parts, QUIET)
    a = load_classification(tmp_path / "whole" / "emotions.safetensors")[0].state_dict()
    for key, value in load_classification(again)[0].state_dict().items():
        torch.testing.assert_close(value, a[key], msg=key, rtol=0, atol=0)


def test_dry_run_leaves_nothing(fer: FoldConfig, tmp_path: Path) -> None:
    train_emotions(config(tmp_path / "run", fer, dry_run=True), QUIET)
    assert not list((tmp_path / "run").rglob("*.*"))


def test_a_part_of_a_batch_is_its_share_of_the_whole(fer: FoldConfig) -> None:
    rng = np.random.default_rng(0)
    every = Faces(
        rng.integers(0, 256, (24, 80, 80)).astype(np.uint8),
        rng.normal(0, 0.3, (24, 478, 3)),
        np.eye(8, dtype=np.float32)[np.arange(24) % 7],
        None,
        contempt=False,
    )
    make = module.batch_maker(every, None, config(Path("x"), fer, steps=1), Sizes(64, 64))
    whole = make(3, Part(0, 1))
    for number in (0, 1):
        part = make(3, Part(number, 2))
        torch.testing.assert_close(part.original, whole.original[number::2])
        torch.testing.assert_close(part.label, whole.label[number::2])


def test_starts_from_weights_of_faces(
    fer: FoldConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trunk of a public MobileFaceNet, with what it has besides left out."""
    torch.manual_seed(5)
    encoder = presets.emotions("test").encoder
    assert isinstance(encoder, GreyFaceEncoder)
    published = encoder.trunk.state_dict()
    torch.save({**published, "gdconv.bn.weight": torch.ones(3)}, tmp_path / "faces.pt")
    started: list[Any] = []
    real = module.lay_channels_last

    def seen(network: Any) -> None:
        started.append({k: v.clone() for k, v in network.encoder.trunk.state_dict().items()})
        real(network)

    monkeypatch.setattr(module, "lay_channels_last", seen)
    options = config(tmp_path / "run", fer, steps=1, face_weights=tmp_path / "faces.pt")
    train_emotions(options, QUIET)
    for key, value in published.items():
        torch.testing.assert_close(started[0][key], value, msg=key)
    (tmp_path / "broken.pt").write_bytes(b"none")
    for name, error in (("broken.pt", ValueError), ("none.pt", FileNotFoundError)):
        broken = config(tmp_path / "other", fer, steps=1, face_weights=tmp_path / name)
        with pytest.raises(error, match=name):
            train_emotions(broken, QUIET)


def test_a_frozen_encoder_stays_as_it_was(fer: FoldConfig, tmp_path: Path) -> None:
    first = train_emotions(config(tmp_path / "first", fer, steps=2), QUIET)
    options = {"steps": 2, "start": (first,), "freeze_encoder": True, "start_heads": False}
    second = train_emotions(config(tmp_path / "second", fer, **options), QUIET)
    before, after = (load_classification(path)[0].state_dict() for path in (first, second))
    for key, value in before.items():
        same = torch.equal(after[key], value)
        if key.startswith("encoder."):
            assert same, key
        elif key == "emotions.output_moe.experts.weight":
            assert not same
    with pytest.raises(ValueError, match="freeze_encoder needs start"):
        config(tmp_path / "third", fer, steps=2, freeze_encoder=True)


@pytest.mark.parametrize("distributions", [True, False])
def test_votes_of_ferplus(tmp_path: Path, distributions: bool) -> None:
    """Eight votes for sadness and two for fear are learned as such, or as sadness."""
    names = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    rows = [f"Usage,Image name,{names}"]
    pixels = ["emotion,pixels,Usage"]
    for number, usage in enumerate(["Training"] * 4 + ["PublicTest"] * 2 + ["PrivateTest"]):
        rows.append(f"{usage},fer{number:07d}.png,0,0,0,8,0,0,2,0,0,0")
        pixels.append(f"4,{' '.join(['90'] * 48 * 48)},{usage}")
    (tmp_path / "fer2013new.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "fer2013.csv").write_text("\n".join(pixels) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(face_folder, "in_processes", lambda work, jobs, *_: map(work, jobs))
        data = read_data_set("fer2013", tmp_path, "ferplus")
        prepare_set(data, tmp_path / "faces", crop=64, say=lambda _: None)
    fold = FoldConfig(protocol="ferplus-8", root=tmp_path, faces=tmp_path / "faces")
    options = config(tmp_path / "run", fold, steps=1, distributions=distributions)
    run = Run(options, checkpoint="x.safetensors", console=QUIET)
    opened = open_fold(fold, held_out=0.1, seed=0)
    photos, held = load_photos(run, opened, size=64, normalize=False)
    votes = dict(zip(EMOTIONS, photos.label[0].round(6).tolist(), strict=True))
    assert votes["sadness"] == pytest.approx(0.8 if distributions else 1.0)
    assert votes["fear"] == pytest.approx(0.2 if distributions else 0.0)
    assert photos.contempt
    assert (held.emotion == EMOTIONS.index("sadness")).all()


@pytest.mark.parametrize("heads", [True, False])
def test_takes_over_what_two_networks_share(heads: bool) -> None:
    torch.manual_seed(3)
    source = presets.emotions("test", use_normalized=False)
    network = presets.emotions("test", output_moe=False)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    module.take_over(network, source, heads=heads)
    given, after = source.state_dict(), network.state_dict()
    torch.testing.assert_close(
        after["encoder.projection.weight"], given["encoder.projection.weight"]
    )
    same = {k for k in after if k in before and torch.equal(after[k], before[k])}
    assert any(k.startswith("normalized_encoder.") for k in same)
    inner = [k for k in given if k.startswith("input_moe.") and given[k].any()]
    moved = [k for k in inner if torch.equal(after[k], given[k])]
    assert bool(moved) == heads


def test_wrong_options(disfa: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"fold\.protocol is needed"):
        EmotionsConfig(out=tmp_path, fold=FoldConfig(), steps=1)
    root, faces = disfa
    units = FoldConfig(protocol="disfa-detection", root=root, faces=faces, partial=True)
    with pytest.raises(TrainingError, match="presence, not emotions"):
        train_emotions(config(tmp_path / "run", units, steps=1), QUIET)
