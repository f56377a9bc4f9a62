"""Training data: aligned synthetic faces with the same expression on a target identity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from norface.faces.align import align, geometry
from norface.faces.find import FaceFinder
from norface.facs import FACIAL_ACTIONS
from norface.media.arrays import StoredArray, write_arrays
from norface.synthesis.common_face import TARGET_COUNT, render_target
from norface.synthesis.parallel import in_processes
from norface.synthesis.samples import person_seed, render_sample
from norface.synthesis.shard_format import DEFAULT_CROP, columns, original_size

SHARD_SIZE = 256
COMMON_SHARE = 0.6
"""Share of the samples whose target is the common face; the others have another target."""


@dataclass(frozen=True)
class _Job:
    seed: int
    first: int
    count: int
    yaw: float
    crop: int
    path: Path
    skins: Path | None


def write_training_shards(
    out: Path,
    count: int,
    seed: int,
    *,
    yaw: float = 35.0,
    crop: int = DEFAULT_CROP,
    skins: Path | None = None,
    workers: int | None = None,
) -> int:
    """Render ``count`` samples into ``out`` as shards; shards that exist already are kept.

    Args:
        out: folder; gets ``shard_XXXX.npz`` and ``targets.npz``.
        count: how many faces to render; those that no finder finds are left out.
        seed: the series of people and scenes.
        yaw: largest turn of the head, degrees.
        crop: side of the targets in pixels, a multiple of 4 from 32 to 256; the originals are a
            quarter larger, see `original_size`.
        skins: skins of photos for half of the people, see `render_sample`.
        workers: processes; the machine's cores when None.

    Returns:
        How many faces the shards of these samples hold.

    Raises:
        ValueError: the crop is not possible, shards of another crop lie in the folder, or no face
            was found at all.
    """
    side = original_size(crop)
    out.mkdir(parents=True, exist_ok=True)
    write_targets(out / "targets.npz")
    jobs = [
        _Job(
            seed, first, min(SHARD_SIZE, count - first), yaw, crop, out / f"shard_{i:04d}.npz",
            skins,
        )
        for i, first in enumerate(range(0, count, SHARD_SIZE))
    ]  # fmt: skip
    for job in jobs:
        if job.path.exists() and StoredArray.find(job.path, "original").shape[1] != side:
            raise ValueError(f"{job.path} is of another crop than {crop}; choose another folder")
    missing = [job for job in jobs if not job.path.exists()]
    for _ in in_processes(_render_shard, missing, "rendering", workers):
        pass
    found = sum(len(StoredArray.find(job.path, "identity")) for job in jobs)
    if not found:
        raise ValueError(
            f"no face was found in any of the {count} pictures for {out}: render more of them, or "
            "turn the heads less"
        )
    return found


def write_targets(path: Path) -> None:
    """Write the neutral target faces, (T, 256, 256, 3) uint8."""
    neutral = np.zeros(len(FACIAL_ACTIONS), np.float32)
    faces = np.stack([render_target(i, neutral) for i in range(TARGET_COUNT)])
    write_arrays(path, {"image": faces})


@cache
def _finder() -> FaceFinder:
    return FaceFinder()


def _render_shard(job: _Job) -> None:
    rows: list[dict[str, Any]] = []
    side = original_size(job.crop)
    for index in range(job.first, job.first + job.count):
        sample = render_sample(
            job.seed, index, job.crop * 3 // 2, yaw=job.yaw, face_height=0.62, skins=job.skins
        )
        face = _finder().landmark_crop(sample.picture.image)
        if face is None:
            continue
        choice = np.random.default_rng([job.seed, index, 2])
        target = 0 if choice.random() < COMMON_SHARE else int(choice.integers(1, TARGET_COUNT))
        pose = sample.scene.pose
        rows.append(
            {
                "original": align(sample.picture.image, face.points, side).image,
                "geometry": geometry(face.points),
                "blendshapes": face.blendshapes,
                "actions": sample.actions,
                "intensity": sample.picture.intensity,
                "emotion": sample.emotion,
                "identity": person_seed(job.seed, index) % (1 << 31),
                "yaw": pose.yaw,
                "pitch": pose.pitch,
                "roll": pose.roll,
                "target": render_target(target, sample.actions, job.crop),
                "target_id": target,
            }
        )
    # One in which no face was found is written all the same: it is done.
    write_arrays(job.path, columns(rows, job.crop))
