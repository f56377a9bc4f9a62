"""Pictures in, as plain RGB arrays, whatever users have; and pictures out."""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from norface.media.half_written import part_beside

UInt8Image = NDArray[np.uint8]

MAXIMUM_PIXELS: Final = 178_000_000
"""Larger pictures are refused by their header, before anything is decoded."""

SUFFIXES: Final = frozenset(
    {".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png",
     ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)  # fmt: skip
"""What counts as a picture in a folder."""

# Pillow knows more, some of which starts other programs (EPS) or is no picture of a camera.
_FORMATS: Final = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")

_FOREIGN: Final = (
    # (offset, bytes, what it is)
    (4, b"ftypheic", "an HEIC photo, which cannot be read here"),
    (4, b"ftypheix", "an HEIC photo, which cannot be read here"),
    (4, b"ftypmif1", "an HEIF photo, which cannot be read here"),
    (4, b"ftyp", "a video or another media file, not a picture"),
    (0, b"%PDF", "a PDF document, not a picture"),
    (0, b"%!PS", "a PostScript file, not a picture"),
)
_WHITE: Final = 255
_filters_lock = threading.Lock()


class ImageError(ValueError):
    """A picture cannot be read or written; the message names it, the reason and the remedy."""


def read_image(path: str | os.PathLike[str]) -> UInt8Image:
    """Read a picture file.

    The rotation that a camera noted is applied, transparency is laid over white, deeper colours
    are reduced to 8 bits, and of an animation the first frame is taken.

    Args:
        path: of a picture in one of the usual formats (`SUFFIXES`); the content counts, not the
            name.

    Returns:
        (H, W, 3) uint8 RGB, contiguous and writable.

    Raises:
        ImageError: when the file is missing, empty, damaged, no picture, or larger than
            `MAXIMUM_PIXELS`.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder. Name a picture file.")
        if not path.exists():
            raise ImageError(f"{path} does not exist. Check its name.")
        if not path.is_file():
            raise ImageError(f"{path} is not a regular file. Name a picture file.")
        if path.stat().st_size == 0:
            raise ImageError(f"{path} is empty (0 bytes). Copy the picture again.")
        with path.open("rb") as file:
            image = _opened(file, path)
            with image:
                return _to_rgb(image, str(path))
    except (OSError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{path} cannot be opened ({reason}).") from error


def to_rgb_array(picture: NDArray[np.generic] | Image.Image) -> UInt8Image:
    """Bring a picture in memory to the form that `read_image` gives.

    Args:
        picture: a PIL image, or an array (H, W), (H, W, 1), (H, W, 2) with alpha, (H, W, 3) in
            RGB order or (H, W, 4) with alpha; uint8, uint16 over its full range, bool, or floats
            in 0..1.

    Returns:
        (H, W, 3) uint8 RGB, contiguous; the array itself where it has this form already.

    Raises:
        ImageError: when it has another shape or type, is empty, or has values out of range.
    """
    if isinstance(picture, Image.Image):
        return _to_rgb(picture, "The picture")
    array = np.asarray(picture)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4):
        raise ImageError(
            f"The picture has the shape {np.shape(picture)}. Give an array of shape (H, W), "
            "(H, W, 3) or (H, W, 4)."
        )
    if 0 in array.shape:
        raise ImageError(f"The picture has no pixels (shape {np.shape(picture)}).")
    pixels = _to_8_bits(array)
    if pixels.shape[2] in (2, 4):
        alpha = pixels[:, :, -1:].astype(np.uint16)
        over = pixels[:, :, :-1] * alpha + _WHITE * (255 - alpha)
        pixels = ((over + 127) // 255).astype(np.uint8)
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels)


def list_images(
    paths: Iterable[str | os.PathLike[str]], *, suffixes: Collection[str] = SUFFIXES
) -> list[Path]:
    """The pictures that files and folders name.

    Args:
        paths: a file is taken whatever its name is, and so is a path that does not exist, which
            `read_image` then explains; a folder gives the pictures in it and in its subfolders,
            sorted, without hidden ones.
        suffixes: what counts as a picture in a folder, in lower case.

    Raises:
        OSError: when a folder cannot be read.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found.extend(_pictures_below(path, suffixes))
        else:
            found.append(path)
    return found


def write_image(path: str | os.PathLike[str], image: object) -> None:
    """Write a picture whole or not at all; an existing file is replaced.

    Args:
        path: its suffix names the format (.png, .jpg, ...); its folder must exist.
        image: anything that `to_rgb_array` takes.

    Raises:
        ImageError: when the suffix names no format, or ``image`` is no picture.
        OSError: when the folder cannot be written to.
    """
    path = Path(path)
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind not in _FORMATS:
        raise ImageError(f"{path} has no suffix that names a picture format. Use .png or .jpg.")
    pixels = to_rgb_array(image)  # type: ignore[arg-type]
    # The lightest compression of PNG takes a third of the time for a sixth more bytes.
    options = {"JPEG": {"quality": 95}, "WEBP": {"quality": 95}, "PNG": {"compress_level": 1}}
    part = part_beside(path)
    try:
        with part.open("xb") as file:
            Image.fromarray(pixels).save(file, kind, **options.get(kind, {}))
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _opened(file: object, path: Path) -> Image.Image:
    try:
        # Pillow warns of large pictures that are still allowed here.
        with _filters_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(file, formats=_FORMATS)  # type: ignore[arg-type]
    except UnidentifiedImageError as error:
        raise ImageError(f"{path} is {_what_it_is(path)}. Give a JPEG or PNG picture.") from error
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large(path)) from error
    except Exception as error:
        # Damaged headers make Pillow's decoders raise whatever happens to them.
        raise ImageError(f"{path} is damaged ({error}). Save it again as JPEG or PNG.") from error
    if image.width * image.height > MAXIMUM_PIXELS:
        size = f"{image.width} x {image.height} pixels"
        image.close()
        raise ImageError(_too_large(path, size))
    return image


def _to_rgb(image: Image.Image, name: str) -> UInt8Image:
    if 0 in image.size:
        raise ImageError(f"{name} has no pixels.")
    try:
        image.load()
    except MemoryError as error:
        raise ImageError(f"{name} does not fit into memory. Shrink it first.") from error
    except Exception as error:
        # As for headers: decoders raise anything on damaged data.
        raise ImageError(
            f"{name} is damaged or cut short ({error}). Copy or save it again."
        ) from error
    with contextlib.suppress(Exception):
        # Unreadable camera notes do not make a picture unreadable.
        image = ImageOps.exif_transpose(image)
    try:
        if image.mode in ("I;16", "I;16B", "I;16L", "I;16N"):
            return to_rgb_array(np.asarray(image).astype(np.uint16))
        if image.mode in ("I", "F"):
            return to_rgb_array(_deep_to_8_bits(np.asarray(image)))
        if image.has_transparency_data:
            return to_rgb_array(np.array(image.convert("RGBA")))
        return to_rgb_array(np.array(image.convert("RGB")))
    except ImageError:
        raise
    except ValueError as error:
        raise ImageError(
            f"{name} has the colour mode {image.mode}, which cannot be read. Save it as RGB."
        ) from error


def _to_8_bits(array: NDArray[np.generic]) -> UInt8Image:
    if array.dtype == np.uint8:
        return array  # type: ignore[return-value]
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        values = array.astype(np.float32)
        if not (np.isfinite(values).all() and values.min() >= 0.0 and values.max() <= 1.0):
            raise ImageError(
                "The picture holds floats outside 0..1. Scale them to 0..1, or give uint8."
            )
        return (values * 255.0 + 0.5).astype(np.uint8)
    raise ImageError(
        f"The picture has the type {array.dtype}. Give uint8 (0..255), uint16 or floats in 0..1."
    )


def _deep_to_8_bits(values: NDArray[np.generic]) -> UInt8Image:
    """One channel of integers or floats of unknown range: 8 or 16 bits, or 0..1."""
    numbers = np.nan_to_num(values.astype(np.float64), nan=0.0)
    top = float(numbers.max())
    is_unit = np.issubdtype(values.dtype, np.floating) and top <= 1.0
    full = 1.0 if is_unit else 255.0 if top <= 255.0 else 65535.0
    return (np.clip(numbers / full, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def _pictures_below(folder: Path, suffixes: Collection[str]) -> list[Path]:
    found: list[Path] = []

    def fail(error: OSError) -> None:
        raise error

    for here, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found.extend(
            Path(here, name)
            for name in files
            if not name.startswith(".") and Path(name).suffix.lower() in suffixes
        )
    return sorted(found)


def _what_it_is(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError:
        return "not a picture"
    for offset, mark, what in _FOREIGN:
        if head[offset:].startswith(mark):
            return what
    if head.isascii() and all(byte >= 32 or byte in b"\t\n\r\f" for byte in head):
        return "a text file, not a picture"
    return "not a picture, or of an unknown format, or damaged at its beginning"


def _too_large(path: Path, size: str | None = None) -> str:
    return (
        f"{path} is too large{f' ({size})' if size else ''}: more than "
        f"{MAXIMUM_PIXELS // 1_000_000} megapixels are refused. Shrink it first."
    )
