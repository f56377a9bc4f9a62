"""Draw docs/images/alignment.png: a picture with its frame, the aligned crop, and the pose.

python docs/figures/alignment.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from norface.faces.align import FRAME_CENTRE, align
from norface.faces.bundle import canonical_face
from norface.faces.find import FaceFinder
from norface.faces.pose import RIGID_WEIGHTS, fit_head, rotation_from_pose
from norface.media.images import read_image, write_image
from norface.results import Pose

ROOT = Path(__file__).parents[2]
PANEL, GAP, TEXT = 420, 24, 40
GREEN, ORANGE, GREY, INK = (20, 150, 90), (220, 110, 10), (150, 150, 150), (30, 30, 30)


def main() -> None:
    """Read examples/person_1.jpg and write the figure."""
    image = read_image(ROOT / "examples" / "person_1.jpg")
    with FaceFinder() as finder:
        face = finder.find(image)[0]
    aligned = align(image, face.points, PANEL)
    panels = [
        (_picture(image, face.points, aligned.matrix), "photo: rigid landmarks, frame"),
        (aligned.image, "align(): upright, centred, one scale"),
        (_poses(), "pose: signs of the angles"),
    ]
    height = PANEL + TEXT
    sheet = np.full((height, len(panels) * (PANEL + GAP) - GAP, 3), 255, np.uint8)
    for i, (panel, title) in enumerate(panels):
        x = i * (PANEL + GAP)
        sheet[TEXT:, x : x + PANEL] = panel
        _write(sheet, title, (x, TEXT - 14))
    write_image(ROOT / "docs" / "images" / "alignment.png", sheet)


def _picture(image: np.ndarray, points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The photo around the face, with the frame and the landmarks that the fit uses."""
    inverse = np.linalg.inv(np.vstack([matrix, (0, 0, 1)]))[:2]
    frame = np.array([(0, 0, 1), (PANEL, 0, 1), (PANEL, PANEL, 1), (0, PANEL, 1)]) @ inverse.T
    middle, side = frame.mean(axis=0), 1.5 * np.linalg.norm(frame[1] - frame[0])
    zoom = PANEL / side
    view = np.array([[zoom, 0.0], [0.0, zoom]])
    shift = PANEL / 2 - zoom * middle
    panel = cv2.warpAffine(
        image,
        np.column_stack([view, shift]),
        (PANEL, PANEL),
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REPLICATE,
    )
    corners = np.round(frame * zoom + shift).astype(np.int32)
    cv2.polylines(panel, [corners], True, ORANGE, 2, cv2.LINE_AA)
    for index in RIGID_WEIGHTS:
        spot = np.round(points[index, :2] * zoom + shift).astype(int)
        cv2.circle(panel, tuple(map(int, spot)), 3, GREEN, -1, cv2.LINE_AA)
    return panel


def _poses() -> np.ndarray:
    """Small heads, one a sign of each angle."""
    panel = np.full((PANEL, PANEL, 3), 255, np.uint8)
    names = ("pitch", "yaw", "roll")
    for row, name in enumerate(names):
        for column, angle in enumerate((-25.0, 0.0, 25.0)):
            pose = Pose(**{each: angle if each == name else 0.0 for each in names})
            x, y = (int((place + 0.5) * PANEL / 3) for place in (column, row))
            _head(panel, pose, (x, y - 8))
            _write(panel, f"{name} {angle:+.0f}" if angle else "0", (x - 36, y + 66), 0.42)
    return panel


def _head(panel: np.ndarray, pose: Pose, place: tuple[int, int]) -> None:
    turned = (canonical_face() - FRAME_CENTRE) @ rotation_from_pose(pose).T
    head = fit_head(turned)
    for spot in turned[:468]:
        x, y = (round(value * 5.4) + centre for value, centre in zip(spot[:2], place, strict=True))
        cv2.circle(panel, (x, y), 1, GREY, -1, cv2.LINE_AA)
    nose = canonical_face()[4]
    ends = head.to_picture([nose, (*nose[:2], nose[2] - 8.0)])[:, :2] * 5.4 + place
    start, end = (tuple(map(int, np.round(spot))) for spot in ends)
    cv2.arrowedLine(panel, start, end, ORANGE, 2, cv2.LINE_AA, tipLength=0.3)


def _write(sheet: np.ndarray, text: str, place: tuple[int, int], size: float = 0.56) -> None:
    cv2.putText(sheet, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, INK, 1, cv2.LINE_AA)


if __name__ == "__main__":
    main()
