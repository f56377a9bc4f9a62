"""Make ``examples/``: synthetic people, singly and as a group before a scene.

Run with the extra ``train`` installed: ``python tools/make_examples.py``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_INDEX, FACIAL_ACTIONS
from norface.results import Pose
from norface.synthesis.expressions.prototypes import PROTOTYPES
from norface.synthesis.people import random_person
from norface.synthesis.picture.backgrounds import random_background
from norface.synthesis.picture.camera import Camera
from norface.synthesis.picture.lights import random_lights
from norface.synthesis.picture.rasterize import Lights
from norface.synthesis.picture.scene import Scene, render_face

OUT = Path(__file__).parents[1] / "examples"
SERIES = 77

SINGLES = (
    ("person_1", 5, "happiness", Pose(2, -8, 3), 640, 800),
    ("person_2", 14, "surprise", Pose(-3, 14, -4), 1280, 720),
    ("person_3", 23, "anger", Pose(0, -20, 0), 600, 600),
    ("person_4", 31, "sadness", Pose(-6, 5, 6), 480, 640),
)
# Across (share of the width), width of the face in pixels, emotion; three rows, front row last.
GROUP_ROWS = (
    (1130, ((0.30, 40), (0.46, 36), (0.61, 44))),
    (1850, ((0.07, 120), (0.365, 105), (0.66, 130), (0.95, 115))),
    (3000, ((0.20, 380), (0.52, 420), (0.82, 360))),
)
EMOTIONS = ("happiness", "neutral", "surprise", "happiness", "disgust")


def portrait(seed: int, emotion: str, pose: Pose, width: int, height: int) -> NDArray[np.uint8]:
    random = np.random.default_rng([SERIES, seed])
    size = max(width, height)
    scene = Scene(
        pose,
        random_lights(random, "even"),
        Camera(9.0, 0.5 * min(width, height) / size, (0.5, 0.47)),
        0.4,
        random_background(random, size),
    )
    actions = clear_expression(emotion)
    picture = render_face(random_person((SERIES << 24) + seed), actions, scene, supersample=3)
    left, top = (size - width) // 2, (size - height) // 2
    return picture.image[top : top + height, left : left + width]


def clear_expression(emotion: str) -> NDArray[np.float32]:
    """The (52,) facial actions that most showings of an emotion have, strong enough to see."""
    actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
    for name, (mean, chance) in PROTOTYPES[emotion].items():
        for action in (name, name + "Left", name + "Right"):
            if chance >= 0.5 and action in ACTION_INDEX:
                actions[ACTION_INDEX[action]] = min(1.2 * mean, 1.0)
    return actions


def hall(width: int, height: int) -> NDArray[np.uint8]:
    """A room: wall with windows, a picture, plants and steps."""
    random = np.random.default_rng(SERIES)
    scene = np.empty((height, width, 3), np.float32)
    fall = np.linspace(1.0, 0.8, height)[:, None, None]
    scene[:] = np.array((206, 199, 186)) * fall
    for x in (0.08, 0.72):
        left, right = int(x * width), int((x + 0.2) * width)
        cv2.rectangle(scene, (left, 150), (right, 780), (178, 205, 226), -1)
        cv2.rectangle(scene, (left, 150), (right, 780), (244, 242, 238), 36)
        cv2.line(scene, ((left + right) // 2, 150), ((left + right) // 2, 780), (244, 242, 238), 20)
    cv2.rectangle(scene, (1500, 160), (2480, 700), (96, 62, 44), -1)
    for _ in range(60):
        centre = (int(random.integers(1540, 2440)), int(random.integers(200, 660)))
        colour = tuple(float(c) for c in random.uniform(60, 220, 3))
        cv2.circle(scene, centre, int(random.integers(8, 60)), colour, -1)
    scene = cv2.GaussianBlur(scene, (0, 0), 5)
    grain = random.normal(0, 2.5, (height, width, 1)).astype(np.float32)
    return np.clip(scene + grain, 0, 255).astype(np.uint8)


def group() -> NDArray[np.uint8]:
    width, height = 4000, 3000
    picture = hall(width, height)
    random = np.random.default_rng([SERIES, 1])
    lights = Lights(
        np.array([(-0.4, 0.5, 0.77), (0.6, 0.3, 0.74)], np.float32),
        np.array([(0.75, 0.72, 0.66), (0.25, 0.26, 0.28)], np.float32),
        np.array((0.45, 0.46, 0.48), np.float32),
        np.array((0.3, 0.28, 0.26), np.float32),
    )
    number = 0
    for floor, people in GROUP_ROWS:
        for across, face_width in people:
            tile = round(face_width * 4.6)
            pose = Pose(*(float(v) for v in random.uniform((-8, -22, -6), (8, 22, 6))))
            actions = clear_expression(EMOTIONS[number % len(EMOTIONS)])
            left = round(across * width - tile / 2)
            top = floor - round(tile * (0.88 if floor == height else 0.9))
            rows = slice(max(top, 0), min(top + tile, height))
            columns = slice(max(left, 0), min(left + tile, width))
            shape = (
                slice(rows.start - top, rows.stop - top),
                slice(columns.start - left, columns.stop - left),
            )
            scene = Scene(
                pose, lights, Camera(20, 0.30, (0.5, 0.42)), 0.38,
                np.full((tile, tile, 3), 0.4, np.float32),
            )  # fmt: skip
            person = random_person((SERIES << 24) + 100 + number)
            rendered = render_face(person, actions, scene, supersample=3)
            mask = (rendered.parts > 0).astype(np.float32)
            edge = cv2.GaussianBlur(mask, (0, 0), 0.8)[shape][..., None]
            under = picture[rows, columns].astype(np.float32)
            blended = under + edge * (rendered.image[shape] - under)
            picture[rows, columns] = np.round(blended).astype(np.uint8)
            number += 1
        if floor < height:
            # The next row stands before a step that hides what is below.
            shade = (150, 128, 104) if floor < 1500 else (122, 98, 78)
            cv2.rectangle(picture, (0, floor - 20), (width, height), shade, -1)
            cv2.rectangle(picture, (0, floor - 20), (width, floor + 14), (176, 152, 126), -1)
    return picture


def main() -> None:
    OUT.mkdir(exist_ok=True)
    pictures = {name: portrait(*rest) for name, *rest in SINGLES}
    pictures["group"] = group()
    for name, picture in pictures.items():
        cv2.imwrite(str(OUT / f"{name}.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


if __name__ == "__main__":
    main()
