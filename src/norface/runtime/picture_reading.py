"""Many pictures read one after the other: searching the next and reading the last overlap."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from norface.faces.find import FaceFinder
from norface.media.images import read_image, to_rgb_array
from norface.media.video_threads import read_ahead
from norface.results import FaceAnalysis, UInt8Image
from norface.runtime.batching import in_batches
from norface.runtime.networks import FACES_AT_ONCE, Crop, FaceNetworks

Picture: TypeAlias = "str | PathLike[str] | NDArray[np.generic] | Image.Image"
ToCome: TypeAlias = "Callable[[], UInt8Image]"
"""A picture that is fetched when its turn has come; as `read_picture` gives it."""

_AHEAD: Final = 2
"""How many pictures are searched while others are read by the networks."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of a picture.

    Attributes:
        image: (H, W, 3) uint8 RGB; None unless asked for.
        size: width and height in pixels; 0 where it could not be read.
        faces: what was read from it, or why it could not be read.
    """

    image: UInt8Image | None
    size: tuple[int, int]
    faces: tuple[FaceAnalysis, ...] | Exception


def read_picture(picture: Picture) -> UInt8Image:
    """(H, W, 3) uint8 RGB of a file or of a picture in memory.

    Raises:
        ImageError: it cannot be read.
    """
    if isinstance(picture, (str, PathLike)):
        return read_image(Path(picture))
    return to_rgb_array(picture)


def read_pictures(
    pictures: Iterable[Picture | ToCome],
    finder: FaceFinder,
    networks: FaceNetworks,
    *,
    keep_images: bool = False,
) -> Generator[Outcome, None, None]:
    """What became of each picture, in their order.

    Args:
        pictures: taken one by one, in a thread.
        finder: finds their faces, in the same thread.
        networks: read them.
        keep_images: give the pictures back as well.
    """
    found = read_ahead(_found(pictures, finder, networks, keep_images), _AHEAD)
    # A batch waits for its faces, and pictures are too large to wait with them.
    at_once = 1 if keep_images else FACES_AT_ONCE
    with closing(found):
        for outcome, faces in in_batches(found, networks.read, faces=at_once):
            if isinstance(outcome.faces, Exception):
                yield outcome
            else:
                yield Outcome(outcome.image, outcome.size, faces)


def _found(
    pictures: Iterable[Picture | ToCome],
    finder: FaceFinder,
    networks: FaceNetworks,
    keep_images: bool,
) -> Generator[tuple[Outcome, Sequence[Crop]], None, None]:
    for picture in pictures:
        try:
            image = picture() if callable(picture) else read_picture(picture)
            crops = networks.crops(image, finder.find(image))
        except (Exception, MemoryError) as error:
            # Whatever one picture does to a library must not stop the others.
            yield Outcome(None, (0, 0), error), ()
        else:
            size = image.shape[1], image.shape[0]
            yield Outcome(image if keep_images else None, size, ()), crops
