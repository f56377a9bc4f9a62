"""How do rendered faces do with MediaPipe, and how quickly are they made?

    python benchmarks/synthesis.py find --out results/synthesis [--count 500]
    python benchmarks/synthesis.py actions --out results/synthesis [--people 6]
    python benchmarks/synthesis.py speed [--count 1024]

- ``find``: share of random samples up to 30 degrees in which `norface.faces` finds the face, by
  search and by its quick look, for all and by kind of light, flaw of the camera, and occluder.
- ``actions``: each facial action alone on people seen nearly from the front, in plain light by a
  camera without flaws, at five levels; the correlation of MediaPipe's blendshape of that name with
  the level, over people and levels. Blind: it correlates or rises too little.
- ``speed``: faces a second of `norface synth` on two processes, writing included, with and without
  the start, and how much memory the processes hold together as time goes on (Linux only).

The first two keep what is done in ``--out``: a run that was cut off, or one with more faces or
people, goes on from there.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from norface.evaluation.metrics import pearson
from norface.faces.find import FaceFinder
from norface.faces.landmarks import FaceLandmarks
from norface.facs import ACTION_INDEX, FACIAL_ACTIONS
from norface.results import Pose
from norface.synthesis.common_face import studio, uncovered
from norface.synthesis.people import random_person
from norface.synthesis.picture.scene import render_face
from norface.synthesis.picture.sensor import Sensor
from norface.synthesis.samples import Sample, person_seed, render_sample
from norface.synthesis.truth import sample_landmarks

SEED = 41
SIZE = 256
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
BLIND_CORRELATION, BLIND_RISE = 0.5, 0.1
OPEN_JAW = {"mouthClose": 0.6, "tongueOut": 0.6}
"""Actions that need an open mouth to be seen, and the ``jawOpen`` that they get at every level."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, count, what in (("find", 500, "samples"), ("actions", 6, "people")):
        command = commands.add_parser(name)
        command.add_argument("--out", type=Path, default=Path("results/synthesis"))
        command.add_argument("--count" if name == "find" else "--people", type=int, default=count,
                             dest="count", help=what)  # fmt: skip
    speed = commands.add_parser("speed")
    speed.add_argument("--count", type=int, default=1024, help="faces; a multiple of 128 is fair")
    options = parser.parse_args()
    if options.command == "speed":
        print(_speed_table(options.count))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    make = {"find": _finds_table, "actions": _actions_table}[options.command]
    text = make(options.out, options.count)
    (options.out / f"{options.command}.md").write_text(text + "\n")
    print(text)


def _finds_table(out: Path, count: int) -> str:
    """Markdown: the share of the first ``count`` samples in which the face is found, by group."""
    path = out / "find.csv"
    done = len(path.read_text().splitlines()) if path.exists() else 0
    with path.open("a", newline="") as file, FaceFinder() as finder:
        writer = csv.writer(file)
        for index in range(done, count):
            sample = render_sample(SEED, index, SIZE)
            image = sample.picture.image
            quick = _is_there(finder.landmark_crop(image), sample)
            search = any(_is_there(face, sample) for face in finder.find(image))
            groups = ["light " + sample.scene.lights.name, *_flaws(sample.scene.sensor)]
            for worn in (sample.person.occluder, sample.person.covering):
                groups += [] if worn is None else [f"{type(worn).__name__.lower()} {worn.kind}"]
            groups += [] if sample.person.glasses is None else ["glasses"]
            writer.writerow([int(search), int(quick), *groups])
            file.flush()
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[:count]
    lines = ["| samples | how many | found by search | by a quick look |", "|---|---|---|---|"]
    for group in ("all", *sorted({name for row in rows for name in row[2:]})):
        found = np.array([row[:2] for row in rows if group == "all" or group in row], int)
        search, quick = found.mean(axis=0) * 100
        lines.append(f"| {group} | {len(found)} | {search:.1f} % | {quick:.1f} % |")
    missed = [i for i, row in enumerate(rows) if row[0] == "0"]
    return "\n".join(lines) + f"\n\nNot found, of seed {SEED}: {missed or 'none'}"


def _is_there(face: FaceLandmarks | None, sample: Sample) -> bool:
    """Whether a face was found, and where it was rendered."""
    if face is None:
        return False
    known = sample_landmarks(sample)[:, :2]
    off = np.linalg.norm(face.points[:, :2] - known, axis=1).mean()
    return bool(off < 0.25 * np.ptp(known[:, 0]))


def _flaws(sensor: Sensor) -> list[str]:
    """The groups of cameras that one belongs to, each named after its clear flaw."""
    flaws = {
        "defocus": sensor.defocus > 0.006 * SIZE,
        "motion blur": float(np.hypot(*sensor.motion)) > 0.01 * SIZE,
        "noise": sensor.shot > 0.02,
        "few pixels": sensor.resolution < 0.7,
        "poor JPEG": 0 < sensor.jpeg < 60,
    }
    return [f"camera: {name}" for name, there in flaws.items() if there] or ["camera: good"]


def _actions_table(out: Path, people: int) -> str:
    """Markdown: how MediaPipe's blendshape of each action follows the rendered level."""
    with FaceFinder() as finder:
        for index in range(people):
            path = out / f"person_{index:02d}.npy"
            if not path.exists():
                np.save(path, _readings(finder, index))
    read = np.stack([np.load(out / f"person_{i:02d}.npy") for i in range(people)])
    lines = ["| action | r | r in a person | at 0 | at 1 | |", "|---|---|---|---|---|---|"]
    for k, name in enumerate(FACIAL_ACTIONS):
        values, levels = read[:, k], np.broadcast_to(LEVELS, read[:, k].shape)
        seen = ~np.isnan(values)
        if not seen.any():
            lines.append(f"| {name} | | | | | not read |")
            continue
        correlation = pearson(levels[seen], values[seen])
        # Without what sets people at rest apart.
        own = pearson(levels[seen], (values - np.nanmean(values, axis=1, keepdims=True))[seen])
        rest, full = np.nanmean(values[:, 0]), np.nanmean(values[:, -1])
        blind = not correlation >= BLIND_CORRELATION or full - rest < BLIND_RISE
        lines.append(
            f"| {name} | {correlation:.2f} | {own:.2f} | {rest:.2f} | {full:.2f} "
            f"| {'blind' if blind else ''} |"
        )
    return "\n".join(lines)


def _readings(finder: FaceFinder, index: int) -> NDArray[np.float32]:
    """(52, levels) of MediaPipe's blendshape of each action on one person; NaN where no face is."""
    random = np.random.default_rng([SEED, index])
    person = uncovered(random_person(person_seed(SEED, index)))
    pose = Pose(*(float(random.uniform(-8, 8)) for _ in range(3)))
    scene = replace(studio(SIZE), pose=pose)
    read = np.full((len(FACIAL_ACTIONS), len(LEVELS)), np.nan, np.float32)
    for name, action in ACTION_INDEX.items():
        for k, level in enumerate(LEVELS):
            actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
            actions[ACTION_INDEX["jawOpen"]] = OPEN_JAW.get(name, 0.0)
            actions[action] = level
            face = finder.landmark_crop(render_face(person, actions, scene).image)
            if face is not None:
                read[action, k] = face.blendshapes[action]
    return read


_SYNTH = """
import sys
from pathlib import Path
from norface.synthesis.generate import generate
generate(count=int(sys.argv[1]), seed=41, size=int(sys.argv[2]), out=Path(sys.argv[3]), workers=2)
"""


def _speed_table(count: int) -> str:
    """Markdown: how many faces of each size two processes write a second, and their memory."""
    lines = [
        "| size | faces/s after the start | with the start | most memory in each quarter, MB |",
        "|---|---|---|---|",
    ]
    for size in (128, 256):
        with tempfile.TemporaryDirectory() as out:
            started = time.perf_counter()
            first, written, held = 0.0, 0, []
            command = [sys.executable, "-c", _SYNTH, str(count), str(size), out]
            with subprocess.Popen(command) as process:
                while process.poll() is None:
                    time.sleep(0.25)
                    pictures = len(list(Path(out).glob("*.png")))
                    if pictures and not first:
                        first, written = time.perf_counter(), pictures
                    held.append((time.perf_counter(), _memory(process.pid)))
            ended = time.perf_counter()
            if process.returncode:
                raise SystemExit(f"the run ended with code {process.returncode}")
        running = np.array([memory for moment, memory in held if moment > first])
        memory = ", ".join(f"{v.max():.0f}" for v in np.array_split(running[:-1], 4) if len(v))
        lines.append(
            f"| {size} | {(count - written) / (ended - first):.1f} "
            f"| {count / (ended - started):.1f} | {memory} |"
        )
    return "\n".join(lines)


def _memory(root: int) -> float:
    """MB held by a process and its descendants, what they share counted each time."""
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name, in brackets, may hold anything; what follows it is numbers.
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
            pages[int(folder.name)] = int((folder / "statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    family = {root}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(pages.get(member, 0) for member in family) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
