"""Time and memory of a video: norface beside the package fer and MediaPipe's landmarker alone.

    python benchmarks/video_speed.py [--seconds 10] [--rounds 3] [--fer-python PATH]
                                     [--video FILE] [--weights FOLDER]

The video is made from `examples/person_*.jpg`: 1280 x 720, 25 frames a second, one face that sways,
nears and turns; another person every five seconds. Each contender reads it in a process of its own,
from the file to its results, in turn, so that what else the machine does counts for all; the round
with the least CPU time is shown. Loading is left out, but for `norface analyze`, where it is what
users see.

- norface: `Norface.analyze_video`, all that it reads, tracking and normalized faces as well;
- norface analyze: the same as a command, from its start to its table;
- landmarker: MediaPipe's face landmarker alone, in its mode for videos, which follows one face;
- landmarker, every frame: the same in its mode for pictures, which searches each frame;
- decoding alone: that of the landmarker and of fer (OpenCV), which norface does with PyAV;
- fer: `FER().detect_emotions` of PyPI's fer, from a Python of its own since it needs TensorFlow;
  left out without `--fer-python`.

CPU time is that of all threads, user and system; memory is the peak of what is resident.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[1] / "examples"
PEOPLE = ("person_1.jpg", "person_2.jpg", "person_3.jpg", "person_4.jpg")
WIDTH, HEIGHT, RATE = 1280, 720, 25
SHOT_SECONDS = 5
WEIGHTS = "BENCHMARK_WEIGHTS"

# Package by package inside the functions: fer's Python has no norface, and each its own memory.


def make_film(
    path: Path, seconds: float, width: int = WIDTH, height: int = HEIGHT, rate: int = RATE
) -> None:
    """A video of the example people, one after the other."""
    import cv2
    import numpy as np

    from norface.media.images import read_image
    from norface.media.video_writer import VideoWriter

    pictures = [read_image(EXAMPLES / name) for name in PEOPLE]
    count = round(seconds * rate)
    with VideoWriter(path, width=width, height=height, rate=rate) as writer:
        for n in range(count):
            picture = pictures[n // (SHOT_SECONDS * rate) % len(pictures)]
            high, wide = picture.shape[:2]
            turn = 2 * np.pi * n / (4 * rate)
            zoom = height / high * (1.06 + 0.06 * np.sin(turn))
            matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), 4 * np.sin(1.3 * turn), zoom)
            matrix[:, 2] += (width - wide) / 2, (height - high) / 2
            matrix[:, 2] += 0.02 * width * np.sin(0.7 * turn), 0.02 * height * np.cos(turn)
            frame = cv2.warpAffine(
                picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE
            )
            writer.write(np.asarray(frame, np.uint8), n / rate)


def norface(video: Path) -> Iterator[int]:
    from norface import Norface

    with Norface.load(weights=os.environ.get(WEIGHTS)) as analyzer:
        yield -1
        for frame in analyzer.analyze_video(video):
            yield len(frame.faces)


def run_analyze(*words: str) -> None:
    """``norface analyze`` in this process; what it says goes to standard error."""
    from norface.cli import main

    sys.argv = ["norface", "analyze", *words]
    sys.stdout, kept = sys.stderr, sys.stdout
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"norface analyze ended with {end.code}") from end
    finally:
        sys.stdout = kept


def norface_command(video: Path) -> Iterator[int]:
    """In the same process, so that its memory is measured; its table tells what it found."""
    import csv

    with tempfile.TemporaryDirectory() as folder:
        yield -1
        weights = ["--weights", os.environ[WEIGHTS]] if WEIGHTS in os.environ else []
        run_analyze(str(video), "--out", folder, *weights)
        (table,) = Path(folder).rglob("*.csv")
        with table.open(newline="") as rows:
            for row in csv.DictReader(rows):
                yield int(bool(row["face_id"]))


def landmarker(video: Path, follow: bool = True) -> Iterator[int]:
    import cv2
    import numpy as np
    from mediapipe import Image, ImageFormat
    from mediapipe.tasks.python import BaseOptions, vision

    from norface.faces.bundle import landmarker_bundle

    mode = vision.RunningMode.VIDEO if follow else vision.RunningMode.IMAGE
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_buffer=landmarker_bundle()),
        running_mode=mode,
        output_face_blendshapes=True,
    )
    with vision.FaceLandmarker.create_from_options(options) as task:
        yield -1
        for n, frame in enumerate(_frames(video)):
            given = Image(
                image_format=ImageFormat.SRGB,
                data=np.ascontiguousarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)),
            )
            result = (
                task.detect_for_video(given, 1000 * n // RATE) if follow else task.detect(given)
            )
            yield len(result.face_landmarks)


def fer(video: Path) -> Iterator[int]:
    from fer.fer import FER  # type: ignore[import-not-found]

    detector = FER()
    yield -1
    for frame in _frames(video):
        yield len(detector.detect_emotions(frame))


def decoding(video: Path) -> Iterator[int]:
    yield -1
    for _ in _frames(video):
        yield 0


def _frames(video: Path) -> Iterator[Any]:
    """As most scripts read a video: BGR."""
    import cv2

    opened = cv2.VideoCapture(str(video))
    while True:
        there, frame = opened.read()
        if not there:
            return
        yield frame


CONTENDERS: dict[str, Callable[[Path], Iterator[int]]] = {
    "norface": norface,
    "norface analyze": norface_command,
    "landmarker": landmarker,
    "landmarker, every frame": lambda video: landmarker(video, follow=False),
    "fer": fer,
    "decoding alone": decoding,
}


def peak_memory() -> float:
    """Bytes that were resident at most."""
    status = Path("/proc/self/status")
    if status.exists():
        # What getrusage says holds for the process that started this one as well.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return 1024.0 * int(line.split()[1])
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(most if sys.platform == "darwin" else 1024 * most)


def measure(name: str, video: Path) -> dict[str, float]:
    """Run one contender in this process."""
    found = CONTENDERS[name](video)
    next(found)  # loads what it needs
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    counts = list(found)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = sum(
        used.ru_utime + used.ru_stime - earlier
        for used, earlier in ((after, before.ru_utime + before.ru_stime), (children, 0.0))
    )
    with_face = sum(count > 0 for count in counts) / max(1, len(counts))
    peak = peak_memory()
    return {"frames": len(counts), "wall": wall, "cpu": cpu, "peak": peak, "with_face": with_face}


def in_own_process(python: str, name: str, video: Path) -> dict[str, float] | str:
    """What `measure` says in a fresh process; what went wrong where it failed."""
    done = subprocess.run(
        [python, __file__, "--contender", name, "--video", str(video)],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{"):
            return dict(json.loads(line))
    return (done.stderr.strip().splitlines() or ["no output"])[-1]


def compare(video: Path, rounds: int, fer_python: str | None, names: list[str]) -> None:
    best: dict[str, dict[str, float]] = {}
    failed: dict[str, str] = {}
    for _ in range(rounds):
        for name in names:
            python = fer_python if name == "fer" else sys.executable
            if python is None or name in failed:
                continue
            result = in_own_process(python, name, video)
            if isinstance(result, str):
                failed[name] = result
            elif name not in best or result["cpu"] < best[name]["cpu"]:
                best[name] = result
    reference = best.get("landmarker")
    print(
        f"{'':<26}{'frames':>7}{'with face':>10}{'frames/s':>10}{'CPU ms':>8}{'ratio':>7}"
        f"{'peak MB':>9}{'ratio':>7}"
    )
    for name, result in best.items():
        a_frame = 1e3 * result["cpu"] / result["frames"]
        ratios = ["", ""]
        if reference is not None:
            own = 1e3 * reference["cpu"] / reference["frames"]
            ratios = [f"{a_frame / own:.2f}", f"{result['peak'] / reference['peak']:.2f}"]
        print(
            f"{name:<26}{result['frames']:>7.0f}{result['with_face']:>10.1%}"
            f"{result['frames'] / result['wall']:>10.1f}{a_frame:>8.1f}{ratios[0]:>7}"
            f"{result['peak'] / 1e6:>9.0f}{ratios[1]:>7}"
        )
    for name, why in failed.items():
        print(f"{name}: failed ({why})")
    if "fer" in names and fer_python is None:
        print("fer: left out (give --fer-python, a Python in which fer is installed)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the video made")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fer-python", help="the Python in which fer is installed")
    parser.add_argument("--video", type=Path, help="another video, instead of the one made")
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS))
    parser.add_argument("--contender", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--weights", help="of norface; else those that come with it")
    arguments = parser.parse_args()
    if arguments.weights:
        os.environ[WEIGHTS] = arguments.weights
    if arguments.contender:
        print(json.dumps(measure(arguments.contender, arguments.video)))
        return
    with tempfile.TemporaryDirectory() as folder:
        video = arguments.video
        if video is None:
            video = Path(folder) / "people.mp4"
            make_film(video, arguments.seconds)
        compare(video, arguments.rounds, arguments.fer_python, arguments.only)


if __name__ == "__main__":
    main()
