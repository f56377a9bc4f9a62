"""Runs `norface analyze` again and again, killed at random moments, until it is done.

    python killed_runs.py FOLDER SEED KILLS [ARGUMENT ...]

FOLDER/in holds the inputs; FOLDER/whole gets what an undisturbed run makes, FOLDER/killed what the
killed ones make. Prints how often a run was killed, and how often one went on.

The finder and the networks are replaced by quick ones whose answer depends on the frame before, so
that a state that is lost shows; a picture without any green kills the process. Each run is a fork
of this process, which loads everything once.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

import norface.cli.analyze  # noqa: F401  Loaded before the forks.
import norface.runtime.video_reading as video_reading
from norface import FaceAnalysis, Norface
from norface.cli import main
from norface.cli.work import processes
from norface.cli.work import units as work_units
from norface.faces.bundle import canonical_face
from norface.faces.landmarks import FaceLandmarks
from norface.facs import ACTION_UNIT_NAMES, ACTION_UNITS, EMOTIONS
from norface.results import ActionUnit
from norface.runtime.networks import Crop

SLOWNESS = 0.004


class Finder:
    """One face where a picture is not grey, at a place that remembers those before."""

    def __init__(self) -> None:
        self.pace = (10, 0)

    def another(self) -> Finder:
        return Finder()

    def take_up(self, pace: tuple[int, int] | None = None) -> None:
        self.pace = pace or (10, 0)

    def find(self, image: np.ndarray) -> list[FaceLandmarks]:
        return self._faces(image, 0.0)

    def follow(self, image: np.ndarray, previous: Sequence[FaceLandmarks]) -> list[FaceLandmarks]:
        between, until = self.pace
        self.pace = (between, (until - 1) % 7)
        before = previous[0].points.mean() if previous else 0.0
        return self._faces(image, 0.3 * before + until / 10)

    def _faces(self, image: np.ndarray, memory: float) -> list[FaceLandmarks]:
        if image.std() < 10:
            return []
        place = image[: image.shape[0] // 2].astype(np.float64).mean()
        points = canonical_face() * (4.0, -4.0, -4.0) + place / 8 + memory
        shapes = np.full(52, np.nan, np.float32)
        return [FaceLandmarks.from_points(points.astype(np.float32), shapes, 0.9)]

    def close(self) -> None:
        pass


class Networks:
    action_units = ACTION_UNIT_NAMES
    thresholds = dict.fromkeys(ACTION_UNIT_NAMES, 0.5)
    reads_action_units = reads_emotions = True

    def crops(
        self,
        image: np.ndarray,
        faces: Sequence[FaceLandmarks],
        numbers: Sequence[int] | None = None,
    ) -> list[Crop]:
        small = cv2.resize(image, (32, 32))
        order = range(len(faces)) if numbers is None else numbers
        return [Crop(face, n, small, face.points) for n, face in zip(order, faces, strict=True)]

    def read(self, crops: Sequence[Crop]) -> list[FaceAnalysis]:
        if any(crop.aligned[:, :, 1].mean() < 20 for crop in crops):
            # What has no green is more than the library can take.
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(SLOWNESS * len(crops))
        return [self._read(crop) for crop in crops]

    def _read(self, crop: Crop) -> FaceAnalysis:
        waves = np.abs(np.sin(crop.geometry[:25].astype(np.float64).sum(axis=1)))
        units = {}
        for unit, wave in zip(ACTION_UNITS, waves.tolist(), strict=True):
            left, right = (4 * wave, 3 * wave) if unit.has_sides else (None, None)
            units[unit.name] = ActionUnit(5 * wave, wave, wave > 0.5, left, right)
        emotions = {name: (i + waves[0]) / 40 for i, name in enumerate(EMOTIONS)}
        return FaceAnalysis(
            face_id=crop.face_id,
            confidence=crop.face.confidence,
            box=crop.face.box,
            pose=crop.face.pose,
            landmarks=crop.face.points,
            action_units=units,
            emotion=max(emotions, key=emotions.__getitem__),
            emotions=emotions,
            normalized=crop.aligned,
            aligned=crop.aligned,
        )


def run(arguments: Sequence[str], *, quiet: int) -> int:
    """Fork a run; its process."""
    process = os.fork()
    if process:
        return process
    try:
        os.setpgrp()
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os._exit(main(list(arguments)))
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(70)


def prepare() -> None:
    cv2.setNumThreads(0)
    work_units.PICTURES_A_UNIT = 3
    video_reading.SECONDS_A_SEGMENT = 0.5
    work_units.WorkSettings.load = lambda self: Norface(finder=Finder(), networks=Networks())
    processes.get_context = lambda kind: get_context("fork")


def all_runs(folder: Path, seed: int, kills: int, more: Sequence[str]) -> None:
    os.chdir(folder)
    log = os.open("log.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    command = ["analyze", "in", *more, "--out"]
    started = time.monotonic()
    _, status = os.waitpid(run([*command, "whole"], quiet=log), 0)
    longest = time.monotonic() - started
    chance = random.Random(seed)
    killed = 0
    while killed < kills:
        process = run([*command, "killed"], quiet=log)
        time.sleep(chance.uniform(0, longest / 3))
        # All processes at once, as when a machine stops; or the first one alone.
        if chance.random() < 0.5:
            os.killpg(process, signal.SIGKILL)
        else:
            os.kill(process, signal.SIGKILL)
        _, ended = os.waitpid(process, 0)
        if not os.WIFSIGNALED(ended):
            break
        killed += 1
    else:
        _, ended = os.waitpid(run([*command, "killed"], quiet=log), 0)
    print(killed, os.waitstatus_to_exitcode(status), os.waitstatus_to_exitcode(ended))


if __name__ == "__main__":
    prepare()
    all_runs(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
