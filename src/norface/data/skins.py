"""Skins of photos: what a face's surface looks like, without its light and its colour.

The landmarks of a portrait say where each texel of the unrolled head lies in the photo. What is
read there is divided by its own low frequencies, which are mostly light, so that a skin is a
*ratio* to the flat colour of whatever skin it is laid on: brows, folds, pores, freckles, lips. What
a photo does not show (side of the head, eyes, inside of the mouth) keeps its paint.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.faces.find import FaceFinder
from norface.faces.landmarks import FaceLandmarks
from norface.facs import ACTION_INDEX
from norface.media.images import ImageError, list_images, read_image
from norface.synthesis.body.canvas import canvas
from norface.synthesis.body.photo_skin import SKIN_SIZE, save_skins
from norface.synthesis.landmarks import landmark_places

MAX_YAW: Final = 14.0
"""Portraits turned further show too little of one side, degrees."""

MAX_EXPRESSION: Final = 0.5
"""Portraits whose teacher reads more of these would bring an expression's folds along."""

_EXPRESSIVE: Final = ("jawOpen", "browDownLeft", "browDownRight")
_SMILES: Final = ("mouthSmileLeft", "mouthSmileRight")
_OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
_EYES: Final = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
_INNER_LIPS: Final = (
    78,
    191,
    80,
    81,
    82,
    13,
    312,
    311,
    310,
    415,
    308,
    324,
    318,
    402,
    317,
    14,
    87,
    178,
    88,
    95,
)
_IRIS_FIRST: Final = 468


class SkinError(ValueError):
    """No skin can be taken."""


def prepare_skins(portraits: Sequence[Path], out: Path) -> int:
    """Take the skins of portraits; people whose skins are trained with are not for testing.

    Args:
        portraits: folders of photos, one face each, seen from the front.
        out: npz file to write.

    Returns:
        How many skins were taken.

    Raises:
        SkinError: no portrait was usable.
    """
    ratios, weights, smiles = [], [], []
    with FaceFinder() as finder:
        for path in list_images(list(portraits)):
            try:
                image = read_image(path)
            except ImageError:
                continue
            face = finder.landmark_crop(image)
            if face is None or abs(face.pose.yaw) > MAX_YAW:
                continue
            if max(face.blendshapes[ACTION_INDEX[n]] for n in _EXPRESSIVE) > MAX_EXPRESSION:
                continue
            ratio, weight = unproject(image, face)
            ratios.append(ratio)
            weights.append(weight)
            smiles.append(np.mean([face.blendshapes[ACTION_INDEX[n]] for n in _SMILES]))
    if not ratios:
        raise SkinError(f"no usable portrait among {', '.join(map(str, portraits))}")
    save_skins(out, np.stack(ratios), np.stack(weights), np.array(smiles, np.float32))
    return len(ratios)


def unproject(
    image: NDArray[np.uint8], face: FaceLandmarks, size: int = SKIN_SIZE
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The skin of one photo on the unrolled head.

    Args:
        image: (H, W, 3) uint8 RGB.
        face: its landmarks.
        size: side of the result.

    Returns:
        (size, size, 3) ratio to the flat colour, and (size, size) weight, 0 where unseen.
    """
    from scipy.interpolate import LinearNDInterpolator

    corner, share = landmark_places()
    texels = (canvas(size).uv[corner] * share[..., None]).sum(axis=1)[:_IRIS_FIRST]
    places = np.asarray(face.points[:_IRIS_FIRST, :2], np.float64)
    usable = ~np.isnan(texels).any(axis=1)
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1)
    where = LinearNDInterpolator(texels[usable], places[usable])(grid)
    inside = ~np.isnan(where[..., 0])
    where = np.nan_to_num(where, nan=-1e4).astype(np.float32)
    seen = cv2.remap(image, where[..., 0], where[..., 1], cv2.INTER_LINEAR).astype(np.float32) / 255
    linear = np.where(seen <= 0.04045, seen / 12.92, ((seen + 0.055) / 1.055) ** 2.4)

    weight = _mask(texels, size) * inside
    log = np.log(linear + 0.01)
    low = _blur(log, weight, size / 14)
    middle = low - _blur(log, weight, size / 5)
    # Light comes from one side, a face's own shades from both: keep what both sides share.
    even = 0.5 * (middle + middle[:, ::-1])
    ratio = np.exp(0.8 * (log - low) + 0.35 * even)
    ratio /= np.median(ratio[weight > 0.5], axis=0)
    return ratio.clip(0.12, 1.8).astype(np.float32), weight.astype(np.float32)


def _mask(texels: NDArray[np.float64], size: int) -> NDArray[np.float32]:
    """1 on the face, falling to 0 towards its outline, in the eyes and between the lips."""
    mask = np.zeros((size, size), np.float32)
    oval = texels[list(_OVAL)]
    cv2.fillPoly(mask, [oval[~np.isnan(oval).any(1)].astype(np.int32)], 1.0)
    for hole in (*_EYES, _INNER_LIPS):
        outline = texels[list(hole)]
        cv2.fillPoly(mask, [outline[~np.isnan(outline).any(1)].astype(np.int32)], 0.0)
    near = cv2.erode(mask, np.ones((max(size // 64, 1),) * 2))
    # Eyes and lips need a narrow seam, the face's outline a wide one.
    holes = cv2.dilate(1 - mask, np.ones((3, 3)))
    outline = np.zeros_like(mask)
    cv2.fillPoly(outline, [oval[~np.isnan(oval).any(1)].astype(np.int32)], 1.0)
    wide = cv2.GaussianBlur(
        cv2.erode(outline, np.ones((size // 12,) * 2), borderValue=0), (0, 0), size / 28
    )
    narrow = cv2.GaussianBlur(near, (0, 0), size / 170) * (1 - holes)
    return np.asarray(np.minimum(narrow, wide), np.float32)


def _blur(
    values: NDArray[np.float32], weight: NDArray[np.float32], sigma: float
) -> NDArray[np.float32]:
    """Gaussian blur of (S, S, 3) that ignores what has no weight."""
    top = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma)
    return np.asarray(top / (cv2.GaussianBlur(weight, (0, 0), sigma)[..., None] + 1e-4))
