"""Real photos as training samples, labelled by MediaPipe's blendshapes as a teacher.

The tree on disk is any folder of portraits, one large face each (``DIR/NAME.jpg``); the file name
is the person. The teacher sees some facial actions only (`TRUSTED`); its scale differs from the
true one and is corrected by renders, on which the truth is known (`calibrate`). A target identity
is then rendered with the same facial actions, which makes a photo a paired sample like any other.

Which portraits train is up to the caller; norface's own default was trained on the collection
``us-house`` alone, while ``us-senate`` and ``canada`` were only ever looked at for its figures.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface import facs
from norface.data.shards import (
    ACTIONS,
    UNITS,
    ShardError,
    shard_paths,
    write_shard,
)
from norface.faces.align import align, geometry
from norface.faces.find import FaceFinder
from norface.faces.landmarks import FaceLandmarks
from norface.media.images import ImageError, list_images, read_image
from norface.synthesis.common_face import TARGET_COUNT, render_target
from norface.synthesis.shard_format import DEFAULT_CROP, original_size
from norface.synthesis.shards import write_targets

TRUSTED: Final = (
    "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "eyeBlinkLeft", "eyeBlinkRight",
    "jawOpen", "mouthPucker", "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft",
    "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
)  # fmt: skip
"""The facial actions that the teacher answers for.

Its gaze follows renders (r = 0.65 sideways, 0.15 upwards) but has a bias on photos: left out.
"""

_NOMINAL_MAXIMUM: Final = 0.85
"""What the teacher says of a real face that does all it can; its own training saw few ones."""

_UPPER_LIP, _LOWER_LIP = 13, 14
_LEVELS = np.linspace(0.0, 1.0, 6)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """From the teacher's scale to the true one.

    Attributes:
        response: (52, 6), what the teacher says when the action is truly at 0, 0.2, ..., 1;
            rising; NaN where it is not trusted.
        lip_gap: (6,), gap of the inner lips in units of `norface.faces.align.geometry` at the
            intensities 0, 1, ..., 5 of AU25; rising.
        correlation: (52,), of the teacher with the truth on renders.
    """

    response: NDArray[np.float64]
    lip_gap: NDArray[np.float64]
    correlation: NDArray[np.float64]

    def actions(self, blendshapes: NDArray[np.floating]) -> NDArray[np.float32]:
        """(52,) of the teacher -> (52,) facial actions in 0..1, 0 where it is not trusted."""
        out = np.zeros(ACTIONS, np.float32)
        for i in np.flatnonzero(~np.isnan(self.response[:, 0])):
            out[i] = np.interp(blendshapes[i], self.response[i], _LEVELS)
        return out

    def mask(self) -> NDArray[np.bool_]:
        """(52,), the actions that are trusted."""
        return np.asarray(~np.isnan(self.response[:, 0]))

    def intensity(
        self, actions: NDArray[np.floating], shape: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Action units (A, 3) in 0..5, NaN where blind, from actions (52,), geometry (478, 3)."""
        out = np.full((UNITS, 3), np.nan, np.float32)
        seen = self.mask()
        for a, unit in enumerate(facs.ACTION_UNITS):
            if unit.name == "AU25":
                out[a] = np.interp(lip_gap(shape), self.lip_gap, np.arange(6.0))
                continue
            sides = [
                [facs.ACTION_INDEX[name] for name in names] for names in (unit.left, unit.right)
            ]
            if all(seen[i] for side in sides for i in side):
                left, right = (float(np.mean(actions[side])) for side in sides)
                out[a] = np.array([(left + right) / 2, left, right]) * facs.MAXIMUM_INTENSITY
        return out

    def save(self, path: Path) -> None:
        """Write as JSON."""
        content = {
            "response": {
                name: self.response[i].round(4).tolist()
                for i, name in enumerate(facs.FACIAL_ACTIONS)
                if not np.isnan(self.response[i, 0])
            },
            "lip_gap": self.lip_gap.round(4).tolist(),
            "correlation": {
                name: round(float(self.correlation[i]), 3)
                for i, name in enumerate(facs.FACIAL_ACTIONS)
                if not np.isnan(self.correlation[i])
            },
        }
        path.write_text(json.dumps(content, indent=1) + "\n")


def lip_gap(shape: NDArray[np.floating]) -> float:
    """Distance of the inner lips in a geometry (478, 3)."""
    return float(np.linalg.norm(shape[_LOWER_LIP] - shape[_UPPER_LIP]))


def calibrate(renders: Sequence[Path], trusted: Sequence[str] = TRUSTED) -> Calibration:
    """Learn the teacher's scale from shards that hold its answers (``blendshapes``).

    The curve is the teacher's median answer to each true level, inverted later: a fit of the truth
    given the answer would shrink all labels by the teacher's noise. Where the teacher hardly
    answers to renders, its scale on them says little of photos; so the curve is drawn, by one
    minus its correlation with the truth, to the scale that the teacher was made for.

    Raises:
        ShardError: no shard holds ``blendshapes``.
    """
    true, said, gaps, parted = [], [], [], []
    for folder in renders:
        for path in shard_paths(folder):
            with np.load(path, allow_pickle=False) as content:
                if "blendshapes" not in content:
                    continue
                true.append(content["actions"].astype(np.float64))
                said.append(content["blendshapes"].astype(np.float64))
                gaps += [lip_gap(g) for g in content["geometry"].astype(np.float32)]
                parted.append(content["intensity"][:, facs.ACTION_UNIT_NAMES.index("AU25"), 0])
    if not true:
        raise ShardError(f"no shard in {', '.join(map(str, renders))} holds blendshapes")
    t, s = np.concatenate(true), np.concatenate(said)
    response = np.full((ACTIONS, len(_LEVELS)), np.nan)
    correlation = np.full(ACTIONS, np.nan)
    for i, name in enumerate(facs.FACIAL_ACTIONS):
        if np.isnan(s[:, i]).any() or t[:, i].std() < 1e-6:
            continue
        if s[:, i].std() > 1e-6:
            correlation[i] = np.corrcoef(t[:, i], s[:, i])[0, 1]
        if name in trusted:
            belief = float(np.clip(correlation[i], 0.0, 1.0))
            own = _curve(t[:, i], s[:, i], _LEVELS)
            response[i] = belief * own + (1.0 - belief) * _NOMINAL_MAXIMUM * _LEVELS
    opening = _curve(np.concatenate(parted).astype(np.float64), np.array(gaps), np.arange(6.0))
    return Calibration(response, opening, correlation)


def _curve(
    true: NDArray[np.float64], said: NDArray[np.float64], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Median of `said` around each level of `true`, made strictly rising."""
    half = (levels[1] - levels[0]) / 2
    medians = []
    for level in levels:
        near = np.abs(true - level) <= (0.05 * half if level == 0 else half)
        if near.sum() < 8:
            near = np.argsort(np.abs(true - level))[:8]
        medians.append(float(np.median(said[near])))
    rising = np.maximum.accumulate(medians)
    return np.asarray(rising + np.arange(len(levels)) * 1e-4)


def label(face: FaceLandmarks, calibration: Calibration) -> NDArray[np.float32]:
    """Facial actions (52,) that the teacher reads from a face, in the true scale."""
    return calibration.actions(np.nan_to_num(face.blendshapes))


def write_portrait_shards(
    photos: Sequence[Path],
    out: Path,
    calibration: Calibration,
    *,
    copies: int = 2,
    seed: int = 0,
    crop: int = DEFAULT_CROP,
    say: Callable[[str], None] = print,
) -> int:
    """Write a folder of shards with each photo `copies` times, on the common face first.

    Args:
        photos: files or folders; pictures without a face are named and left out.
        out: the folder.
        calibration: see `calibrate`.
        copies: how many targets each photo is paired with.
        seed: chooses the other targets.
        crop: side of the targets in pixels, as in `norface.synthesis.shards`.
        say: told how it goes.

    Returns:
        how many photos were used.
    """
    paths = list_images(list(photos))
    mask = calibration.mask()
    rng = np.random.default_rng(seed)
    rows: dict[str, list[NDArray[Any]]] = {}
    used = 0
    with FaceFinder() as finder:
        for number, path in enumerate(paths):
            try:
                picture = read_image(path)
            except ImageError as error:
                say(str(error))
                continue
            faces = finder.find(picture)
            if not faces:
                say(f"{path}: no face found")
                continue
            face = faces[0]
            used += 1
            shape = geometry(face.points)
            actions = label(face, calibration)
            others = 1 + rng.choice(TARGET_COUNT - 1, copies - 1, replace=False)
            for target in (0, *map(int, others)):
                row: dict[str, NDArray[Any]] = {
                    "original": align(picture, face.points, original_size(crop)).image,
                    "geometry": shape,
                    "actions": actions,
                    "intensity": calibration.intensity(actions, shape),
                    "emotion": np.array(-1),
                    # Beyond any synthetic person's number.
                    "identity": np.array((1 << 30) + number),
                    "yaw": np.array(face.pose.yaw),
                    "pitch": np.array(face.pose.pitch),
                    "roll": np.array(face.pose.roll),
                    "target": render_target(target, actions, crop),
                    "target_id": np.array(target),
                }
                for name, value in row.items():
                    rows.setdefault(name, []).append(value)
            if used % 50 == 0:
                say(f"{used} of {len(paths)} photos")
    if not used:
        raise ShardError(f"no face in {', '.join(map(str, photos))}")
    write_shard(
        out / "shard_0000.npz",
        action_mask=mask,
        **{name: np.stack(values) for name, values in rows.items()},
    )
    write_targets(out / "targets.npz")
    calibration.save(out / "calibration.json")
    return used
