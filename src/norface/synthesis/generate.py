"""``norface synth``: pictures of faces and the table of their exact truth."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from norface.facs import ACTION_UNITS, EMOTIONS, FACIAL_ACTIONS
from norface.media.images import write_image
from norface.synthesis.landmarks import LANDMARK_NAMES, landmark_vertices
from norface.synthesis.parallel import in_processes
from norface.synthesis.samples import Sample, render_sample

CHUNK = 64
TABLE = "truth.csv"


@dataclass(frozen=True)
class _Job:
    seed: int
    indices: range
    size: int
    yaw: float
    out: Path


def generate(
    *,
    count: int,
    seed: int,
    size: int,
    out: Path,
    yaw: float = 30.0,
    overwrite: bool = False,
    workers: int | None = None,
) -> Path:
    """Render ``count`` different people into ``out`` and write their truth.

    Args:
        count: how many faces.
        seed: the same seed gives the same pictures; different seeds give different people.
        size: side of the pictures in pixels, 32 to 2048.
        out: folder; gets ``face_000000.png`` and so on, and ``truth.csv``.
        yaw: largest turn of the head in degrees, 0 to 60.
        overwrite: replace an earlier table and its pictures.
        workers: processes; the machine's cores when None.

    Returns:
        Path of the table.

    Raises:
        ValueError: an argument is out of its range.
        FileExistsError: ``out`` holds a table already and ``overwrite`` is off.
    """
    for name, value, low, high in (
        ("count", count, 1, 10_000_000),
        ("seed", seed, 0, 2**31 - 1),
        ("size", size, 32, 2048),
        ("yaw", yaw, 0, 60),
    ):
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}; it must lie between {low} and {high}")
    table = out / TABLE
    if table.exists() and not overwrite:
        raise FileExistsError(f"{table} exists; choose another folder or pass --overwrite")
    out.mkdir(parents=True, exist_ok=True)
    jobs = [
        _Job(seed, range(first, min(first + CHUNK, count)), size, yaw, out)
        for first in range(0, count, CHUNK)
    ]
    part = table.with_suffix(".csv.part")
    try:
        with part.open("w", newline="") as stream:
            writer = None
            for rows in in_processes(_render, jobs, "rendering", workers):
                for row in rows:
                    if writer is None:
                        writer = csv.DictWriter(stream, list(row))
                        writer.writeheader()
                    writer.writerow(row)
        part.replace(table)
    finally:
        part.unlink(missing_ok=True)
    return table


def _render(job: _Job) -> list[dict[str, Any]]:
    rows = []
    for index in job.indices:
        sample = render_sample(job.seed, index, job.size, yaw=job.yaw)
        name = f"face_{index:06d}.png"
        write_image(job.out / name, sample.picture.image)
        rows.append({"input": name, **truth(sample)})
    return rows


def truth(sample: Sample) -> dict[str, Any]:
    """One flat row of everything that is known of a sample."""
    person, scene = sample.person, sample.scene
    row: dict[str, Any] = {
        "seed": sample.seed,
        "index": sample.index,
        "emotion": EMOTIONS[sample.emotion] if sample.emotion >= 0 else "",
        "pitch": round(scene.pose.pitch, 3),
        "yaw": round(scene.pose.yaw, 3),
        "roll": round(scene.pose.roll, 3),
        "age": round(person.shape.age, 2),
        "gender": round(person.shape.gender, 3),
        "muscle": round(person.shape.muscle, 3),
        "weight": round(person.shape.weight, 3),
        "african": round(person.shape.ancestry[0], 3),
        "asian": round(person.shape.ancestry[1], 3),
        "european": round(person.shape.ancestry[2], 3),
        "skin_tone": round(person.tone, 3),
        "hair": person.hair.name,
        "long_hair": int(person.hair.length > 0),
        "glasses": int(person.glasses is not None),
        "beard": round(person.skin.beard, 3),
        "moustache": round(person.skin.moustache, 3),
    }
    for unit, (whole, left, right) in zip(ACTION_UNITS, sample.picture.intensity, strict=True):
        row[f"{unit.name}_r"] = round(float(whole), 3)
        if unit.has_sides:
            row[f"{unit.name}_left_r"] = round(float(left), 3)
            row[f"{unit.name}_right_r"] = round(float(right), 3)
    for name, value in zip(FACIAL_ACTIONS, sample.actions, strict=True):
        row[name] = round(float(value), 4)
    points = sample.picture.vertices[landmark_vertices()]
    for name, (x, y) in zip(LANDMARK_NAMES, np.asarray(points, float), strict=True):
        row[f"{name}_x"], row[f"{name}_y"] = round(x, 2), round(y, 2)
    return row
