"""Masked autoencoding learns, hides exactly what it should, and resumes."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from norface.data import face_folder
from norface.data.face_finding import FaceFolderError, FaceSettings
from norface.data.face_folder import prepare_faces
from norface.data.face_pictures import FacePictures
from norface.losses.masked_patches import masked_patch_loss
from norface.media.images import read_image
from norface.models import presets
from norface.models.checkpoint import load_network
from norface.models.masked_autoencoder import MaskedAutoencoder
from norface.training import pretraining as module
from norface.training.batches import Part
from norface.training.pretraining import (
    batch_maker,
    divide,
    find_faces,
    hidden_grey,
    plain_batch,
    train_encoder,
)
from norface.training.pretraining_config import PretrainingConfig

QUIET = Console(file=io.StringIO())


def config(
    out: Path, *shards: Path, steps: int = 6, pictures: tuple[Path, ...] = ()
) -> PretrainingConfig:
    return PretrainingConfig(
        out=out, shards=shards, pictures=pictures, steps=steps, preset="test-vit", batch=8,
        held_out=3, threads=1, log_steps=1, save_steps=100, validate_steps=100,
    )  # fmt: skip


def curve(out: Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "speed" in line]


def test_overfits_four_faces(make_shards: Callable[..., None], tmp_path: Path) -> None:
    folder, out = tmp_path / "four", tmp_path / "run"
    make_shards(folder, count=4)
    options = dataclasses.replace(
        config(out, folder, steps=150), learning_rate=1e-2, average=0.9, smallest_crop=0.99,
        weight_decay=0.0, log_steps=10,
    )  # fmt: skip
    checkpoint = train_encoder(options, QUIET)
    losses = curve(out)
    assert losses[-1] < 0.6 * losses[0]
    network, notes = load_network(checkpoint)
    assert isinstance(network, MaskedAutoencoder)
    assert notes["faces"] == 4
    batch = plain_batch(FacePictures(shards=[folder]), np.arange(4), 64, 16)
    with torch.no_grad():
        learned = network(batch.image / 255.0, batch.noise)
        fresh = presets.masked_autoencoder("test-vit")(batch.image / 255.0, batch.noise)
    assert masked_patch_loss(*learned[::2]) < 0.6 * masked_patch_loss(*fresh[::2])
    # Whole, hidden and guessed beside each other.
    sheets = sorted(path.name for path in (out / "pictures").iterdir())
    assert sheets == ["reconstruction_000100.png", "reconstruction_000150.png"]
    sheet = read_image(out / "pictures" / sheets[-1])
    assert sheet.shape == (128, 2 * (3 * 64 + 8), 3)
    # Beside each other: whole, hidden (most is grey), and guessed.
    assert 0.7 < (sheet[:64, 64:128] == 128).all(axis=2).mean() < 0.8


def test_resumed_run_equals_uninterrupted(
    shard_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_encoder(config(tmp_path / "whole", shard_folder), QUIET)
    out = tmp_path / "parts"
    real, calls = masked_patch_loss, []

    def killed(error: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(error, mask)

    monkeypatch.setattr(module, "masked_patch_loss", killed)
    train_encoder(config(out, shard_folder), QUIET)
    assert len(calls) == 3
    parts = train_encoder(config(out, shard_folder), QUIET)
    assert curve(out) == curve(tmp_path / "whole")
    a, b = load_network(whole)[0].state_dict(), load_network(parts)[0].state_dict()
    for key, value in a.items():
        torch.testing.assert_close(value, b[key], msg=key, rtol=0, atol=0)


def test_exactly_three_quarters_are_hidden(shard_folder: Path) -> None:
    network = presets.masked_autoencoder("test-vit")
    batch = plain_batch(FacePictures(shards=[shard_folder]), np.arange(5), 64, 16)
    image = batch.image / 255.0
    mask = network(image, batch.noise).mask
    assert mask.sum(dim=1).tolist() == [12.0] * 5
    assert len({tuple(row) for row in mask.tolist()}) > 1
    grey = hidden_grey(image, mask)
    changed = (grey != image).any(dim=1).float()
    assert changed.mean() == pytest.approx(0.75, abs=0.01)
    assert (grey[changed[:, None].expand_as(grey) > 0] == 0.5).all()


def test_only_hidden_patches_count() -> None:
    error, mask = torch.rand(2, 16), (torch.arange(16) % 4 > 0).float().expand(2, 16)
    loss = masked_patch_loss(error, mask)
    seen, hidden = error.clone(), error.clone()
    seen[0, 4] += 5.0
    hidden[0, 5] += 5.0
    assert masked_patch_loss(seen, mask) == loss
    assert masked_patch_loss(hidden, mask) == pytest.approx(float(loss) + 5.0 / 24)


def test_a_visible_patch_of_the_truth_does_not_count(shard_folder: Path) -> None:
    network = presets.masked_autoencoder("test-vit").eval()
    batch = plain_batch(FacePictures(shards=[shard_folder]), np.arange(1), 64, 16)
    image = batch.image / 255.0
    with torch.no_grad():
        out = network(image, batch.noise)
        losses = []
        for patch in (int(out.mask[0].argmin()), int(out.mask[0].argmax())):
            other = image.clone()
            y, x = divmod(patch, 4)
            other[..., 16 * y : 16 * y + 16, 16 * x : 16 * x + 8] = 0.9
            error = (out.prediction - network.target(other)).square().mean(-1)
            losses.append(masked_patch_loss(error, out.mask))
        loss = masked_patch_loss(out.loss_patches, out.mask)
    assert losses[0] == loss
    assert losses[1] != loss


def test_batches_depend_on_seed_step_and_position(shard_folder: Path) -> None:
    faces = FacePictures(shards=[shard_folder])
    options = config(Path("unused"), shard_folder)
    training, validation = divide(len(faces), options)
    assert sorted([*training, *validation]) == list(range(32))
    assert len(validation) == 3
    make = batch_maker(faces, training, options, 64, 16)
    first, again, other = (make(step, Part(0, 1)) for step in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.noise, other.noise)
    assert first.image.shape == (8, 3, 64, 64)
    assert first.image.dtype == torch.uint8
    # Two processes see together what one would.
    for rank in (0, 1):
        half = make(3, Part(rank, 2))
        assert torch.equal(half.image, first.image[rank::2])
        assert torch.equal(half.noise, first.noise[rank::2])


def test_every_face_passes_before_one_comes_again(shard_folder: Path) -> None:
    options = config(Path("unused"), shard_folder)
    shown: list[int] = []

    class Watched(FacePictures):
        def __getitem__(self, index: int) -> object:
            shown.append(index)
            return super().__getitem__(index)

    chosen = np.arange(5, 21)
    make = batch_maker(Watched(shards=[shard_folder]), chosen, options, 64, 16)
    for step in range(4):
        make(step, Part(0, 1))
    assert sorted(shown[:16]) == sorted(shown[16:]) == chosen.tolist()


def test_pictures_are_found_once_and_learned_from(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_folder, "in_processes", lambda work, jobs, *_: map(work, jobs))
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("person_1.jpg", "person_2.jpg"):
        shutil.copy(root / "examples" / name, pictures)
    options = dataclasses.replace(config(tmp_path / "run", steps=2, pictures=(pictures,)), batch=2)
    assert train_encoder(options, QUIET).is_file()
    cache = tmp_path / "run" / "faces"
    assert len(FacePictures(caches=[cache])) == 2
    # The cache may be named instead of the pictures.
    assert find_faces(dataclasses.replace(options, pictures=(cache,)), 64, print) == [cache]
    tried = dataclasses.replace(options, out=tmp_path / "tried", pictures=(cache,), dry_run=True)
    train_encoder(tried, QUIET)
    assert not (tmp_path / "tried" / "encoder.safetensors").exists()


def test_several_processes_need_the_faces_first(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_folder, "in_processes", lambda work, jobs, *_: map(work, jobs))
    picture = root / "examples" / "person_1.jpg"
    options = config(tmp_path / "run", pictures=(picture,))
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    with pytest.raises(FaceFolderError, match=r"prepare-faces .*person_1.jpg --out .* --size 64"):
        find_faces(options, 64, print)
    cache = tmp_path / "run" / "faces"
    prepare_faces([picture], cache, FaceSettings(size=64), say=print)
    assert find_faces(options, 64, print) == [cache]


def test_it_starts_from_another_encoder(shard_folder: Path, tmp_path: Path) -> None:
    first = train_encoder(config(tmp_path / "first", shard_folder), QUIET)
    said = io.StringIO()
    second = dataclasses.replace(
        config(tmp_path / "second", shard_folder, steps=1), start=first, learning_rate=1e-9,
        average=0.0,
    )  # fmt: skip
    network = load_network(train_encoder(second, Console(file=said, width=300)))[0]
    assert f"starts from {first}" in said.getvalue()
    key = "encoder.blocks.0.mlp.fc1.weight"
    torch.testing.assert_close(
        network.state_dict()[key], load_network(first)[0].state_dict()[key], atol=1e-6, rtol=0
    )


def test_options_are_checked(tmp_path: Path) -> None:
    plain = config(tmp_path, tmp_path)
    with pytest.raises(ValueError, match=r"tiny is convolutional.*small, base, large"):
        dataclasses.replace(plain, preset="tiny")
    with pytest.raises(ValueError, match="name pictures"):
        config(tmp_path)
    with pytest.raises(ValueError, match="mask_ratio"):
        dataclasses.replace(plain, mask_ratio=1.0)
    assert config(tmp_path, tmp_path).learning_rate == pytest.approx(1.5e-4 * 8 / 256)
