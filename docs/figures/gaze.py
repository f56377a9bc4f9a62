"""Draw docs/images/gaze.jpg: rendered people who look about, and where norface says they look.

python docs/figures/gaze.py
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from norface.faces.find import FaceFinder
from norface.faces.landmarks import FaceLandmarks
from norface.facs import FACIAL_ACTIONS
from norface.media.images import write_image
from norface.results import Pose
from norface.synthesis.expressions.sampling import set_gaze
from norface.synthesis.people import random_person
from norface.synthesis.picture.scene import random_scene, render_face
from norface.synthesis.picture.sensor import CLEAN

ROOT = Path(__file__).parents[2]
SIDE, LENGTH = 300, 110
GREEN = (40, 230, 90)
SHOWN = (
    # The person, yaw of the head, where the eyes turn in it: to the person's left, up.
    (11, 0.0, -1.0, 0.0),
    (25, 0.0, 1.0, 0.2),
    (37, -20.0, 0.9, 0.0),
    (42, 22.0, 0.0, 0.0),
    (58, 15.0, 0.6, 1.0),
)


def main() -> None:
    """Render, find, draw."""
    panels = []
    with FaceFinder() as finder:
        for number, turn, across, up in SHOWN:
            random = np.random.default_rng(number)
            actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
            set_gaze(actions, across, up)
            person = replace(random_person(number), glasses=None, covering=None)
            scene = random_scene(random, SIDE, face_height=0.75, light="even")
            scene = replace(scene, sensor=CLEAN, pose=Pose(pitch=0.0, yaw=turn, roll=0.0))
            image = render_face(person, actions, scene).image
            (face,) = finder.find(image)[:1]
            panels.append(_with_arrows(image, face))
    write_image(ROOT / "docs" / "images" / "gaze.jpg", np.hstack(panels))


def _with_arrows(image: np.ndarray, face: FaceLandmarks) -> np.ndarray:
    """The picture with an arrow from each iris, as long as it points aside."""
    panel = image.copy()
    if face.gaze is None:
        return panel
    for iris, eye in ((473, face.gaze.left), (468, face.gaze.right)):
        if eye is not None:
            start = face.points[iris, :2]
            end = start + LENGTH * np.array(eye[:2])
            cv2.arrowedLine(
                panel,
                *(tuple(map(int, np.round(16 * place))) for place in (start, end)),
                GREEN,
                2,
                cv2.LINE_AA,
                shift=4,
                tipLength=0.2,
            )
    return panel


if __name__ == "__main__":
    main()
