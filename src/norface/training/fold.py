"""One fold of a data set to learn from: samples and faces, and nobody of its test part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from norface.data.catalog import read_data_set
from norface.data.labelled_samples import LabelledSamples, label_samples
from norface.data.prepared import PreparedFaces, picture_name, read_prepared
from norface.data.protocols import Division, LeakError, Protocol, protocol
from norface.data.sample import DataError, DataSet, Sample
from norface.media.images import read_image
from norface.models.checkpoint import learned_from
from norface.runtime.normalizer import TARGET_FILE
from norface.runtime.places import DEFAULT_WEIGHTS
from norface.training.fold_config import FoldConfig


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """The samples of a fold that have a face.

    Attributes:
        protocol: what divides.
        division: who is learned from and who is tested on.
        faces: of the whole set.
        samples: N to learn from or to choose by.
        rows: (N,) their numbers in `faces`.
        training: numbers of the samples to learn from.
        validation: of those to choose by.
        without_face: how many were left out for want of a face.
    """

    protocol: Protocol
    division: Division
    faces: PreparedFaces
    samples: tuple[Sample, ...]
    rows: NDArray[np.int64]
    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    without_face: int

    @property
    def said(self) -> str:
        """The fold in a line."""
        people = {s.subject for s in self.samples} - {""}
        tested = len(self.division.held_out)
        return (
            f"{self.protocol.name}, {self.division.name}: {len(self.training)} samples to learn "
            f"from, {len(self.validation)} to choose by ({len(people)} people), "
            f"{self.without_face} without a face; {tested} people are kept for the test"
        )

    @property
    def notes(self) -> dict[str, Any]:
        """What a checkpoint says of its data."""
        about = {"protocol": self.protocol.name, "name": self.division.name}
        return {"fold": about | {"without_face": self.without_face}}

    def learned_from(self, *checkpoints: Path | None) -> dict[str, list[str]]:
        """Data set -> people whom a network of this fold learns from.

        Args:
            checkpoints: what it starts from or builds on.

        Raises:
            LeakError: one of those learned from somebody whom this fold tests on.
        """
        known = learned_from(*checkpoints)
        tested = self.protocol.test_set or self.protocol.data_set
        leaked = sorted(self.division.held_out & set(known.get(tested, ())))
        if leaked:
            raise LeakError(
                f"{self.division.name}: a checkpoint that is built on learned from "
                f"{', '.join(leaked)}, who are tested on. Train it on the same fold"
            )
        own = self.protocol.data_set
        people = {s.subject for s in self.samples} - {""} | set(known.get(own, ()))
        return known | {own: sorted(people)}

    def labelled(self) -> LabelledSamples:
        """The samples with their labels, as classification learns from them."""
        target = read_image(DEFAULT_WEIGHTS / TARGET_FILE)
        return label_samples(
            self.protocol, self.samples, self.faces, self.rows, targets=target[None]
        )


def open_fold(config: FoldConfig, *, held_out: float, seed: int) -> Fold:
    """Read the labels of a data set, divide it, and open its faces.

    Where a protocol has no validation part, people are taken for it from the training part, or
    whole sequences where a set does not name people (ours).

    Args:
        config: which fold of which set.
        held_out: share of the training part to choose by.
        seed: chooses the sequences.

    Raises:
        DataError: the set is not as it was delivered, or has not this fold.
        FaceFolderError: its faces are not prepared.
        LeakError: somebody of the test part would be learned from.
        ValueError: there is no such protocol.
    """
    assert config.protocol is not None
    assert config.root is not None
    assert config.faces is not None
    plan = protocol(config.protocol)
    missing = config.skip_missing
    data = read_data_set(plan.data_set, config.root, plan.variant, skip_missing=missing)
    test: DataSet | None = None
    if plan.test_set:
        assert config.test_root is not None
        test = read_data_set(
            plan.test_set, config.test_root, plan.test_variant, skip_missing=missing
        )
    division = _division(plan, data, test, config, held_out, seed)
    faces = read_prepared(config.faces, data)
    parts = [_with_face(part, faces, data) for part in (division.train, division.validation)]
    samples = tuple(sample for part in parts for sample, _ in part)
    division.refuse(samples)
    rows = np.array([row for part in parts for _, row in part], np.int64)
    split = len(parts[0])
    if not 0 < split < len(samples):
        raise DataError(data.root, f"has no faces to learn from or to choose by in {plan.name}")
    return Fold(
        protocol=plan,
        division=division,
        faces=faces,
        samples=samples,
        rows=rows,
        training=np.arange(split),
        validation=np.arange(split, len(samples)),
        without_face=len(division.train) + len(division.validation) - len(samples),
    )


def _division(
    plan: Protocol,
    data: DataSet,
    test: DataSet | None,
    config: FoldConfig,
    held_out: float,
    seed: int,
) -> Division:
    divisions = plan.divide(data, test, partial=config.partial)
    # A fold whose people are all missing is left out of a partial set.
    named = {division.name: division for division in divisions}
    division = named.get(f"fold {config.number}")
    if division is None and config.number == 1 and len(divisions) == 1:
        division = divisions[0]
    if division is None:
        raise DataError(data.root, f"has no fold {config.number} of {plan.name}")
    if not division.train:
        raise DataError(data.root, f"is only tested on in {plan.name}: there is nothing to learn")
    division = Division(
        name=division.name,
        train=_thinned(division.train, config.every),
        validation=division.validation,
        test=division.test,
        held_out=division.held_out,
    )
    if division.validation:
        return division
    people = {sample.subject for sample in division.train} - {""}
    if len(people) > 1:
        return division.with_validation(max(round(held_out * len(people)), 1))
    groups = sorted({_group(sample) for sample in division.train})
    count = max(round(held_out * len(groups)), 1)
    chosen = set(np.random.default_rng((seed, 11)).permutation(groups)[:count].tolist())
    return Division(
        name=division.name,
        train=tuple(s for s in division.train if _group(s) not in chosen),
        validation=tuple(s for s in division.train if _group(s) in chosen),
        test=division.test,
        held_out=division.held_out,
    )


def _group(sample: Sample) -> str:
    return sample.sequence or f"{sample.path}#{sample.frame}"


def _thinned(samples: Sequence[Sample], every: int) -> tuple[Sample, ...]:
    """Every so manieth sample of each sequence; what is in none stays."""
    counts: dict[tuple[str, str], int] = {}
    kept = []
    for sample in samples:
        clip = (sample.subject, sample.sequence)
        number = counts.get(clip, 0) if sample.sequence or sample.frame is not None else 0
        counts[clip] = number + 1
        if number % every == 0:
            kept.append(sample)
    return tuple(kept)


def _with_face(
    samples: Sequence[Sample], faces: PreparedFaces, data: DataSet
) -> list[tuple[Sample, int]]:
    named = ((sample, faces.row.get(picture_name(sample, data.root))) for sample in samples)
    return [(sample, row) for sample, row in named if row is not None]
