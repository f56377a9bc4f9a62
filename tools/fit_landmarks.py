"""Find where MediaPipe's 478 landmarks lie on the head, once: assets/landmarks_478.npz.

    python tools/fit_landmarks.py [--people 60] [--check 40]

Each landmark is looked up on frontal renders of different people: which point of the surface lies
under it, as a place on the mean head. The median over the people is kept. The lips' inner landmarks
come from open mouths, where upper and lower lip are apart; all others from neutral faces. With
``--check``, only the error on that many other people is printed: the mean distance to MediaPipe's
landmarks as a share of the distance between the eyes, front and turned.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from norface.faces.find import FaceFinder
from norface.facs import ACTION_INDEX, FACIAL_ACTIONS
from norface.results import Pose
from norface.synthesis.body.head import head_model
from norface.synthesis.common_face import studio, uncovered
from norface.synthesis.landmarks import landmarks_478
from norface.synthesis.people import random_person
from norface.synthesis.picture.scene import render_face

OUT = Path(__file__).parents[1] / "src/norface/synthesis/assets/landmarks_478.npz"
SIZE = 320
GRID = np.array([(i, j, 12 - i - j) for i in range(13) for j in range(13 - i)]) / 12
INNER_LIPS = (
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324,
)  # fmt: skip
IRISES = {"eye_right": range(468, 473), "eye_left": range(473, 478)}


def renders(first: int, count: int, pose: Pose, **actions: float):
    """Pixels of the vertices and MediaPipe's landmarks of clean faces that it finds."""
    values = np.zeros(len(FACIAL_ACTIONS), np.float32)
    for name, value in actions.items():
        values[ACTION_INDEX[name]] = value
    scene = replace(studio(SIZE), pose=pose)
    with FaceFinder() as finder:
        for seed in range(first, first + count):
            person = random_person(seed)
            hair = replace(person.hair, length=0.0)
            skin = replace(person.skin, beard=0.0, moustache=0.0)
            person = uncovered(replace(person, hair=hair, skin=skin))
            picture = render_face(person, values, scene)
            face = finder.landmark_crop(picture.image)
            if face is not None:
                yield person, values, picture.vertices.astype(float), face.points.astype(float)


def under(
    triangles: np.ndarray, flat: np.ndarray, depth: np.ndarray, point: np.ndarray
) -> tuple[int, np.ndarray]:
    """The triangle under or nearest to a point, and the point's weights in it, none negative.

    Of several in one place (the cheek before the ear, the jaw before the neck) the foremost.
    """
    a, b, c = (flat[triangles[:, i]] for i in range(3))
    ab, ac, ap = b - a, c - a, point - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    second = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / area
    third = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / area
    weights = np.clip(np.stack([1 - second - third, second, third], axis=1), 0, 1)
    weights /= weights.sum(axis=1, keepdims=True)
    off = np.linalg.norm((flat[triangles] * weights[..., None]).sum(axis=1) - point, axis=1)
    foremost = np.where(off < off.min() + 0.3, depth[triangles].mean(axis=1), -np.inf)
    best = int(foremost.argmax())
    return best, weights[best]


def fit(people: int) -> None:
    head = head_model()
    mean = head.mean.astype(float)
    names = list(head.region_names)
    normal = np.cross(
        mean[head.faces[:, 1]] - mean[head.faces[:, 0]],
        mean[head.faces[:, 2]] - mean[head.faces[:, 0]],
    )
    # The seams of lips and lids look up and down, not at the camera: let them in. Ears stay out.
    front = (normal[:, 2] > -0.2 * np.linalg.norm(normal, axis=1)) & (
        mean[head.faces, 2].mean(axis=1) > -0.75
    )
    triangles = {
        name: head.faces[front & (head.region == names.index(name))]
        for name in ("skin", "eye_left", "eye_right")
    }
    region = ["skin"] * 478
    for name, marks in IRISES.items():
        for mark in marks:
            region[mark] = name
    places: list[list[np.ndarray]] = [[] for _ in region]
    for marks, actions in (
        ([i for i in range(478) if i not in INNER_LIPS], {}),
        (list(INNER_LIPS), {"jawOpen": 0.5}),
    ):
        for _, _, flat, found in renders(7_000_000, people, Pose(0, 0, 0), **actions):
            for mark in marks:
                where = triangles[region[mark]]
                best, weights = under(where, flat, mean[:, 2], found[mark, :2])
                places[mark].append(weights @ mean[where[best]])
    vertices, weights = np.empty((478, 3), np.int16), np.empty((478, 3), np.float32)
    for mark, found in enumerate(places):
        where = triangles[region[mark]]
        place = np.median(found, axis=0)
        near = where[np.abs(mean[where].mean(axis=1) - place).max(axis=1) < 0.25]
        # Lips and lids fold: of all triangles near, the one that truly holds the place.
        samples = (mean[near][:, None] * GRID[None, :, :, None]).sum(axis=2)
        off = np.linalg.norm(samples - place, axis=2)
        best, share = np.unravel_index(off.argmin(), off.shape)
        vertices[mark], weights[mark] = near[best], GRID[share]
    np.savez_compressed(OUT, vertices=vertices, weights=weights)
    print(f"{OUT}: {len(places[0])} people, {OUT.stat().st_size} bytes")


def check(count: int) -> None:
    head = head_model()
    for pose in (Pose(0, 0, 0), Pose(0, 25, 0), Pose(15, -15, 10)):
        for actions in ({}, {"jawOpen": 0.6}, {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}):
            shares, inner = [], []
            for person, values, flat, found in renders(8_000_000, count, pose, **actions):
                points = head.express(head.neutral(person.shape), values)
                marks = landmarks_478(flat.astype(np.float32), points, pose)
                off = np.linalg.norm(marks[:, :2] - found[:, :2], axis=1)
                eyes = np.linalg.norm(found[468, :2] - found[473, :2])
                # A turned head's eyes are as far apart as those of the same head in front.
                eyes /= np.cos(np.deg2rad(pose.yaw))
                shares.append(off / eyes)
                inner.append(off[list(INNER_LIPS)].mean() / eyes)
            each = np.mean(shares, axis=0)
            print(
                f"{pose} {actions}: {len(shares)} faces, mean {np.mean(shares):.4f}, "
                f"median {np.median(shares):.4f}, inner lips {np.mean(inner):.4f}, "
                f"worst {each.argsort()[-4:]} {each.max():.3f}"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--check", type=int, default=0)
    given = parser.parse_args()
    if not given.check:
        fit(given.people)
    check(given.check or 10)
