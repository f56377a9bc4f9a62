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
from norface.synthesis.common_face import TARGET_COUNT, render_target
from norface.synthesis.parallel import in_processes
from norface.synthesis.samples import person_seed, render_sample

SHARD_SIZE = 256
CROP_SIZE = 160
TARGET_SIZE = 128
COMMON_SHARE = 0.6
"""Share of the samples whose target is the common face; the others have another target."""


@dataclass(frozen=True)
class _Job:
    seed: int
    first: int
    count: int
    yaw: float
    path: Path
    skins: Path | None


def write_training_shards(
    out: Path,
    count: int,
    seed: int,
    *,
    yaw: float = 35.0,
    skins: Path | None = None,
    workers: int | None = None,
) -> None:
    """Render ``count`` samples into ``out`` as shards; shards that exist already are kept.

    Args:
        out: folder; gets ``shard_XXXX.npz`` and ``targets.npz``.
        count: how many faces to render; those that no finder finds are left out.
        seed: the series of people and scenes.
        yaw: largest turn of the head, degrees.
        skins: skins of photos for half of the people, see `render_sample`.
        workers: processes; the machine's cores when None.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_targets(out / "targets.npz")
    jobs = [
        _Job(seed, first, min(SHARD_SIZE, count - first), yaw, out / f"shard_{i:04d}.npz", skins)
        for i, first in enumerate(range(0, count, SHARD_SIZE))
    ]
    jobs = [job for job in jobs if not job.path.exists()]
    for _ in in_processes(_render_shard, jobs, "rendering", workers):
        pass


def write_targets(path: Path) -> None:
    """Write the neutral target faces, (T, 256, 256, 3) uint8."""
    neutral = np.zeros(len(FACIAL_ACTIONS), np.float32)
    faces = np.stack([render_target(i, neutral) for i in range(TARGET_COUNT)])
    _write(path, image=faces)


@cache
def _finder() -> FaceFinder:
    return FaceFinder()


def _render_shard(job: _Job) -> None:
    rows: list[dict[str, Any]] = []
    for index in range(job.first, job.first + job.count):
        sample = render_sample(job.seed, index, 192, yaw=job.yaw, face_height=0.62, skins=job.skins)
        face = _finder().landmark_crop(sample.picture.image)
        if face is None:
            continue
        choice = np.random.default_rng([job.seed, index, 2])
        target = 0 if choice.random() < COMMON_SHARE else int(choice.integers(1, TARGET_COUNT))
        pose = sample.scene.pose
        rows.append(
            {
                "original": align(sample.picture.image, face.points, CROP_SIZE).image,
                "geometry": geometry(face.points).astype(np.float16),
                "blendshapes": face.blendshapes.astype(np.float16),
                "actions": sample.actions.astype(np.float16),
                "intensity": sample.picture.intensity.astype(np.float16),
                "emotion": np.int8(sample.emotion),
                "identity": np.int32(person_seed(job.seed, index) % (1 << 31)),
                "yaw": np.float16(pose.yaw),
                "pitch": np.float16(pose.pitch),
                "roll": np.float16(pose.roll),
                "target": render_target(target, sample.actions, TARGET_SIZE),
                "target_id": np.int16(target),
            }
        )
    if not rows:
        raise RuntimeError(f"no face was found in any of the {job.count} faces of {job.path.name}")
    _write(job.path, **{key: np.stack([row[key] for row in rows]) for key in rows[0]})


def _write(path: Path, **arrays: Any) -> None:
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)
    part.replace(path)
