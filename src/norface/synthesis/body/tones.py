"""Skin tones: albedos that follow the Monk Skin Tone scale."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

MONK_SWATCHES: Final = (
    "f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96",
    "a07e56", "825c43", "604134", "3a312a", "292420",
)  # fmt: skip
"""The ten swatches of the Monk Skin Tone scale, sRGB, from lightest (1) to darkest (10)."""

_LIGHTEST = 0.52  # luminance of the lightest skin's albedo: no skin is as white as its swatch
_CONTRAST = 0.6  # the darkest swatches are darker than any skin: fewer stops between the tones
_STEP = 0.93  # the first swatches hardly differ in luminance: each tone is at least this darker
_SWATCH_HUE = 0.2  # the swatches are too grey: so much of their hue, the rest from measured skin
# R / G and B / G of measured skin, light and dark.
_LIGHT_HUE, _DARK_HUE = (1.46, 0.77), (2.0, 0.60)
_LUMINANCE = np.array((0.2126, 0.7152, 0.0722))


def _albedos() -> tuple[tuple[float, float, float], ...]:
    albedos = []
    darkest, brightest = 1.0, 0.0
    for i, swatch in enumerate(MONK_SWATCHES):
        display = np.array([int(swatch[k : k + 2], 16) for k in (0, 2, 4)]) / 255
        linear = ((display + 0.055) / 1.055) ** 2.4
        brightest = max(brightest, float(linear @ _LUMINANCE))
        luminance = _LIGHTEST * (float(linear @ _LUMINANCE) / brightest) ** _CONTRAST
        darkest = luminance = min(luminance, darkest * _STEP) if i else luminance
        share = i / (len(MONK_SWATCHES) - 1)
        measured = np.array(_LIGHT_HUE) ** (1 - share) * np.array(_DARK_HUE) ** share
        ratio = (linear[[0, 2]] / linear[1]) ** _SWATCH_HUE * measured ** (1 - _SWATCH_HUE)
        colour = np.array((ratio[0], 1.0, ratio[1]))
        red, green, blue = (float(v) for v in colour * luminance / (colour @ _LUMINANCE))
        albedos.append((red, green, blue))
    return tuple(albedos)


SKIN_TONES: Final = _albedos()
"""Linear RGB albedos of the ten Monk tones.

The swatches are colours of a display, not reflectances. Their luminance is scaled to that of skin,
0.52 to 0.05, with fewer stops between; their hue is mixed with that of measured skin, which is
redder.
"""


def skin_colour(tone: float) -> NDArray[np.float64]:
    """Linear RGB albedo of a Monk tone, 1 (lightest) to 10 (darkest); between them, a mixture."""
    tones = np.array(SKIN_TONES)
    tone = min(max(tone, 1.0), float(len(tones))) - 1
    low = int(min(tone, len(tones) - 2))
    return np.asarray(tones[low] * (1 - (tone - low)) + tones[low + 1] * (tone - low))
