"""The 68 landmarks of the iBUG scheme, which OpenFace and Py-Feat write, from the 478."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

LANDMARKS_68: Final = (
    # 0 to 16, the outline from the temple on the picture's left over the chin to the other.
    127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356,
    # 17 to 21 and 22 to 26, the brows from the picture's left to its right.
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    # 27 to 30, the ridge of the nose downwards; 31 to 35, under the nose.
    168, 197, 5, 4, 98, 97, 2, 326, 327,
    # 36 to 41 and 42 to 47, the eyes: the corner on the picture's left, over the upper lid.
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    # 48 to 59, the lips outside: the corner on the picture's left, over the upper lip.
    61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91,
    # 60 to 67, the lips inside, likewise.
    78, 81, 13, 311, 308, 402, 14, 178,
)  # fmt: skip
"""Which of the 478 stands for each of the 68; even steps along MediaPipe's own lines.

The outline is that of MediaPipe: on a turned head it lies nearer to the ear than iBUG's, whose
coders followed what is seen.
"""

_INDICES: Final = np.array(LANDMARKS_68, np.intp)


def landmarks_68(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """The 68 (68, 3) of a face's 478 landmarks (478, 3)."""
    return points[_INDICES]
