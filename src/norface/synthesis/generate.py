"""``norface synth``: pictures of faces and the table of their exact truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from PIL import Image

import norface
from norface.media.images import write_image
from norface.synthesis.common_face import render_target
from norface.synthesis.parallel import in_processes
from norface.synthesis.parts import Parts, write_array, write_rows
from norface.synthesis.samples import render_sample
from norface.synthesis.truth import sample_landmarks, truth

CHUNK: Final = 64
TABLE: Final = "truth.csv"
LANDMARKS: Final = "landmarks.npy"

TruthLevel = Literal["table", "full"]


@dataclass(frozen=True)
class _Job:
    seed: int
    indices: range
    size: int
    yaw: float
    full: bool
    out: Path
    rows: Path
    points: Path


def generate(
    *,
    count: int,
    seed: int,
    size: int,
    out: Path,
    yaw: float = 30.0,
    truth_level: TruthLevel = "table",
    overwrite: bool = False,
    workers: int | None = None,
) -> Path:
    """Render ``count`` different people into ``out`` and write their truth.

    A run that was cut off goes on where it stopped when it is called again.

    Args:
        count: how many faces.
        seed: the same seed gives the same pictures; different seeds give different people.
        size: side of the pictures in pixels, 32 to 2048.
        out: folder; gets ``face_000000.png`` and so on, and ``truth.csv``.
        yaw: largest turn of the head in degrees, 0 to 60.
        truth_level: ``"full"`` also writes, for each face, ``face_000000_parts.png`` (8 bits, the
            index into ``PARTS`` of what each pixel shows) and ``face_000000_common.png`` (the
            common face with the same expression), and ``landmarks.npy`` for all: (count, 478, 3)
            float32, MediaPipe's landmarks in pixels, z smaller nearer.
        overwrite: replace an earlier table and its pictures.
        workers: processes; the machine's cores when None.

    Returns:
        Path of the table.

    Raises:
        ValueError: an argument is out of its range.
        FileExistsError: ``out`` holds a finished table, or an unfinished run with other settings,
            and ``overwrite`` is off.
    """
    check_ranges(count, seed, size, yaw)
    table = out / TABLE
    settings = {"kind": "faces", "seed": seed, "size": size, "yaw": yaw, "truth": truth_level}
    parts = begin(table, settings, overwrite=overwrite)
    full = truth_level == "full"
    jobs = [
        _Job(
            seed, indices, size, yaw, full, out,
            parts.path(f"rows_{indices.start:07d}_{indices.stop:07d}.csv"),
            parts.path(f"points_{indices.start:07d}_{indices.stop:07d}.npy"),
        )
        for indices in (range(i, min(i + CHUNK, count)) for i in range(0, count, CHUNK))
    ]  # fmt: skip
    missing = [job for job in jobs if not job.rows.exists()]
    for _ in in_processes(_render, missing, "rendering", workers):
        pass
    if full:
        parts.join_arrays([job.points.name for job in jobs], out / LANDMARKS, count)
    parts.join_tables([job.rows.name for job in jobs], table)
    parts.remove()
    return table


def begin(table: Path, settings: dict[str, object], *, overwrite: bool) -> Parts:
    """The parts of a run that will write ``table``, those of an earlier call included.

    Raises:
        FileExistsError: the table, or an unfinished run with other settings, is there already and
            ``overwrite`` is off.
    """
    if table.exists():
        if not overwrite:
            raise FileExistsError(f"{table} exists; choose another folder or pass --overwrite")
        table.unlink()
    settings = {"version": norface.__version__, **settings}
    return Parts(table.parent, settings, overwrite=overwrite)


def check_ranges(count: int, seed: int, size: int, yaw: float) -> None:
    """Raise a ValueError that names what is out of its range."""
    for name, value, low, high in (
        ("count", count, 1, 10_000_000),
        ("seed", seed, 0, 2**31 - 1),
        ("size", size, 32, 2048),
        ("yaw", yaw, 0, 60),
    ):
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}; it must lie between {low} and {high}")


def _render(job: _Job) -> None:
    rows, points = [], []
    for index in job.indices:
        sample = render_sample(job.seed, index, job.size, yaw=job.yaw)
        name = f"face_{index:06d}"
        write_image(job.out / f"{name}.png", sample.picture.image)
        rows.append({"input": f"{name}.png", **truth(sample)})
        if job.full:
            # One channel, as it is: the values are indices.
            Image.fromarray(sample.picture.parts).save(job.out / f"{name}_parts.png")
            common = render_target(0, sample.actions, job.size)
            write_image(job.out / f"{name}_common.png", common)
            points.append(sample_landmarks(sample))
    if job.full:
        write_array(job.points, points)
    # The table last: with it the chunk counts as finished.
    write_rows(job.rows, rows)
