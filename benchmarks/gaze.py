"""How well is it estimated where eyes look?

    python benchmarks/gaze.py renders [--count 400]
    python benchmarks/gaze.py portraits FOLDER
    python benchmarks/gaze.py small FOLDER [--count 60]

- ``renders``: people with their heads turned by up to 30 degrees sideways and 15 up and down, the
  eyes anywhere within their reach, 256 pixels, any light and camera, without glasses and hats; the
  error of yaw and pitch and their correlation with the truth, against the direction of the head as
  it was measured ("straight along the head"); and how often eyes that are shut count as shut. Two
  truths: where the iris is seen on the ball (a rendered eye also shifts, docs/synthesis.md), and
  the rotation of the ball alone.
- ``portraits``: a folder of photos whose people look into the camera, so that the truth is 0. Those
  who look elsewhere count as errors, so medians say more than means. Also the centre of the ball
  that these photos call for, and how far the mirrored photo gives another direction.
- ``small``: the same photos shrunk, and how far their directions are from those of the whole ones.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.evaluation.metrics import pearson
from norface.faces.find import FaceFinder
from norface.faces.gaze import MILLIMETRES
from norface.faces.pose import fit_head, rotation_from_pose
from norface.facs import ACTION_INDEX, FACIAL_ACTIONS
from norface.media.images import list_images, read_image
from norface.results import Gaze, Pose
from norface.synthesis.body.head import head_model
from norface.synthesis.body.rims import BALL_RADIUS
from norface.synthesis.expressions.sampling import set_gaze
from norface.synthesis.gaze import gaze_angles
from norface.synthesis.people import random_person
from norface.synthesis.picture.scene import Picture, random_scene, render_face
from norface.synthesis.samples import person_seed

Values = NDArray[np.float64]

SEED = 77
SIZE = 256
TO_PICTURE = np.array((1.0, -1.0, -1.0))
"""From the axes of the rendered head to those of a picture."""

WIDTHS = (200, 100, 64, 48, 32)
SEEN_TURNED = (0, 10, 20, 30)
SHUT_FROM = 0.8


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    renders = commands.add_parser("renders")
    renders.add_argument("--count", type=int, default=400)
    for name in ("portraits", "small"):
        command = commands.add_parser(name)
        command.add_argument("folder", type=Path)
        if name == "small":
            command.add_argument("--count", type=int, default=60)
    options = parser.parse_args()
    if options.command == "renders":
        print(renders_table(options.count))
    elif options.command == "portraits":
        print(portraits_table(options.folder))
    else:
        print(small_table(options.folder, options.count))


def renders_table(count: int) -> str:
    """Render, estimate and compare."""
    read, head, seen, turned, posed = [], [], [], [], []
    shut: dict[bool, list[bool]] = {True: [], False: []}
    with FaceFinder() as finder:
        for i in range(count):
            pose, closed, picture = rendered(i)
            face = finder.landmark_crop(picture.image)
            if face is None:
                continue
            if closed is not None:
                if closed >= SHUT_FROM:
                    shut[True].append(face.gaze is None)
                continue
            shut[False].append(face.gaze is None)
            if face.gaze is None:
                continue
            read.append((face.gaze.yaw, face.gaze.pitch))
            head.append((face.pose.yaw, face.pose.pitch))
            on_ball, of_ball = true_directions(picture, pose)
            seen.append((on_ball.yaw, on_ball.pitch))
            turned.append((of_ball.yaw, of_ball.pitch))
            posed.append((pose.yaw, pose.pitch))
    lines = [f"{len(read)} faces with open eyes."]
    for name, truth in (("where the iris is seen", seen), ("rotation of the ball", turned)):
        lines += ["", f"Truth: {name}.", "", *compared(*map(np.array, (read, head, truth, posed)))]
    errors = np.abs(np.array(read) - seen)
    lines += [
        "",
        "| head turned sideways | faces | error of yaw | error of pitch |",
        "|---|---|---|---|",
    ]
    for low, high in pairwise(SEEN_TURNED):
        turn = np.abs(np.array(posed)[:, 0])
        of = (turn >= low) & (turn < high)
        yaw, pitch = errors[of].mean(axis=0)
        lines.append(f"| {low} to {high} degrees | {of.sum()} | {yaw:.1f} | {pitch:.1f} |")
    lines += [
        "",
        f"Of {len(shut[True])} faces with shut eyes (eyeBlink {SHUT_FROM} or more) "
        f"{np.mean(shut[True]):.0%} count as shut, of {len(shut[False])} with open ones "
        f"{np.mean(shut[False]):.1%}.",
    ]
    return "\n".join(lines)


def rendered(i: int) -> tuple[Pose, float | None, Picture]:
    """The head's pose, how far the lids are closed (None: open), and the picture."""
    random = np.random.default_rng([SEED, i])
    pose = Pose(*(float(random.uniform(-most, most)) for most in (15, 30, 10)))
    actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
    set_gaze(actions, float(random.uniform(-1, 1)), float(random.uniform(-1, 1)))
    closed = float(random.uniform(0.3, 1)) if i % 5 == 0 else None
    if closed is not None:
        for side in ("Left", "Right"):
            actions[ACTION_INDEX[f"eyeBlink{side}"]] = closed
    person = replace(random_person(person_seed(SEED, i)), covering=None, glasses=None)
    scene = replace(random_scene(random, SIZE), pose=pose)
    return pose, closed, render_face(person, actions, scene)


def true_directions(picture: Picture, pose: Pose) -> tuple[Gaze, Gaze]:
    """Where the irises are seen from the balls' places at rest, and how the balls are turned."""
    head = head_model()
    turn = rotation_from_pose(pose)
    on_ball, of_ball = [], []
    for name, angles in zip(
        ("eye_left", "eye_right"),
        np.radians(gaze_angles(head, picture.neutral, picture.points)),
        strict=True,
    ):
        yaw, pitch = angles
        ahead = np.array(
            (np.sin(yaw) * np.cos(pitch), -np.sin(pitch), -np.cos(yaw) * np.cos(pitch))
        )
        ball = head.vertices_of(name)
        shift = (
            picture.points[ball].mean(axis=0) - picture.neutral[ball].mean(axis=0)
        ) * TO_PICTURE
        place = BALL_RADIUS * ahead + shift
        on_ball.append(turn @ place / np.linalg.norm(place))
        of_ball.append(turn @ ahead)
    return Gaze(*map(tuple, on_ball)), Gaze(*map(tuple, of_ball))


def compared(read: Values, head: Values, truth: Values, pose: Values) -> list[str]:
    """Rows of a table: the estimate and the measured head against the truth, all (N, 2).

    The eyes in the head: the estimate against the measured head, the truth against the true one.
    """
    lines = [
        "| | mean error | the same without the bias | bias | r | r of the eyes in the head |",
        "|---|---|---|---|---|---|",
    ]
    for k, angle in enumerate(("yaw", "pitch")):
        for name, values in (("estimate", read), ("straight along the head", head)):
            error = values[:, k] - truth[:, k]
            bias = np.median(error)
            in_head = pearson(read[:, k] - head[:, k], truth[:, k] - pose[:, k])
            lines.append(
                f"| {angle}, {name} | {np.abs(error).mean():.1f} | "
                f"{np.abs(error - bias).mean():.1f} | {bias:+.1f} | "
                f"{pearson(values[:, k], truth[:, k]):.2f} | "
                f"{f'{in_head:.2f}' if values is read else ''} |"
            )
    return lines


def portraits_table(folder: Path) -> str:
    """The error on people who look into the camera."""
    read, head, mirrored, marks = [], [], [], []
    with FaceFinder() as finder:
        for path in list_images([folder]):
            image = read_image(path)
            found = finder.find(image)[:1]
            again = finder.find(np.ascontiguousarray(image[:, ::-1]))[:1]
            if not found or not again or found[0].gaze is None or again[0].gaze is None:
                continue
            read.append((found[0].gaze.yaw, found[0].gaze.pitch))
            mirrored.append((-again[0].gaze.yaw, again[0].gaze.pitch))
            head.append((found[0].pose.yaw, found[0].pose.pitch))
            marks.append(found[0].points)
    gaze, pose = np.array(read), np.array(head)
    lines = [
        "| head turned sideways | faces | gaze: yaw, pitch | head: yaw, pitch |",
        "|---|---|---|---|",
    ]
    for low, high in ((0, 90), (0, 8), (8, 16), (16, 30)):
        of = (np.abs(pose[:, 0]) >= low) & (np.abs(pose[:, 0]) < high)
        if of.any():
            yaw, pitch = np.median(np.abs(gaze[of]), axis=0)
            turn, tilt = np.median(np.abs(pose[of]), axis=0)
            lines.append(
                f"| {low} to {high} degrees | {of.sum()} | {yaw:.1f}, {pitch:.1f} | "
                f"{turn:.1f}, {tilt:.1f} |"
            )
    aside, above = np.abs(gaze - mirrored).mean(axis=0)
    within = (np.hypot(*gaze.T) < 5).mean(), (np.hypot(*pose.T) < 5).mean()
    centre = ", ".join(f"{part:.1f}" for part in ball_centre(marks))
    return "\n".join(
        [
            "Median angle to the camera, degrees.",
            "",
            *lines,
            "",
            f"Within 5 degrees of the camera: gaze {within[0]:.0%}, head {within[1]:.0%}. "
            f"Mirrored: {aside:.1f}, {above:.1f} degrees away on average. "
            f"Centre of the ball, outwards, down, backwards: {centre} mm.",
        ]
    )


def small_table(folder: Path, count: int) -> str:
    """How far directions move as the face becomes smaller."""
    apart: dict[int, list[tuple[float, float]]] = {width: [] for width in WIDTHS}
    with FaceFinder(minimum_face_width=min(WIDTHS) / 2) as finder:
        for path in list_images([folder])[:count]:
            image = read_image(path)
            whole = finder.find(image)[:1]
            if not whole or whole[0].gaze is None:
                continue
            for width in WIDTHS:
                zoom = width / whole[0].box.width
                shrunk = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
                found = finder.find(shrunk)[:1]
                if found and found[0].gaze is not None:
                    one, other = whole[0].gaze, found[0].gaze
                    apart[width].append((abs(one.yaw - other.yaw), abs(one.pitch - other.pitch)))
    lines = ["| width of the face, pixels | faces | yaw | pitch |", "|---|---|---|---|"]
    for width, differences in apart.items():
        if differences:
            yaw, pitch = np.mean(differences, axis=0)
            lines.append(f"| {width} | {len(differences)} | {yaw:.1f} | {pitch:.1f} |")
    return "\n".join(lines)


def ball_centre(faces: list[NDArray[np.float32]]) -> Values:
    """(3,) millimetres: the place that lies behind the iris in whichever way the head is turned.

    Across alone says how deep it is: up and down the landmarks follow the iris by less than half.
    Whoever looks elsewhere counts little.
    """
    across, down = [], []
    for marks in faces:
        head = fit_head(marks)
        if abs(head.pose.yaw) > 25:
            continue
        for iris, inner, outer, side in ((473, 362, 263, 1), (468, 133, 33, -1)):
            place = (marks[iris] - (marks[inner] + marks[outer]) / 2) / head.scale
            x, y = head.rotation[:2] * (side, 1, 1)
            across.append((x, place[0]))
            down.append((y, place[1]))
    centre = np.zeros(3)
    for _ in range(3):
        for rows, free in ((across, [0, 2]), (down, [1])):
            turn, seen = (np.array(part) for part in zip(*rows, strict=True))
            kept = [k for k in range(3) if k not in free]
            centre[free] = robust_solution(turn[:, free], seen - turn[:, kept] @ centre[kept])
    return centre * MILLIMETRES


def robust_solution(factors: Values, values: Values, width: float = 0.05) -> Values:
    """Least squares in which a value counts less the farther off it is (Cauchy's weights)."""
    weight = np.ones(len(values))
    for _ in range(40):
        root = np.sqrt(weight)
        found = np.linalg.lstsq(factors * root[:, None], values * root, rcond=None)[0]
        weight = 1 / (1 + ((values - factors @ found) / width) ** 2)
    return found


if __name__ == "__main__":
    main()
