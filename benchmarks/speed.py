"""Time of an analysis, and of finding the faces alone, beside MediaPipe's plain landmarker.

    python benchmarks/speed.py [PICTURE ...]

Without pictures it takes one face in 1280 x 720 and the group of ten in 12 megapixels from
`examples/`. Each picture is done by all in turn, and the ratio is that of the same run; what else
the machine does then counts for all. Pictures are decoded and networks loaded beforehand.
MediaPipe's landmarker sees a picture once, as a whole, so it is quicker on large pictures, and
misses what is small in them: the number of faces found stands beside the time.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mediapipe import Image, ImageFormat
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray

from norface import Norface
from norface.faces.bundle import landmarker_bundle
from norface.faces.find import FaceFinder
from norface.faces.landmarker import silenced
from norface.media.images import read_image

EXAMPLES = Path(__file__).parents[1] / "examples"


def examples() -> dict[str, NDArray[np.uint8]]:
    names = ("person_2.jpg", "group.jpg")
    return {name: read_image(EXAMPLES / name) for name in names}


def plain_landmarker(faces: int = 20) -> vision.FaceLandmarker:
    with silenced():
        return vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_buffer=landmarker_bundle()),
                num_faces=faces,
                output_face_blendshapes=True,
            )
        )


def timed(functions: list[Callable[[], int]], repeats: int) -> list[tuple[float, float, int]]:
    """Median seconds, median seconds of CPU, and the result of each, run in turn."""
    counts = [function() for function in functions]  # also loads what is loaded on first use
    wall: list[list[float]] = [[] for _ in functions]
    cpu: list[list[float]] = [[] for _ in functions]
    for _ in range(repeats):
        for i, function in enumerate(functions):
            started, worked = time.perf_counter(), time.process_time()
            function()
            wall[i].append(time.perf_counter() - started)
            cpu[i].append(time.process_time() - worked)
    return [
        (statistics.median(w), statistics.median(c), n)
        for w, c, n in zip(wall, cpu, counts, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pictures", nargs="*", type=Path)
    parser.add_argument("--repeats", type=int, default=20)
    arguments = parser.parse_args()
    pictures = {path.name: read_image(path) for path in arguments.pictures} or examples()

    print(f"{'picture':<16}{'what':<12}{'faces':>6}{'wall':>11}{'CPU':>11}{'ratio':>8}")
    with Norface.load() as norface, FaceFinder() as finder, plain_landmarker() as plain:
        for name, image in pictures.items():
            given = Image(image_format=ImageFormat.SRGB, data=np.ascontiguousarray(image))
            repeats = arguments.repeats if image.size < 10_000_000 else arguments.repeats // 4 + 1
            contenders: dict[str, Callable[[], int]] = {
                "analyze": lambda image=image: len(norface.analyze(image)),
                "find": lambda image=image: len(finder.find(image)),
                "MediaPipe": lambda given=given: len(plain.detect(given).face_landmarks),
            }
            times = timed(list(contenders.values()), repeats)
            for what, (seconds, worked, count) in zip(contenders, times, strict=True):
                print(
                    f"{name[:15]:<16}{what:<12}{count:>6}{seconds * 1e3:>8.1f} ms"
                    f"{worked * 1e3:>8.1f} ms{seconds / times[-1][0]:>8.2f}"
                )
    # Kilobytes on Linux, bytes on macOS.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit:.0f} MB")


if __name__ == "__main__":
    main()
