"""Short films with cuts between people before one backdrop, and with all that is no cut.

Rendered people, who act, and as stills those of `examples/`, 1280 x 720 at 25 frames a second. Each
film gives its frames and, for each, what starts with it: nothing, another person's shot, or a
leap in one person's shot (a jump cut).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from tracking import HEIGHT, RATE, SEED, SIZE, WIDTH, Head, background, heads

from norface.faces.find import FaceFinder
from norface.facs import ACTION_INDEX
from norface.media.images import read_image
from norface.results import Pose
from norface.synthesis.generate_sequences import random_film

Image = NDArray[np.uint8]
Start = Literal["", "person", "leap"]
Film = Iterator[tuple[Image, Start]]

EXAMPLES = Path(__file__).parents[1] / "examples"
PEOPLE = 10
STEPS = 12


def placed(frame: Image, head: Head, x: float, y: float, width: float, roll: float = 0) -> Image:
    """A frame with a head whose face has its middle there, this wide."""
    zoom = width / head.width
    matrix = cv2.getRotationMatrix2D(head.middle, roll, zoom)
    matrix[:, 2] += np.array([x, y]) - head.middle
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    image = cv2.warpAffine(head.image, matrix, (WIDTH, HEIGHT), flags=how)
    opaque = cv2.warpAffine(head.opaque, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    mixed = frame + opaque[..., None] * (image.astype(np.float32) - frame)
    return np.asarray(mixed, np.uint8)


@lru_cache
def wall() -> Image:
    """A plain backdrop, a little lighter in the middle."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    away = np.hypot(x - WIDTH / 2, y - HEIGHT / 2) / WIDTH
    return np.asarray((170 - 60 * away)[..., None] * (1.0, 0.98, 0.93), np.uint8)


@lru_cache
def still_heads() -> list[Head]:
    """The people of `examples/`, each with a soft edge around head and shoulders."""
    found = []
    with FaceFinder() as finder:
        for path in sorted(EXAMPLES.glob("*.jpg")):
            image = read_image(path)
            for face in finder.find(image):
                box = face.box
                if box.width < 60:
                    continue
                x, y = box.x + box.width / 2, box.y + box.height / 2
                rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
                away = np.hypot((columns - x) / (1.05 * box.width), (rows - y) / (1.0 * box.height))
                opaque = np.clip((1 - away) / 0.15, 0, 1).astype(np.float32)
                side = round(2.5 * box.width)
                top, left = max(0, round(y) - side), max(0, round(x) - side)
                part = np.s_[top : round(y) + side, left : round(x) + side]
                found.append(Head(image[part], opaque[part], (x - left, y - top), box.width))
    return found


@lru_cache
def acted(
    person: int, poses: tuple[Pose, ...], actions: tuple[tuple[str, float], ...]
) -> list[Head]:
    """A person in each of these poses, with facial actions that grow along with them."""
    film = random_film(SEED, person, SIZE, len(poses) / RATE, RATE, yaw=0.0)
    moves = np.zeros_like(film.sequence.actions)
    for name, value in actions:
        moves[:, ACTION_INDEX[name]] = value * np.linspace(0, 1, len(poses))
    film = replace(
        film,
        scene=replace(film.scene, pose=Pose(0, 0, 0)),
        sequence=replace(film.sequence, poses=poses, actions=moves),
    )
    middle, width = heads(person)[0].middle, heads(person)[0].width
    return [
        Head(picture.image, (picture.parts > 0).astype(np.float32), middle, width)
        for _, picture in film.frames()
    ]


def sway(n: int) -> tuple[float, float]:
    return 12 * np.sin(n / 6), 6 * np.sin(n / 4)


def in_turn(cast: Sequence[Sequence[Head]], width: float, ground: Image, jumps: float = 0) -> Film:
    """People in turn at one place, or with ``jumps`` widths between their places."""
    random = np.random.default_rng(SEED)
    for turn, person in enumerate(cast):
        dx, dy = jumps * width * random.uniform(-1, 1, 2)
        size = width * 2 ** (jumps * random.uniform(-0.5, 0.5))
        for n in range(STEPS):
            x, y = sway(turn * STEPS + n)
            head = person[n % len(person)]
            start: Start = "person" if n == 0 and turn else ""
            yield placed(ground, head, 640 + x + dx, 360 + y + dy, size), start


def cast() -> list[list[Head]]:
    return [heads(person) for person in range(PEOPLE)]


def stills() -> list[list[Head]]:
    return [[head] for head in still_heads()]


def pairs() -> Film:
    """Two people side by side, then two others."""
    for turn in range(PEOPLE // 2):
        for n in range(STEPS):
            x, y = sway(n)
            one, two = heads(2 * turn), heads(2 * turn + 1)
            frame = placed(background(0), one[n], 440 + x, 360 + y, 170)
            frame = placed(frame, two[n], 840 - x, 360 + y, 170)
            yield frame, "person" if n == 0 and turn else ""


def leaps() -> Film:
    """One person whose time leaps, and sometimes the camera a little."""
    for person in range(4):
        all_heads = heads(person)
        for take in range(3):
            for n in range(STEPS):
                head = all_heads[(9 * take + n) % len(all_heads)]
                place = 640 + 25 * take + sway(n)[0], 360 - 15 * take
                start: Start = ""
                if n == 0 and (person or take):
                    start = "leap" if take else "person"
                yield placed(background(0), head, *place, 180), start


def shots(frames: Iterable[Iterator[Image]]) -> Film:
    """Shots of one person each."""
    for number, shot in enumerate(frames):
        for n, image in enumerate(shot):
            yield image, "person" if number and n == 0 else ""


def turning(person: int) -> Iterator[Image]:
    """Heads that turn by 45 degrees within five frames, and nod by 25 within four."""
    yaws = [0, 0, 9, 18, 27, 36, 45, 45, 45, 33, 22, 11, 0, -11, -22, -33, -45, -45, -30, -15, 0]
    nods = [0, 6, 12, 19, 25, 25, 12, 0, -8, -16, -20, -20, -10, 0]
    poses = [Pose(0, yaw, 0) for yaw in yaws] + [Pose(nod, 0, 0) for nod in nods]
    for n, head in enumerate(acted(person, tuple(poses), ())):
        yield placed(background(0), head, 640 + sway(n)[0], 360, 200)


def broad(person: int) -> Iterator[Image]:
    """A blink, a laugh, a scream and a grimace, each up within three frames, and down again."""
    still = (Pose(0, 0, 0),) * 4
    faces = {
        "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
        "laugh": ("mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft", "jawOpen"),
        "scream": ("jawOpen", "browInnerUp", "eyeWideLeft", "eyeWideRight", "mouthStretchLeft"),
        "grimace": ("noseSneerLeft", "noseSneerRight", "browDownLeft", "browDownRight",
                    "eyeSquintLeft", "eyeSquintRight", "mouthPucker"),
    }  # fmt: skip
    for names in faces.values():
        there = acted(person, still, tuple((name, 1.0) for name in names))
        for n, head in enumerate(there + there[::-1]):
            yield placed(background(0), head, 640 + n, 360, 200)


def hand(person: Sequence[Head], ground: Image) -> Iterator[Image]:
    """A hand that crosses the face in six frames, and one that stays on its lower half."""
    skin = person[0].image[round(person[0].middle[1]), round(person[0].middle[0])].tolist()
    for n in range(40):
        x, y = sway(n)
        frame = placed(ground, person[n % len(person)], 640 + x, 360 + y, 200)
        if 8 <= n < 16:
            place = 400 + 60 * (n - 8), 380
        elif 24 <= n < 34:
            place = 640 + 4 * (n % 3), 620 - 40 * min(n - 23, 33 - n + 1, 4)
        else:
            yield frame
            continue
        cv2.ellipse(frame, place, (55, 75), 20, 0, 360, skin, -1, cv2.LINE_AA)
        for finger in range(4):
            tip = place[0] - 60 + 35 * finger, place[1] - 130 + 8 * abs(finger - 2)
            cv2.line(
                frame, (place[0] - 30 + 20 * finger, place[1] - 40), tip, skin, 26, cv2.LINE_AA
            )
        yield frame


def lit(frames: Iterator[Image]) -> Iterator[Image]:
    """A lamp goes on, off, and on again from one side."""
    ramp = np.linspace(0.35, 1.5, WIDTH)[None, :, None]
    for n, frame in enumerate(frames):
        light = (0.55, 1.0, 1.6, ramp, ramp[:, ::-1])[n // 6 % 5]
        yield np.asarray(np.clip(frame * light, 0, 255), np.uint8)


def shaken(frames: Iterator[Image]) -> Iterator[Image]:
    """A camera that shakes by up to 40 pixels from frame to frame, and smears."""
    random = np.random.default_rng(SEED)
    for frame in frames:
        dx, dy = random.uniform(-28, 28, 2)
        kernel = np.zeros((31, 31), np.float32)
        cv2.line(kernel, (15, 15), (15 + round(dx / 2), 15 + round(dy / 2)), 1.0)
        frame = cv2.filter2D(frame, -1, kernel / kernel.sum())
        moved = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
        yield np.asarray(
            cv2.warpAffine(frame, moved, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT), np.uint8
        )


def zoomed(frames: Iterator[Image]) -> Iterator[Image]:
    """In by half within five frames, out again; and a slow one."""
    sizes = [1.0] * 3 + [1.1, 1.2, 1.3, 1.4, 1.5] + [1.5] * 3
    sizes += [1.25, 1.0, 0.85, 0.7] + [0.7] * 4 + [0.8, 0.9]
    for n, frame in enumerate(frames):
        matrix = cv2.getRotationMatrix2D((640, 360), 0, sizes[n % len(sizes)])
        image = cv2.warpAffine(frame, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        yield np.asarray(image, np.uint8)


def faded(frames: Iterator[Image]) -> Iterator[Image]:
    """Down to nearly black and up again, and up to nearly white, eight frames each way."""
    for n, frame in enumerate(frames):
        depth = abs((n + 8) % 16 - 8) / 8 * 0.92
        goal = 0 if n // 16 % 2 else 255
        yield np.asarray(frame * (1 - depth) + goal * depth, np.uint8)


def blurred(frames: Iterator[Image]) -> Iterator[Image]:
    """Out of focus within two frames, and back."""
    for n, frame in enumerate(frames):
        sigma = (0, 0, 0, 5, 11, 11, 11, 5)[n % 8]
        yield np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma) if sigma else frame, np.uint8)


def compressed(frames: Film, quality: int) -> Film:
    """As H.264 leaves it, with a key frame every ten."""
    kept: list[Start] = []
    file = BytesIO()
    with av.open(file, "w", format="mp4") as out:
        options = {"crf": str(quality), "preset": "veryfast", "g": "10", "sc_threshold": "0"}
        stream = out.add_stream("libx264", rate=Fraction(25), options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for image, start in frames:
            kept.append(start)
            given = av.VideoFrame.from_ndarray(image, "rgb24")
            out.mux(stream.encode(given.reformat(format="yuv420p")))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as read:
        for frame, start in zip(read.decode(video=0), kept, strict=True):
            yield frame.to_ndarray(format="rgb24"), start


def every(frames: Film, step: int) -> Film:
    """One frame in so many."""
    told: Start = ""
    for n, (image, start) in enumerate(frames):
        told = start or told
        if n % step == 0:
            yield image, told
            told = ""


def acting(person: Sequence[Head], width: float = 200, steps: int = 48) -> Iterator[Image]:
    """Somebody who just acts."""
    for n in range(steps):
        x, y = sway(n)
        yield placed(background(0), person[n % len(person)], 640 + x, 360 + y, width)
