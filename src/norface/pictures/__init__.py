"""Pictures and videos of what was read: slides, annotated frames, the common face alone."""

from norface.pictures.slide import HEIGHT, WIDTH, annotate

__all__ = ["HEIGHT", "WIDTH", "annotate"]
