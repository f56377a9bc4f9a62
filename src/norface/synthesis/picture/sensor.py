"""What lens, sensor and file format do to a picture. Everything is off unless asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from norface.synthesis.picture.filters import blur, enlarge, shrink, smear
from norface.synthesis.picture.visibility import Number

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Sensor:
    """A camera's flaws; the default has none.

    Attributes:
        white_balance: factors of red, green and blue.
        vignette: share of the light that the corners lose, 0 to 1.
        defocus: blur of the lens, sigma in pixels.
        motion: (across, down) length of the blur of motion, pixels.
        fringe: how much wider red is drawn than blue, share of the picture's half width.
        contrast: strength of an S-shaped tone curve; negative flattens. -1 to 1.
        shot, read: noise that grows with the light, and noise in the dark (of white 1).
        colour_noise: share of the noise that differs between colours, 0 to 1.
        grain: width of the noise's grains, sigma in pixels.
        sharpen: strength of the halos of sharpening.
        resolution: share of the pixels along each side that the picture really has, 0 to 1.
        jpeg: quality of JPEG compression, 1 to 100; 0 for none.
        seed: of the noise.
    """

    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    vignette: float = 0.0
    defocus: float = 0.0
    motion: tuple[float, float] = (0.0, 0.0)
    fringe: float = 0.0
    contrast: float = 0.0
    shot: float = 0.0
    read: float = 0.0
    colour_noise: float = 0.0
    grain: float = 0.0
    sharpen: float = 0.0
    resolution: float = 1.0
    jpeg: int = 0
    seed: int = 0


CLEAN = Sensor()


def random_sensor(random: np.random.Generator, size: int, *, noise: float = 1.0) -> Sensor:
    """A camera by chance: most good, some poor.

    Args:
        random: source of chance.
        size: side of the picture in pixels; blurs grow with it.
        noise: factor of the noise, more than 1 in low light.
    """
    poor = random.random() < 0.25
    warmth, tint = random.normal(0, 0.05), random.normal(0, 0.02)
    defocus = float(random.exponential(0.0035 if poor else 0.0012) * size)
    angle, length = random.uniform(0, np.pi), 0.0
    if random.random() < 0.08:
        length = random.uniform(0.005, 0.025) * size
    level = min(noise * float(random.exponential(0.015 if poor else 0.006)), 0.06)
    resolution = 1.0
    if random.random() < (0.35 if poor else 0.08):
        resolution = float(random.uniform(0.35, 0.85))
    jpeg = 0
    if random.random() < 0.7:
        jpeg = int(random.integers(25, 75) if poor else random.integers(65, 97))
    return Sensor(
        white_balance=(float(1 + warmth + tint), 1.0, float(1 - warmth + tint)),
        vignette=float(max(random.normal(0.05, 0.12), 0)),
        defocus=min(defocus, 0.012 * size),
        motion=(float(np.cos(angle) * length), float(np.sin(angle) * length)),
        fringe=float(max(random.normal(0, 0.0025), 0)),
        contrast=float(np.clip(random.normal(0.08, 0.25), -0.5, 0.7)),
        shot=level,
        read=0.4 * level * float(random.uniform(0.3, 1)),
        colour_noise=float(random.uniform(0.1, 0.8)),
        grain=float(random.uniform(0, 0.9) * size / 192) if random.random() < 0.6 else 0.0,
        sharpen=float(random.uniform(0.1, 0.9)) if random.random() < 0.45 else 0.0,
        resolution=resolution,
        jpeg=jpeg,
        seed=int(random.integers(1 << 31)),
    )


def through_lens(linear: Array, sensor: Sensor) -> Array:
    """(H, W, 3) linear light as it falls on the sensor."""
    if sensor.defocus > 0.05:
        linear = blur(linear, sensor.defocus)
    if max(abs(sensor.motion[0]), abs(sensor.motion[1])) > 0.7:
        linear = smear(linear, *sensor.motion)
    if sensor.fringe > 0:
        linear = _fringe(linear, np.float32(sensor.fringe))
    if sensor.vignette > 0 or sensor.white_balance != CLEAN.white_balance:
        linear = _balance(
            linear, np.array(sensor.white_balance, np.float32), np.float32(sensor.vignette)
        )
    return linear


def add_noise(exposed: Array, sensor: Sensor) -> Array:
    """(H, W, 3) exposed light, 1 white, with the sensor's noise."""
    if sensor.shot <= 0 and sensor.read <= 0:
        return exposed
    random = np.random.default_rng([sensor.seed, 3])
    offsets = random.integers(0, 256, (2, 2)).astype(np.int64)
    return _noise(
        exposed, _grains(round(min(sensor.grain, 2.0) * 4)), offsets, np.float32(sensor.shot),
        np.float32(sensor.read), np.float32(sensor.colour_noise),
    )  # fmt: skip


def store(picture: NDArray[np.uint8], sensor: Sensor) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB as sharpened, shrunk and compressed by the camera."""
    height, width = picture.shape[:2]
    if sensor.resolution < 1:
        small = max(round(height * sensor.resolution), 8), max(round(width * sensor.resolution), 8)
        fine = enlarge(shrink(picture.astype(np.float32), *small), height, width)
        picture = np.floor(fine + 0.5).astype(np.uint8)
    if sensor.sharpen > 0:
        fine = picture.astype(np.float32)
        fine += np.float32(sensor.sharpen) * (fine - blur(fine, max(0.8, height / 220)))
        picture = np.floor(np.clip(fine, 0, 255) + 0.5).astype(np.uint8)
    if sensor.jpeg:
        quality = [cv2.IMWRITE_JPEG_QUALITY, sensor.jpeg]
        _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), quality)
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        picture = np.ascontiguousarray(np.asarray(decoded, np.uint8)[..., ::-1])
    return picture


@cache
def _grains(sigma_quarters: int) -> Array:
    """(256, 256, 4) noise of unit variance, a grey channel and three colours."""
    fine = np.random.default_rng([77, sigma_quarters]).standard_normal((256, 256, 4))
    smooth = blur(fine.astype(np.float32), sigma_quarters / 4)
    deviation = np.sqrt((smooth.astype(np.float64) ** 2).mean())
    return np.asarray(smooth / deviation, np.float32)


@numba.njit(cache=True, error_model="numpy")
def _noise(
    exposed: Array, grains: Array, offsets: NDArray[np.int64], shot: Number, read: Number,
    colour: Number,
) -> Array:  # fmt: skip
    height, width = exposed.shape[:2]
    out = np.empty_like(exposed)
    one = np.float32(1)
    grey_share, colour_share = np.sqrt(one - colour), np.sqrt(colour)
    for y in range(height):
        for x in range(width):
            grey = grains[(y + offsets[0, 0]) & 255, (x + offsets[0, 1]) & 255, 0]
            for k in range(3):
                own = grains[(y + offsets[1, 0]) & 255, (x + offsets[1, 1]) & 255, k + 1]
                level = max(exposed[y, x, k], np.float32(0))
                spread = np.sqrt(shot * shot * level + read * read)
                out[y, x, k] = level + spread * (grey_share * grey + colour_share * own)
    return out


@numba.njit(cache=True, error_model="numpy")
def _balance(linear: Array, factors: Array, vignette: Number) -> Array:
    height, width = linear.shape[:2]
    out = np.empty_like(linear)
    one, two = np.float32(1), np.float32(2)
    for y in range(height):
        v = (np.float32(y) + np.float32(0.5)) * two / np.float32(height) - one
        for x in range(width):
            u = (np.float32(x) + np.float32(0.5)) * two / np.float32(width) - one
            far = (u * u + v * v) * np.float32(0.5)
            keep = max(one - vignette * far, np.float32(0))
            for k in range(3):
                out[y, x, k] = linear[y, x, k] * factors[k] * keep
    return out


@numba.njit(cache=True, error_model="numpy")
def _fringe(linear: Array, amount: Number) -> Array:
    height, width = linear.shape[:2]
    out = linear.copy()
    half = np.float32(0.5)
    for y in range(height):
        for x in range(width):
            for k in (0, 2):
                grow = -amount if k == 0 else amount
                u = np.float32(x) + (np.float32(x) - np.float32(width) * half) * grow
                v = np.float32(y) + (np.float32(y) - np.float32(height) * half) * grow
                u = min(max(u, np.float32(0)), np.float32(width) - np.float32(1.01))
                v = min(max(v, np.float32(0)), np.float32(height) - np.float32(1.01))
                iu, iv = int(u), int(v)
                fu, fv = u - np.float32(iu), v - np.float32(iv)
                top = linear[iv, iu, k] + (linear[iv, iu + 1, k] - linear[iv, iu, k]) * fu
                low = (
                    linear[iv + 1, iu, k] + (linear[iv + 1, iu + 1, k] - linear[iv + 1, iu, k]) * fu
                )
                out[y, x, k] = top + (low - top) * fv
    return out
