"""Action units, emotions and the normalized face from a photo.

An open implementation of "Norface: Improving Facial Expression Analysis by Identity
Normalization" (ECCV 2024).

    from norface import Norface

    with Norface.load() as norface:
        for face in norface.analyze("photo.jpg"):
            print(face.emotion, face.action_units["AU12"].intensity)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from norface.media.images import ImageError
    from norface.results import ActionUnit, Box, FaceAnalysis, FrameAnalysis, Pose
    from norface.runtime.analyzer import Norface
    from norface.runtime.places import WeightsError

__version__ = "0.1.0"

__all__ = [
    "ActionUnit",
    "Box",
    "FaceAnalysis",
    "FrameAnalysis",
    "ImageError",
    "Norface",
    "Pose",
    "WeightsError",
    "__version__",
]

_HOME_OF = {
    "ActionUnit": "norface.results",
    "Box": "norface.results",
    "FaceAnalysis": "norface.results",
    "FrameAnalysis": "norface.results",
    "ImageError": "norface.media.images",
    "Norface": "norface.runtime.analyzer",
    "Pose": "norface.results",
    "WeightsError": "norface.runtime.places",
}


def __getattr__(name: str) -> Any:
    """Load a public name on its first use: importing norface itself costs nothing."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'norface' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
