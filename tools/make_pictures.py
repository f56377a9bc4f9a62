"""Make the pictures of the docs from the synthesis and the embedded model.

Run with the extra ``train`` installed: ``python tools/make_pictures.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from norface import Norface
from norface.facs import ACTION_INDEX, FACIAL_ACTIONS
from norface.synthesis.common_face import render_target
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
) -> Image.Image:
    """Cells in rows, with a label above each column and beside each row."""
    left, top = (130 if beside else 0), (30 if above else 0)
    width, height = left + CELL * len(rows[0]), top + CELL * len(rows)
    page = Image.new("RGB", (width, height), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(15)
    for j, text in enumerate(above):
        draw.text((left + (j + 0.5) * CELL, 15), text, "black", font, anchor="mm")
    for i, text in enumerate(beside):
        draw.text((left - 10, top + (i + 0.5) * CELL), text, "black", font, anchor="rm")
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            picture = Image.fromarray(cell).resize((CELL - 4, CELL - 4), Image.Resampling.LANCZOS)
            page.paste(picture, (left + j * CELL + 2, top + i * CELL + 2))
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


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    common_face().save(OUT / "common_face.png", optimize=True)
    people_normalized().save(OUT / "normalized.png", optimize=True)


if __name__ == "__main__":
    main()
