"""Arrays in npz files: written whole, and read row by row."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.media.half_written import part_beside

_LOCAL_HEADER: Final = struct.Struct("<26xHH")
"""Of a file in a zip archive: 26 bytes, the lengths of its name and of its extra field."""


class ArrayFileError(ValueError):
    """A file of arrays is missing, damaged or of another kind."""


def write_arrays(path: Path, arrays: Mapping[str, Any], *, compressed: bool = False) -> None:
    """Write named arrays as one npz file, whole or not at all; its folder is made when missing.

    Args:
        path: the file; an existing one is replaced.
        arrays: arrays of numbers, truth values or text, by name.
        compressed: smaller, but `StoredArray` cannot read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_beside(path)
    save = np.savez_compressed if compressed else np.savez
    try:
        with part.open("xb") as stream:
            save(stream, **arrays)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array inside an uncompressed npz file, of which rows are read without the rest.

    Nothing is kept open: a data set of thousands of files needs no file descriptors, and a copy
    in another process costs nothing. The system's cache keeps what is read often.

    Attributes:
        path: the npz file.
        name: of the array in it.
        shape: (N, ...).
        dtype: of its values.
        offset: of its first byte in the file.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int

    @classmethod
    def find(cls, path: Path, name: str) -> StoredArray:
        """Where an array lies in a file.

        Raises:
            ArrayFileError: no such file or array, damaged, or compressed.
        """
        try:
            with zipfile.ZipFile(path) as archive, path.open("rb") as file:
                member = archive.getinfo(f"{name}.npy")
                if member.compress_type != zipfile.ZIP_STORED:
                    raise ArrayFileError(f"{path}: {name} is compressed; write the file again")
                file.seek(member.header_offset)
                lengths = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
                file.seek(sum(lengths), 1)
                version = np.lib.format.read_magic(file)
                read = (
                    np.lib.format.read_array_header_1_0
                    if version == (1, 0)
                    else np.lib.format.read_array_header_2_0
                )
                shape, fortran, dtype = read(file)
                if fortran or dtype.hasobject or not shape:
                    raise ArrayFileError(f"{path}: {name} cannot be read row by row")
                return cls(path, name, shape, dtype, file.tell())
        except ArrayFileError:
            raise
        except KeyError as error:
            raise ArrayFileError(f"{path} holds no array {name!r}") from error
        except (OSError, ValueError, zipfile.BadZipFile, struct.error, EOFError) as error:
            raise ArrayFileError(f"{path} cannot be read: {error}") from error

    def __len__(self) -> int:
        return self.shape[0]

    def row(self, index: int) -> NDArray[Any]:
        """Row ``index``, 0 to N - 1, in fresh memory.

        Raises:
            ArrayFileError: the file has become shorter or is gone.
            IndexError: there is no such row.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)} rows of {self.path}")
        count = int(np.prod(self.shape[1:], dtype=np.int64))
        start = self.offset + index * count * self.dtype.itemsize
        try:
            values = np.fromfile(self.path, self.dtype, count, offset=start)
        except OSError as error:
            raise ArrayFileError(f"{self.path} cannot be read: {error}") from error
        if len(values) < count:
            raise ArrayFileError(f"{self.path} is cut short: {self.name} lacks row {index}")
        return values.reshape(self.shape[1:])

    def read_into(self, index: int, out: NDArray[Any]) -> None:
        """Read row ``index`` into memory that is there: of its shape and type, contiguous.

        Raises:
            ArrayFileError: the file has become shorter or is gone.
            IndexError: there is no such row.
            ValueError: the memory is of another shape or type.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)} rows of {self.path}")
        fits = out.shape == self.shape[1:] and out.dtype == self.dtype
        if not (fits and out.flags.c_contiguous):
            raise ValueError(f"rows of {self.name} are contiguous {self.shape[1:]} {self.dtype}")
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(self.offset + index * out.nbytes)
                # A single read may end early, on some file systems.
                rest = out.reshape(-1).view(np.uint8).data
                while rest and (count := file.readinto(rest)):
                    rest = rest[count:]
        except OSError as error:
            raise ArrayFileError(f"{self.path} cannot be read: {error}") from error
        if rest:
            raise ArrayFileError(f"{self.path} is cut short: {self.name} lacks row {index}")
