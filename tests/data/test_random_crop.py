from __future__ import annotations

import numpy as np

from norface.data.face_pictures import Framed
from norface.data.random_crop import random_resized_crop


def test_the_share_of_the_frame_is_as_asked_for() -> None:
    # Red is the column, green the row: a crop says where it is from.
    y, x = np.mgrid[0:80, 0:80].astype(np.uint8)
    face = Framed(np.dstack([x, y, np.zeros_like(x)]), room=8)
    rng = np.random.default_rng(0)
    shares, ratios, mirrored, lowest = [], [], 0, 80.0
    for _ in range(300):
        crop = random_resized_crop(face, rng, size=32, scale=(0.5, 1.0)).astype(float)
        width = (crop[:, -1, 0] - crop[:, 0, 0]).mean() * 32 / 31
        height = (crop[-1, :, 1] - crop[0, :, 1]).mean() * 32 / 31
        mirrored += width < 0
        shares.append(abs(width) * height / 64**2)
        ratios.append(abs(width) / height)
        lowest = min(lowest, crop[..., 0].min())
    assert 0.45 < min(shares) < 0.55
    assert 0.95 < max(shares) < 1.06
    assert 0.70 < min(ratios) < max(ratios) < 1.43
    assert 110 < mirrored < 190
    assert lowest < 4
    again = [random_resized_crop(face, np.random.default_rng(5), size=40) for _ in range(2)]
    assert np.array_equal(*again)
    assert again[0].shape == (40, 40, 3)
