"""What faces show in each emotion.

The prototypes are those of EMFACS (Ekman & Friesen, EMFACS-7: Emotional Facial Action Coding
System, 1983) as tabled in the FACS Investigator's Guide (Ekman, Friesen & Hager, 2002); the
unilateral contempt follows Ekman & Friesen, "A new pan-cultural facial expression of emotion",
Motivation and Emotion 10 (1986). How strong and how frequent each part is, is our estimate.
"""

from __future__ import annotations

from typing import Final

PROTOTYPES: Final[dict[str, dict[str, tuple[float, float]]]] = {
    "neutral": {},
    # 6+12
    "happiness": {
        "mouthSmile": (0.7, 1.0), "cheekSquint": (0.6, 0.85), "mouthUpperUp": (0.25, 0.4),
        "jawOpen": (0.25, 0.45), "eyeSquint": (0.3, 0.4), "mouthDimple": (0.2, 0.2),
    },
    # 1+4+15(+17), 1+4+11, 54+64
    "sadness": {
        "browInnerUp": (0.6, 0.9), "browDown": (0.35, 0.6), "mouthFrown": (0.6, 0.9),
        "mouthShrugLower": (0.5, 0.6), "eyeBlink": (0.25, 0.4), "eyeLookDown": (0.5, 0.4),
    },
    # 1+2+5+26
    "surprise": {
        "browInnerUp": (0.75, 0.95), "browOuterUp": (0.75, 0.95), "eyeWide": (0.6, 0.85),
        "jawOpen": (0.5, 0.85), "mouthFunnel": (0.2, 0.2),
    },
    # 1+2+4+5+20+25 or 26
    "fear": {
        "browInnerUp": (0.6, 0.9), "browOuterUp": (0.4, 0.6), "browDown": (0.45, 0.7),
        "eyeWide": (0.7, 0.9), "eyeSquint": (0.2, 0.2), "mouthStretch": (0.6, 0.8),
        "jawOpen": (0.3, 0.6), "mouthLowerDown": (0.3, 0.4),
    },
    # 9 or 10 (+15 or 16, +17)
    "disgust": {
        "noseSneer": (0.75, 0.9), "mouthUpperUp": (0.55, 0.8), "browDown": (0.4, 0.5),
        "mouthFrown": (0.35, 0.4), "mouthShrugLower": (0.4, 0.4), "eyeSquint": (0.4, 0.5),
        "mouthLowerDown": (0.3, 0.3),
    },
    # 4+5+7+23 or 24, or with an open mouth 10+25
    "anger": {
        "browDown": (0.8, 0.95), "eyeSquint": (0.5, 0.7), "eyeWide": (0.4, 0.3),
        "mouthPress": (0.6, 0.6), "noseSneer": (0.25, 0.25), "mouthFunnel": (0.3, 0.15),
        "mouthUpperUp": (0.3, 0.2), "mouthLowerDown": (0.3, 0.2), "jawForward": (0.3, 0.3),
        "mouthShrugLower": (0.4, 0.25),
    },
    # Unilateral 14 or 12
    "contempt": {
        "mouthSmileLeft": (0.35, 0.6), "mouthDimpleLeft": (0.75, 0.95), "mouthPress": (0.2, 0.2),
    },
}  # fmt: skip
"""Of each emotion: mean activation of each action, and the chance that a showing has it.

Actions are named without sides where both sides show them; the prototype of contempt is mirrored in
half of its showings.
"""
