"""The benchmark synfacs as aligned faces to learn from; docs/synfacs.md says what it is.

The tree on disk is what ``norface synth --benchmark synfacs-v1 --out DIR`` writes::

    DIR/train/truth.csv           a row a picture
    DIR/train/p000_wild_00.png    a picture, 256 x 256
    DIR/validation/..., DIR/test/...

Labels are exact: 52 facial actions (0 to 1) and 25 action units (0 to 5; whole, left, right). No
person is in two splits. The track ``few`` is the ten people of the train split that its table
marks, ``many`` all 200. `prepare` finds and aligns each face once and keeps the result in a file
outside of the benchmark.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface import facs
from norface.data.augment import centre
from norface.data.sample import DataError
from norface.data.shards import Shards
from norface.faces.align import align, geometry
from norface.faces.find import FaceFinder
from norface.faces.landmarks import FaceLandmarks
from norface.media.arrays import write_arrays
from norface.media.images import read_image
from norface.synthesis.shard_format import DEFAULT_CROP, original_size

SPLITS: Final = ("train", "validation", "test")
_TREE: Final = """\
DIR/{train,validation,test}/truth.csv
DIR/{train,validation,test}/p000_NAME.png
Render it with: norface synth --benchmark synfacs-v1 --out DIR
"""
_STRATUM: Final = "stratum_"
_SIZE: Final = original_size(DEFAULT_CROP)


@dataclass(frozen=True, slots=True, eq=False)
class SynfacsFaces:
    """The N faces of a split that were found, in the order of its table.

    Attributes:
        input: (N,) file names.
        original: (N, 160, 160, 3) uint8, as `norface.faces.align` frames a face.
        geometry: (N, 478, 3) float16, see `norface.faces.align.geometry`.
        actions: (N, 52) float16, 0 to 1.
        intensity: (N, A, 3) float16, 0 to 5: whole, left, right.
        person: (N,) int32, who is shown, counted from 0 within the split.
        few: (N,) bool, whether the person belongs to the track ``few``.
        pose: (N, 3) float16, pitch, yaw and roll in degrees.
        strata: factor -> (N,) its level where the picture takes part in the comparison, else "".
        missed: (M,) file names of the pictures in which no face was found.
    """

    input: NDArray[np.str_]
    original: NDArray[np.uint8]
    geometry: NDArray[np.float16]
    actions: NDArray[np.float16]
    intensity: NDArray[np.float16]
    person: NDArray[np.int32]
    few: NDArray[np.bool_]
    pose: NDArray[np.float16]
    strata: Mapping[str, NDArray[np.str_]]
    missed: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.input)

    def chosen(self, rows: NDArray[Any]) -> SynfacsFaces:
        """Some of the faces, by a mask or by numbers."""
        return SynfacsFaces(
            **{name: getattr(self, name)[rows] for name in _BY_FACE},
            strata={factor: level[rows] for factor, level in self.strata.items()},
            missed=self.missed,
        )

    def save(self, path: Path) -> None:
        """Write to an npz file, whole or not at all."""
        values = {name: getattr(self, name) for name in (*_BY_FACE, "missed")}
        values |= {_STRATUM + factor: level for factor, level in self.strata.items()}
        write_arrays(path, values)

    @classmethod
    def load(cls, path: Path) -> SynfacsFaces:
        """Read what `save` wrote.

        Raises:
            DataError: the file cannot be read.
        """
        try:
            with np.load(path, allow_pickle=False) as content:
                values = {name: content[name] for name in (*_BY_FACE, "missed")}
                strata = {
                    name.removeprefix(_STRATUM): content[name]
                    for name in content
                    if name.startswith(_STRATUM)
                }
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise DataError(path, f"cannot be read ({error}); delete it and start again") from error
        return cls(**values, strata=strata)


_BY_FACE: Final = (
    "input", "original", "geometry", "actions", "intensity", "person", "few", "pose",
)  # fmt: skip


def load_synfacs(
    root: Path, split: str, cache: Path, *, say: Callable[[str], None] = print
) -> SynfacsFaces:
    """The faces of a split: from ``cache/synfacs_SPLIT.npz``, or prepared and kept there.

    Raises:
        DataError: the benchmark or the file is missing or broken.
    """
    path = cache / f"synfacs_{split}.npz"
    if path.exists():
        return SynfacsFaces.load(path)
    faces = prepare(root, split, say=say)
    faces.save(path)
    return faces


def prepare(root: Path, split: str, *, say: Callable[[str], None] = print) -> SynfacsFaces:
    """Find and align every face of a split (about 30 ms each).

    Args:
        root: the benchmark's folder.
        split: one of `SPLITS`.
        say: told how it goes.

    Raises:
        ValueError: there is no such split.
        DataError: its table is missing or lacks something.
        ImageError: a picture is missing or damaged.
    """
    rows = _read_table(root, split)
    found: list[int] = []
    originals, shapes = [], []
    with FaceFinder() as finder:
        for number, row in enumerate(rows):
            picture = read_image(root / split / row["input"])
            face = _face(finder, picture)
            if face is not None:
                found.append(number)
                originals.append(align(picture, face.points, _SIZE).image)
                shapes.append(geometry(face.points))
            if (number + 1) % 500 == 0:
                say(f"{split}: {number + 1} of {len(rows)} pictures, {len(found)} faces")
    if not found:
        raise DataError(root / split, f"shows no face in any of its {len(rows)} pictures")
    kept = [rows[i] for i in found]
    people = sorted({row["person"] for row in rows})
    seen = set(found)
    factors = [name.removeprefix(_STRATUM) for name in rows[0] if name.startswith(_STRATUM)]
    return SynfacsFaces(
        input=np.array([row["input"] for row in kept]),
        original=np.stack(originals),
        geometry=np.stack(shapes).astype(np.float16),
        actions=_numbers(kept, facs.FACIAL_ACTIONS),
        intensity=_intensity(kept),
        person=np.array([people.index(row["person"]) for row in kept], np.int32),
        few=np.array([row["track_few"] == "1" for row in kept]),
        pose=_numbers(kept, ("pitch", "yaw", "roll")),
        strata={f: np.array([row[_STRATUM + f] for row in kept]) for f in factors},
        missed=np.array([row["input"] for i, row in enumerate(rows) if i not in seen], np.str_),
    )


def to_shards(
    faces: SynfacsFaces,
    targets: NDArray[np.uint8],
    *,
    paint: Callable[[NDArray[np.float32]], NDArray[np.uint8]] | None = None,
) -> Shards:
    """The faces as the training loops take them.

    Args:
        faces: of one split.
        targets: (T, 256, 256, 3) uint8 neutral target faces, index 0 the common face.
        paint: (52,) facial actions -> (128, 128, 3), the target of each face; None leaves it the
            neutral common face, for what does not learn from the target.
    """
    count = len(faces)
    neutral = centre(targets[0], DEFAULT_CROP)
    painted = (
        np.broadcast_to(neutral, (count, *neutral.shape))
        if paint is None
        else np.stack([paint(actions.astype(np.float32)) for actions in faces.actions])
    )
    pitch, yaw, roll = faces.pose.T
    return Shards(
        original=faces.original,
        geometry=faces.geometry,
        actions=faces.actions,
        intensity=faces.intensity,
        emotion=np.full(count, -1, np.int8),
        identity=faces.person,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        target=painted,
        target_id=np.zeros(count, np.int16),
        action_mask=np.ones((count, len(facs.FACIAL_ACTIONS)), bool),
        real=np.zeros(count, bool),
        folder=np.zeros(count, np.int16),
        targets=targets,
    )


def _face(finder: FaceFinder, picture: NDArray[np.uint8]) -> FaceLandmarks | None:
    """The one face; searched for only where a look at the whole picture does not find it."""
    face = finder.landmark_crop(picture)
    if face is None:
        face = next(iter(finder.find(picture)), None)
    return face


def _read_table(root: Path, split: str) -> list[dict[str, str]]:
    if split not in SPLITS:
        raise ValueError(f"there is no split {split!r}; there are {', '.join(SPLITS)}")
    table = root / split / "truth.csv"
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise DataError(table, f"cannot be read ({error.strerror})", _TREE) from error
    needed = {"input", "person", "track_few", "pitch", "yaw", "roll", *facs.FACIAL_ACTIONS}
    needed |= {f"{name}_r" for name in facs.ACTION_UNIT_NAMES}
    missing = sorted(needed - set(rows[0] if rows else ()))
    if missing:
        shown = ", ".join(missing[:5])
        raise DataError(table, f"lacks {shown}: rendered by another version?", _TREE)
    return rows


def _intensity(rows: list[dict[str, str]]) -> NDArray[np.float16]:
    """(N, A, 3): whole, left, right; a unit without sides has its whole intensity on both."""
    whole = _numbers(rows, [f"{name}_r" for name in facs.ACTION_UNIT_NAMES])
    sides = []
    for side in ("left", "right"):
        columns = [
            f"{name}_{side}_r" if name in facs.SIDED_ACTION_UNIT_NAMES else f"{name}_r"
            for name in facs.ACTION_UNIT_NAMES
        ]
        sides.append(_numbers(rows, columns))
    return np.stack([whole, *sides], axis=2)


def _numbers(rows: list[dict[str, str]], names: Any) -> NDArray[np.float16]:
    return np.array([[float(row[name]) for name in names] for row in rows], np.float16)
