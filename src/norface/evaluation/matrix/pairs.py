"""One model on one test set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import norface
from norface.data.prepared import MANIFEST, PreparedFaces
from norface.data.protocols import Division, LeakError, Protocol
from norface.data.sample import Sample
from norface.evaluation.matrix.abilities import Abilities
from norface.evaluation.matrix.cells import PREDICTIONS, Cell, Result, read_cell, write_cell
from norface.evaluation.matrix.plan import Model
from norface.evaluation.matrix.tested import Tested, same_people
from norface.evaluation.prediction_files import write_npz
from norface.evaluation.predictions import Predictions
from norface.evaluation.protocol_run import FaceReadings, FoldReading, read_protocol, refuse_learned
from norface.evaluation.report.about import About, file_digest
from norface.evaluation.report.tables import LABEL_METRIC
from norface.evaluation.report.write import write_report
from norface.evaluation.scores import score
from norface.runtime.sessions import Weights

_LAYOUT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A row of the matrix, opened.

    Attributes:
        model: what the plan says.
        weights: its folders, in the order of the folds.
        abilities: of the first of them.
        digest: SHA-256 of the files of all.
    """

    model: Model
    weights: tuple[Weights, ...]
    abilities: Abilities
    digest: str

    @classmethod
    def of(cls, model: Model) -> Opened:
        """Open the weights of a model.

        Raises:
            WeightsError: some are missing or damaged.
        """
        weights = tuple(Weights(each) for each in model.weights)
        digests = [file_digest(each.folder) for each in weights]
        digest = digests[0]
        if len(digests) > 1:
            digest = hashlib.sha256(" ".join(digests).encode()).hexdigest()
        return cls(model, weights, Abilities.of(weights[0]), digest)

    @property
    def trained_on(self) -> tuple[str, ...]:
        """Data sets that it learned from, as the weights and the plan say."""
        named = [name for each in self.weights for name in each.manifest.learned_from]
        return tuple(dict.fromkeys([*named, *self.model.trained_on]))


def run_pair(
    opened: Opened,
    tested: Tested,
    faces: PreparedFaces,
    folder: Path,
    *,
    say: Callable[[str], None],
    notes: Sequence[str] = (),
) -> Cell:
    """Test a model on a set, or take what an earlier run has found.

    Args:
        opened: the model.
        tested: the set.
        faces: of its samples.
        folder: of the pair.
        say: told how it goes.
        notes: for the reports.

    Raises:
        WeightsError: a network is damaged.
        PredictionsError: a network says what it may not.
        OSError: the folder cannot be written to.
    """
    own = tested.data.name in opened.trained_on
    try:
        folds = _who_reads(opened, tested, own=own)
    except LeakError as error:
        return Cell(state="refused", reason=str(error), own=own)
    key = _key(opened, tested, faces, folds, notes)
    known = read_cell(folder, key)
    if known is not None:
        say(f"{opened.model.name} on {tested.test.name}: done before")
        return known
    kept: dict[Path, FaceReadings] = {}
    tasks = [plan.task for plan, _ in tested.parts]

    def read(weights: Weights, part: Sequence[Sample]) -> FaceReadings:
        """All samples that these weights read, at once: several protocols share them."""
        if weights.folder not in kept:
            everything = tested.data.samples if len(set(folds)) == 1 else part
            found = FaceReadings.of(weights, faces, everything, tested.data.root, tasks=tasks)
            if len(set(folds)) > 1:
                return found
            kept[weights.folder] = found
        return kept[weights.folder]

    results = []
    for plan, divisions in tested.parts:
        shared = opened.abilities.shared(plan)
        lacking = tuple(label for label in plan.labels if label not in shared)
        if not shared:
            results.append(Result(protocol=plan.name, task=plan.task, labels=(), lacking=lacking))
            continue
        readings = [
            FoldReading(division, number if len(divisions) > 1 else 0, Path(source))
            for number, (division, source) in enumerate(zip(divisions, folds, strict=True), 1)
        ]
        predictions, _ = read_protocol(plan, readings, faces, tested.data, say=say, read=read)
        told = [*notes, f"Not read by the model: {', '.join(lacking)}."] if lacking else notes
        results.append(
            _scored(opened, tested, plan, predictions.only(shared), lacking, folder, told)
        )
    state = "done" if any(result.labels for result in results) else "none"
    cell = Cell(
        state=state,  # type: ignore[arg-type]  # one of the two
        own=own,
        notes=_words(opened, folds),
        results=tuple(results),
        key=key,
    )
    write_cell(cell, folder)
    return cell


def _scored(
    opened: Opened,
    tested: Tested,
    plan: Protocol,
    predictions: Predictions,
    lacking: tuple[str, ...],
    folder: Path,
    notes: Sequence[str],
) -> Result:
    """Write the report of one task."""
    scores = score(predictions)
    about = About(
        title=f"{plan.title}, read by {opened.model.name}",
        protocol=plan.name,
        model=", ".join(
            dict.fromkeys(f"{w.manifest.name} {w.manifest.version}" for w in opened.weights)
        ),
        model_sha256=opened.digest,
        data=f"{tested.data.name} {tested.data.variant}".strip(),
        data_sha256=tested.data.fingerprint(),
        notes=(f"Protocol: {plan.source}.", *notes),
    )
    out = folder / plan.name
    write_report(scores, out, about)
    write_npz(predictions, out / PREDICTIONS)
    metric = LABEL_METRIC[plan.task]
    return Result(
        protocol=plan.name,
        task=plan.task,
        labels=predictions.labels,
        lacking=lacking,
        folder=f"{folder.parent.parent.name}/{folder.parent.name}/{folder.name}/{plan.name}",
        frames=scores.scored,
        unread=int(predictions.missing.sum()),
        subjects=scores.subjects if predictions.has_subjects else None,
        overall=dict(scores.overall),
        by_label={label: figures[metric] for label, figures in scores.labels.items()},
    )


def _who_reads(opened: Opened, tested: Tested, *, own: bool) -> list[str]:
    """The weights that read each fold.

    Raises:
        LeakError: some learned from the tested people, or may have.
    """
    name, set_name = opened.model.name, tested.data.name
    divisions = max((parts for _, parts in tested.parts), key=len)
    folders = list(opened.model.weights)
    by_fold = own and len(folders) > 1 and len(folders) == len(divisions)
    chosen = folders if by_fold else folders[:1] * len(divisions)
    place = dict(zip(folders, opened.weights, strict=True))
    for folder, division in zip(chosen, divisions, strict=True):
        weights = place[folder]
        _refuse_people(weights, division, set_name)
        told = bool(weights.manifest.learned_from.get(set_name))
        if own and not (told or by_fold or tested.delivered):
            raise LeakError(
                f"{name} learned from {set_name} and does not say from whom, so the tested people "
                "may be among them. Give the weights of each fold, in order"
            )
    return chosen


def _refuse_people(weights: Weights, division: Division, set_name: str) -> None:
    for other in weights.manifest.learned_from:
        if same_people(other, set_name):
            refuse_learned(division, other, weights.manifest.learned_from, weights.folder)


def _words(opened: Opened, folds: Sequence[str]) -> tuple[str, ...]:
    if len(opened.weights) == 1:
        return ()
    if len(set(folds)) > 1:
        return ("each fold is read by the weights that did not learn from it",)
    return ("read by the first of its weights",)


def _key(
    opened: Opened,
    tested: Tested,
    faces: PreparedFaces,
    folds: Sequence[str],
    notes: Sequence[str],
) -> str:
    """Of everything that a cell depends on."""
    order = [opened.model.weights.index(each) for each in folds]
    plans = [
        (plan.name, plan.task, plan.labels, plan.active_from, [len(d.test) for d in divisions])
        for plan, divisions in tested.parts
    ]
    about = [
        _LAYOUT, norface.__version__, opened.model.name, opened.digest, order, opened.trained_on,
        tested.data.fingerprint(), plans, list(notes),
        hashlib.sha256((faces.folder / MANIFEST).read_bytes()).hexdigest(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()
