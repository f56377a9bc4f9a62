"""Make the pictures of the docs from the synthesis and the embedded model.

Run with the extra ``train`` installed: ``python tools/make_pictures.py [NAME ...]`` makes the named
pictures (``synthesis_people``, ...), or all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from norface import Norface
from norface.facs import ACTION_INDEX, ACTION_UNITS, EMOTIONS, FACIAL_ACTIONS
from norface.results import Pose
from norface.synthesis.body.head import head_model
from norface.synthesis.common_face import render_target, studio
from norface.synthesis.expressions.prototypes import PROTOTYPES
from norface.synthesis.expressions.sampling import set_action
from norface.synthesis.expressions.units import action_unit_intensities
from norface.synthesis.generate_sequences import random_film
from norface.synthesis.people import Person, random_person
from norface.synthesis.picture.camera import Camera
from norface.synthesis.picture.scene import render_face
from norface.synthesis.samples import render_sample

OUT = Path(__file__).parents[1] / "docs/images"
CELL = 224
TEST_SERIES = 9

COMMON: dict[str, dict[str, float]] = {
    "neutral": {},
    "AU6 + AU12": {"cheekSquint": 0.7, "mouthSmile": 0.9, "mouthUpperUp": 0.3, "jawOpen": 0.15},
    "AU1 + AU2 + AU5 + AU26": {
        "browInnerUp": 0.9,
        "browOuterUp": 0.9,
        "eyeWide": 0.8,
        "jawOpen": 0.6,
    },
    "AU4 + AU7 + AU24": {"browDown": 1.0, "eyeSquint": 0.7, "mouthPress": 0.8},
    "AU9 + AU10": {"noseSneer": 0.9, "mouthUpperUp": 0.7},
    "AU1 + AU15 + AU17": {"browInnerUp": 0.9, "mouthFrown": 0.9, "mouthShrugLower": 0.7},
}

# Numbers of people of different ages, genders, skin tones, hair and things worn.
PEOPLE = (700_014, 700_017, 700_027, 700_031, 700_021, 700_032, 700_038)
LEVELS_OF = 700_027
LEVELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("AU1 + AU2", ("browInnerUp", "browOuterUp")),
    ("AU4", ("browDown",)),
    ("AU5", ("eyeWide",)),
    ("AU6", ("cheekSquint",)),
    ("AU7", ("eyeSquint",)),
    ("AU9", ("noseSneer",)),
    ("AU10", ("mouthUpperUp",)),
    ("AU12", ("mouthSmile",)),
    ("AU15", ("mouthFrown",)),
    ("AU17", ("mouthShrugLower",)),
    ("AU20", ("mouthStretch",)),
    ("AU26", ("jawOpen",)),
)
FILM = (44, 34)
"""Series and number of the sequence that is shown."""

VARIETY = 31
"""Series of the samples that are shown, one after the other from its first on."""


def actions_of(values: dict[str, float]) -> NDArray[np.float32]:
    actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
    for name, value in values.items():
        for action in (name, name + "Left", name + "Right"):
            if action in ACTION_INDEX:
                actions[ACTION_INDEX[action]] = value
    return actions


def sheet(
    rows: Sequence[Sequence[NDArray[np.uint8]]],
    *,
    above: Sequence[str] = (),
    beside: Sequence[str] = (),
    cell: int = CELL,
    margin: int = 130,
) -> Image.Image:
    """Cells in rows, with a label above each column and beside each row."""
    left, top = (margin if beside else 0), (30 if above else 0)
    width, height = left + cell * len(rows[0]), top + cell * len(rows)
    page = Image.new("RGB", (width, height), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(15)
    for j, text in enumerate(above):
        draw.text((left + (j + 0.5) * cell, 15), text, "black", font, anchor="mm")
    for i, text in enumerate(beside):
        at = (left - 10, top + (i + 0.5) * cell)
        draw.text(at, text, "black", font, anchor="rm", align="right")
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            small = Image.fromarray(picture).resize((cell - 4,) * 2, Image.Resampling.LANCZOS)
            page.paste(small, (left + j * cell + 2, top + i * cell + 2))
    return page


def common_face() -> Image.Image:
    faces = [render_target(0, actions_of(values)) for values in COMMON.values()]
    return sheet([faces], above=list(COMMON))


def people_normalized(columns: int = 7) -> Image.Image:
    """Test people, what the model makes of them, and the truth."""
    rows: list[list[NDArray[np.uint8]]] = [[], [], []]
    with Norface.load() as norface:
        index = 0
        while len(rows[0]) < columns:
            sample = render_sample(TEST_SERIES, index, 384)
            index += 1
            clear = np.sort(sample.picture.intensity[:, 0])[-3:].sum() > 7
            found = norface.analyze(sample.picture.image) if clear else []
            if found:
                rows[0].append(found[0].aligned)
                rows[1].append(found[0].normalized)
                rows[2].append(render_target(0, sample.actions))
    return sheet(rows, beside=("original", "normalized", "truth on the\ncommon face"))


def portrait(
    person: Person, actions: NDArray[np.float32], *, yaw: float = 0.0, face_height: float = 0.62
) -> NDArray[np.uint8]:
    """A person in the studio's light, (320, 320, 3)."""
    camera = Camera(distance=11, face_height=face_height, centre=(0.5, 0.53))
    scene = replace(studio(320), pose=Pose(0, yaw, 0), camera=camera)
    return render_face(person, actions, scene).image


def prototype(emotion: str) -> NDArray[np.float32]:
    """The emotion's prototype, clearly shown, with the parts that it has in most showings."""
    actions = np.zeros(len(FACIAL_ACTIONS), np.float32)
    for name, (mean, chance) in PROTOTYPES[emotion].items():
        if chance >= 0.45:
            set_action(actions, name, min(1.25 * mean, 1.0))
    return actions


def synthesis_people() -> Image.Image:
    """People in rows, expressions in columns."""
    yaws = (0, -8, 10, -5, 7, -10, 5, -7)
    rows, beside = [], []
    for number in PEOPLE:
        person = random_person(number)
        faces = zip(EMOTIONS, yaws, strict=True)
        rows.append([portrait(person, prototype(name), yaw=yaw) for name, yaw in faces])
        gender = "man" if person.shape.gender > 0.5 else "woman"
        beside.append(f"{gender}, {person.shape.age:.0f}\ntone {person.tone:.0f}")
    return sheet(rows, above=EMOTIONS, beside=beside, cell=176, margin=96)


def synthesis_levels(columns: int = 2) -> Image.Image:
    """One person doing action units at each of the FACS levels A to E."""
    person = random_person(LEVELS_OF)
    pages = []
    per_page = len(LEVELS) // columns
    for first in range(0, len(LEVELS), per_page):
        chosen = LEVELS[first : first + per_page]
        rows = [
            [
                portrait(person, actions_of(dict.fromkeys(names, k / 5)), face_height=0.92)
                for k in range(1, 6)
            ]
            for _, names in chosen
        ]
        beside = [name for name, _ in chosen]
        pages.append(sheet(rows, above="ABCDE", beside=beside, cell=148, margin=96))
    whole = Image.new("RGB", (sum(p.width for p in pages), pages[0].height), "white")
    left = 0
    for page in pages:
        whole.paste(page, (left, 0))
        left += page.width
    return whole


def synthesis_strip(shown: int = 12, seconds: float = 4.0, fps: float = 25.0) -> Image.Image:
    """Frames of a sequence, and under them the intensity of its action units over time."""
    film = random_film(*FILM, 256, seconds, fps)
    sequence = film.sequence
    length = len(sequence.actions)
    at = [round((k + 0.5) * length / shown) for k in range(shown)]
    pictures = [picture.image for i, (_, picture) in enumerate(film.frames()) if i in at]
    strip = sheet([pictures], cell=120)

    head = head_model()
    neutral = head.neutral(film.person.shape)
    units = np.array([
        action_unit_intensities(row, head.lip_gap(head.express(neutral, row)))[:, 0]
        for row in sequence.actions
    ])  # fmt: skip
    lanes = [i for i in range(len(ACTION_UNITS)) if units[:, i].max() >= 1]
    left, lane, scale, foot = 190, 26, 3, 26
    # Drawn three times as large, since lines are not smoothed otherwise.
    size = (strip.width * scale, (lane * len(lanes) + 8) * scale)
    chart = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(chart)
    across = (np.arange(length) + 0.5) * strip.width * scale / length
    for k, unit in enumerate(lanes):
        base = ((k + 1) * lane + 4) * scale
        up = base - units[:, unit] / 5 * (lane - 5) * scale
        line = list(zip(across.tolist(), up.tolist(), strict=True))
        draw.polygon([(across[0], base), *line, (across[-1], base)], fill=(190, 210, 232))
        draw.line(line, (40, 90, 150), 2 * scale, joint="curve")
        draw.line([(0, base), (size[0], base)], (205, 205, 205), scale)
    chart = chart.resize((strip.width, chart.height // scale), Image.Resampling.LANCZOS)

    page = Image.new("RGB", (left + strip.width, strip.height + chart.height + foot), "white")
    page.paste(strip, (left, 0))
    page.paste(chart, (left, strip.height))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(14)
    for k, unit in enumerate(lanes):
        middle = strip.height + (k + 0.6) * lane + 4
        said = f"{ACTION_UNITS[unit].description}  {ACTION_UNITS[unit].name}"
        draw.text((left - 10, middle), said, "black", font, anchor="rm")
    for second in range(int(seconds) + 1):
        x = left + second * strip.width / seconds
        anchor = "lt" if second == 0 else "rt" if second == seconds else "mt"
        text = f"{second} s"
        draw.text((x, strip.height + chart.height + 5), text, "black", font, anchor=anchor)
    return page


def synthesis_variety(rows: int = 3, columns: int = 8) -> Image.Image:
    """Samples one after the other, as `norface synth` makes them."""
    count = rows * columns
    images = [render_sample(VARIETY, i, 256).picture.image for i in range(count)]
    return sheet([images[i : i + columns] for i in range(0, count, columns)], cell=180)


PICTURES: dict[str, Callable[[], Image.Image]] = {
    "common_face.png": common_face,
    "normalized.png": people_normalized,
    "synthesis_people.jpg": synthesis_people,
    "synthesis_levels.jpg": synthesis_levels,
    "synthesis_strip.jpg": synthesis_strip,
    "synthesis_variety.jpg": synthesis_variety,
}


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for name, make in PICTURES.items():
        if len(sys.argv) == 1 or Path(name).stem in sys.argv[1:]:
            # Only JPEG has a quality.
            make().save(OUT / name, optimize=True, quality=88)


if __name__ == "__main__":
    main()
