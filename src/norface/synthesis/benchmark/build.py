"""Renders a benchmark, as often interrupted as may be, and says whether it is the published one."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from norface.media.images import ImageError, read_image, write_image
from norface.synthesis.benchmark.design import ATTRIBUTES, FACTORS, Design, Split
from norface.synthesis.benchmark.manifest import Manifest, fingerprint, pixel_hash, versions
from norface.synthesis.benchmark.render import shot_row
from norface.synthesis.parallel import in_processes

ABOUT: Final = "synfacs.json"
TRUTH: Final = "truth.csv"
HASH: Final = "pixels_sha256"
"""Column of the truth with the picture's own hash."""

_NAMED: Final = 5

Row = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """How a rendering compares with the published one.

    Attributes:
        word: ``identical``, ``equal up to rounding``, ``different`` or ``not compared``.
        counts: pictures that are the same, close (fingerprints within 1), and different.
        reason: one sentence; names the first different files and the likely cause.
    """

    word: str
    counts: tuple[int, int, int]
    reason: str


@dataclass(frozen=True)
class _Job:
    design: Design
    split: Split
    person: int
    known: dict[str, Row]
    out: Path


def build(
    design: Design, out: Path, *, manifest: Manifest | None, workers: int | None = None
) -> tuple[Verdict, Manifest]:
    """Render what is missing of a benchmark, and compare all of it.

    Pictures that an earlier, perhaps killed run of the same versions has finished are checked by
    their hash and kept.

    Args:
        design: the benchmark.
        out: folder; gets a folder a split, with pictures and ``truth.csv``, and ``synfacs.json``.
        manifest: the published one, if there is one.
        workers: processes; 1 for none beside this one, the machine's cores when None.

    Returns:
        The verdict, and the manifest of what was rendered.
    """
    here = versions()
    kept: dict[str, dict[str, Row]] = {split.name: {} for split in design.splits}
    if _earlier(out) == (design.digest(), here):
        kept = {split.name: _rows(out / split.name) for split in design.splits}
    out.mkdir(parents=True, exist_ok=True)
    _write_about(out, design, here, None)
    names, prints = [], []
    hashes: list[str] = []
    for split, rows in _render_all(design, out, kept, workers):
        for row, look in rows:
            names.append(f"{split.name}/{row['input']}")
            hashes.append(row[HASH])
            prints.append(look)
    made = Manifest(
        design.digest(),
        here,
        np.stack([np.frombuffer(bytes.fromhex(value), np.uint8) for value in hashes]),
        np.stack(prints),
    )
    verdict = compare(made, manifest, names)
    _write_about(out, design, here, verdict)
    return verdict, made


def compare(made: Manifest, published: Manifest | None, names: list[str]) -> Verdict:
    """The verdict on a rendering.

    Args:
        made: the manifest of what was rendered.
        published: the manifest of what should have been, if there is one.
        names: the pictures' names, in order.
    """
    count = len(names)
    if published is None:
        return Verdict("not compared", (0, 0, 0), "This version of norface has no manifest of it.")
    if published.design != made.design:
        reason = "The published pictures are of another design: use the norface that made them."
        return Verdict("different", (0, 0, count), reason)
    same = (made.hashes == published.hashes).all(axis=1)
    apart = np.abs(made.prints.astype(np.int16) - published.prints.astype(np.int16)).max(axis=1)
    close = ~same & (apart <= 1)
    other = ~same & ~close
    counts = int(same.sum()), int(close.sum()), int(other.sum())
    if same.all():
        return Verdict("identical", counts, f"All {count} pictures are the published ones.")
    if not other.any():
        reason = (
            f"{counts[0]} of {count} pictures are the published ones to the bit; the other "
            f"{counts[1]} agree with them to within one grey level of their fingerprints."
        )
        return Verdict("equal up to rounding", counts, reason)
    first = ", ".join(names[i] for i in np.flatnonzero(other)[:_NAMED])
    changed = [
        f"{name} {made.versions.get(name, 'none')} in place of {value}"
        for name, value in published.versions.items()
        if made.versions.get(name) != value
    ]
    cause = (
        f"Likely cause: {'; '.join(changed)}."
        if changed
        else "The versions are the published ones: the files may have been changed meanwhile."
    )
    reason = f"{counts[2]} of {count} pictures differ, first {first}. {cause}"
    return Verdict("different", counts, reason)


def _render_all(
    design: Design, out: Path, kept: dict[str, dict[str, Row]], workers: int | None
) -> Iterator[tuple[Split, list[tuple[Row, Any]]]]:
    """Each split's rows and fingerprints; writes its table as it goes, and whole at the end."""
    for split in design.splits:
        folder = out / split.name
        folder.mkdir(exist_ok=True)
        known = kept[split.name]
        jobs = [_Job(design, split, i, known, folder) for i in range(split.people)]
        done: list[tuple[Row, Any]] = []
        table = _Table(folder / (TRUTH + ".part"))
        # What an earlier run knew stays known if this one is killed before it comes to it.
        table.write(known.values())
        try:
            for rows in _mapped(jobs, f"{design.name} {split.name}", workers):
                table.write(row for row, _ in rows if row["input"] not in known)
                done += rows
        finally:
            table.close()
        _write_rows(folder / TRUTH, [row for row, _ in done])
        (folder / (TRUTH + ".part")).unlink()
        yield split, done


def _mapped(jobs: list[_Job], label: str, workers: int | None) -> Iterable[list[tuple[Row, Any]]]:
    return map(_render, jobs) if workers == 1 else in_processes(_render, jobs, label, workers)


def _render(job: _Job) -> list[tuple[Row, Any]]:
    """One person's rows and fingerprints: pictures that are there and sound are kept."""
    rows = []
    for shot in job.design.shots(job.split):
        path = job.out.parent / job.design.picture_name(job.split, job.person, shot)
        row = job.known.get(path.name)
        image = None if row is None else _sound(path, row)
        if row is None or image is None:
            image, row = shot_row(job.design, job.split, job.person, shot)
            row[HASH] = pixel_hash(image)
            write_image(path, image)
        rows.append((row, fingerprint(image, row)))
    return rows


def _sound(path: Path, row: Row) -> Any:
    """The picture, if it is the one that its row tells of."""
    try:
        image = read_image(path)
    except ImageError:
        return None
    return image if pixel_hash(image) == row[HASH] else None


def _rows(folder: Path) -> dict[str, Row]:
    """What an earlier run knows, by picture; a row cut short by its end does not count."""
    rows: dict[str, Row] = {}
    for name in (TRUTH, TRUTH + ".part"):
        if (folder / name).is_file():
            with (folder / name).open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    if None not in row and None not in row.values() and row.get(HASH):
                        rows[row["input"]] = dict(row)
    return rows


class _Table:
    """A table that grows and can be cut off at any time."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer: csv.DictWriter[str] | None = None

    def write(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if self._writer is None:
                self._writer = csv.DictWriter(self._file, list(row))
                self._writer.writeheader()
            self._writer.writerow(row)
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def _write_rows(path: Path, rows: list[Row]) -> None:
    """The finished table, whole or not at all."""
    whole = path.with_name(path.name + ".new")
    table = _Table(whole)
    table.write(rows)
    table.close()
    whole.replace(path)


def _earlier(out: Path) -> tuple[str, dict[str, str]] | None:
    """Design and versions of what lies in the folder."""
    try:
        about = json.loads((out / ABOUT).read_text(encoding="utf-8"))
        return about["design"]["digest"], about["versions"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_about(out: Path, design: Design, here: dict[str, str], verdict: Verdict | None) -> None:
    about = {
        "name": design.name,
        "design": {
            "digest": design.digest(),
            "size": design.size,
            "splits": {
                s.name: {"people": s.people, "pictures": design.count(s)} for s in design.splits
            },
            "strata": {name: design.levels(name) for name in (*FACTORS, *ATTRIBUTES)},
            "track_few": design.few,
        },
        "versions": here,
        "verdict": None
        if verdict is None
        else {
            "word": verdict.word,
            "same": verdict.counts[0],
            "close": verdict.counts[1],
            "different": verdict.counts[2],
            "reason": verdict.reason,
        },
    }
    part = out / (ABOUT + ".part")
    part.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    part.replace(out / ABOUT)
