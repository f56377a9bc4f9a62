"""Augmentation of aligned faces, fast enough to feed a CPU loop (about 1 ms a face).

Synthetic faces are clean and photos are not: light, colour casts, compression, blur, tiny faces,
hands and glasses. Each sample draws its own mixture of those. No mirroring: the target's side must
stay the original's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class AugmentationConfig:
    """How strongly faces are varied; probabilities are per face.

    Attributes:
        rotation: largest rotation in degrees.
        scale: largest relative change of size.
        shift: largest shift as a share of the picture.
        colour: strength of brightness, contrast, gamma and colour casts; 0 leaves them alone.
        grayscale: probability of a grey picture.
        shading: probability of an added soft light and shadow.
        small: probability of a low-resolution face.
        smallest: width in pixels of the smallest low-resolution face.
        blur: probability of blur.
        noise: probability of sensor noise.
        compression: probability of JPEG artefacts.
        occlusion: probability that something covers a part.
    """

    rotation: float = 8.0
    scale: float = 0.08
    shift: float = 0.04
    colour: float = 1.0
    grayscale: float = 0.15
    shading: float = 0.35
    small: float = 0.25
    smallest: int = 24
    blur: float = 0.25
    noise: float = 0.35
    compression: float = 0.35
    occlusion: float = 0.3

    def __post_init__(self) -> None:
        for name in ("grayscale", "shading", "small", "blur", "noise", "compression", "occlusion"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in 0..1, not {getattr(self, name)}")
        if self.smallest < 8:
            raise ValueError(f"smallest must be at least 8, not {self.smallest}")


def augment(
    image: UInt8Image, rng: np.random.Generator, config: AugmentationConfig, *, size: int = 128
) -> UInt8Image:
    """One variation of a face.

    Args:
        image: (S, S, 3) uint8 RGB.
        rng: source of chance; equal generators give equal pictures.
        config: how strongly.
        size: width and height of the result.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    dice = rng.random(8)
    out = _warp(image, rng, config, size)
    if dice[0] < config.occlusion:
        out = _occlude(out, rng)
    if config.colour > 0:
        out = _recolour(out, rng, config.colour, grey=dice[1] < config.grayscale)
    if dice[2] < config.shading:
        out = _shade(out, rng)
    if dice[3] < config.blur:
        out = _blur(out, rng)
    if dice[4] < config.small:
        # Log-uniform: halving matters as much at 24 pixels as at 128.
        width = round(config.smallest * (size / config.smallest) ** rng.random())
        out = centre(out, width)
        if dice[6] < config.compression:
            out = _compress(out, rng, lowest=40)
        mode = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR
        out = np.asarray(cv2.resize(out, (size, size), interpolation=mode), np.uint8)
    elif dice[6] < config.compression:
        out = _compress(out, rng, lowest=15)
    if dice[5] < config.noise:
        out = _noise(out, rng)
    return np.ascontiguousarray(out, np.uint8)


def centre(image: UInt8Image, size: int = 128) -> UInt8Image:
    """The face without variation: (S, S, 3) uint8 -> (size, size, 3) uint8.

    Pixels are averaged when shrinking; enlarging is bicubic.
    """
    how = cv2.INTER_AREA if size <= image.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (size, size), interpolation=how), np.uint8)


def geometry_noise(
    geometry: NDArray[np.floating], rng: np.random.Generator, sigma: float = 0.012
) -> NDArray[np.float32]:
    """Landmarks (478, 3) moved a little, as the landmarker's own error would move them.

    Half of the error is smooth (a slight scale and shear of the whole face), half is per point.
    """
    shear = np.eye(3, dtype=np.float32) + rng.normal(0, sigma, (3, 3)).astype(np.float32)
    jitter = rng.standard_normal(geometry.shape, np.float32) * np.float32(sigma / 2)
    return geometry.astype(np.float32) @ shear + jitter


def _warp(
    image: UInt8Image, rng: np.random.Generator, config: AugmentationConfig, size: int
) -> UInt8Image:
    u = rng.uniform(-1.0, 1.0, 6)
    # Small angles are more frequent: the square keeps the sign.
    angle = np.deg2rad(config.rotation) * u[0] * abs(u[0])
    zoom = size / image.shape[0]
    sx = zoom * (1.0 + config.scale * u[1])
    sy = sx * (1.0 + 0.5 * config.scale * u[2])
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos * sx, -sin * sy], [sin * sx, cos * sy]])
    old = np.full(2, image.shape[0] / 2)
    new = np.full(2, size / 2) + config.shift * size * u[3:5]
    matrix = np.column_stack([linear, new - linear @ old])
    border = cv2.BORDER_REFLECT_101 if u[5] < 0 else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border),
        np.uint8,
    )


def _recolour(
    image: UInt8Image, rng: np.random.Generator, strength: float, *, grey: bool
) -> UInt8Image:
    u = rng.uniform(-1.0, 1.0, 12) * strength
    saturation = 0.0 if grey else 1.0 + 0.5 * u[0]
    luma = np.array([0.299, 0.587, 0.114])
    mix = saturation * np.eye(3) + (1.0 - saturation) * np.tile(luma, (3, 1))
    if not grey:
        mix += 0.04 * rng.uniform(-1.0, 1.0, (3, 3)) * strength
    image = np.asarray(cv2.transform(image, mix), np.uint8)
    x = np.linspace(0.0, 1.0, 256)[:, None]
    gamma = np.exp(0.45 * u[1] + (0.0 if grey else 0.08) * u[2:5])
    gain = np.exp(0.3 * u[5] + (0.0 if grey else 0.12) * u[6:9])
    table = x**gamma * gain
    contrast = 1.0 + 0.4 * u[9]
    table = (table - 0.5) * contrast + 0.5 + 0.15 * u[10]
    lut = (np.clip(table, 0.0, 1.0) * 255.0).astype(np.uint8)[None]
    return np.asarray(cv2.LUT(image, lut), np.uint8)


def _shade(image: UInt8Image, rng: np.random.Generator) -> UInt8Image:
    """Multiply by a soft pattern of light: a lamp from a side, a hat's shadow."""
    cells = int(rng.integers(2, 5))
    light = np.exp(rng.uniform(-0.9, 0.55, (cells, cells, 1)).repeat(3, axis=2))
    if rng.random() < 0.3:
        light *= np.exp(rng.uniform(-0.15, 0.15, (cells, cells, 3)))
    size = (image.shape[1], image.shape[0])
    pattern = cv2.resize(light.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.multiply(image, pattern, dtype=cv2.CV_8U), np.uint8)


def _blur(image: UInt8Image, rng: np.random.Generator) -> UInt8Image:
    sigma = float(rng.uniform(0.4, 2.2)) * image.shape[0] / 128
    if rng.random() < 0.7:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    # Motion: a short line at any angle.
    length = 3 + 2 * int(sigma * 2)
    kernel = np.zeros((length, length), np.float32)
    angle, half = rng.uniform(0, np.pi), length / 2 - 0.5
    step = np.array([np.cos(angle), np.sin(angle)]) * half
    first, last = np.round(half - step).astype(int), np.round(half + step).astype(int)
    cv2.line(kernel, tuple(map(int, first)), tuple(map(int, last)), 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


@cache
def _noise_bank() -> NDArray[np.float32]:
    """Drawn once: drawing 49,000 normal values costs more than the rest of an augmentation."""
    return np.random.default_rng(0).standard_normal((512, 512, 3), np.float32)


def _noise(image: UInt8Image, rng: np.random.Generator) -> UInt8Image:
    bank = _noise_bank()
    size = image.shape[0]
    y, x = rng.integers(0, len(bank) - size, 2)
    noise = bank[y : y + size, x : x + size]
    if rng.random() < 0.4:
        noise = np.repeat(noise[..., :1], 3, axis=2)
    sigma = float(rng.uniform(2.0, 14.0))
    return np.asarray(
        cv2.scaleAdd(noise, sigma, image.astype(np.float32)).clip(0, 255), np.float32
    ).astype(np.uint8)


def _compress(image: UInt8Image, rng: np.random.Generator, *, lowest: int) -> UInt8Image:
    quality = int(rng.integers(lowest, 90))
    # The channel order (RGB read as BGR) only swaps the quantization of colour: irrelevant here.
    _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)


def _occlude(image: UInt8Image, rng: np.random.Generator) -> UInt8Image:
    """Cover a part: a box, an ellipse (a hand, a microphone), or a bar (hair, a frame)."""
    size = image.shape[0]
    out = image.copy()
    kind = int(rng.integers(0, 3))
    colour = tuple(int(c) for c in rng.integers(0, 256, 3))
    if rng.random() < 0.5:
        # Skin-coloured or of the picture's own tones: harder than any random colour.
        y, x = rng.integers(0, size, 2)
        colour = tuple(int(c) for c in image[y, x])
    centre_xy = tuple(int(c) for c in rng.integers(0, size, 2))
    width, height = (int(v) for v in rng.uniform(0.08, 0.4, 2) * size)
    if kind == 0:
        x, y = centre_xy[0] - width // 2, centre_xy[1] - height // 2
        cv2.rectangle(out, (x, y), (x + width, y + height), colour, -1)
    elif kind == 1:
        angle = float(rng.uniform(0, 180))
        axes = (max(width // 2, 1), max(height // 2, 1))
        cv2.ellipse(out, centre_xy, axes, angle, 0.0, 360.0, colour, -1)
    else:
        other = tuple(int(c) for c in rng.integers(0, size, 2))
        cv2.line(out, centre_xy, other, colour, int(rng.integers(2, max(size // 10, 3))))
    return out
