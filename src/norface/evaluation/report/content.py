"""A report as plain values, for results.json."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

import norface
from norface.evaluation.people import Shares
from norface.evaluation.people_compared import People
from norface.evaluation.predictions import Predictions
from norface.evaluation.published import published, published_source
from norface.evaluation.report.about import About, label_digest
from norface.evaluation.scores import Figure, Scores
from norface.evaluation.worst import Worst


def content(
    scores: Scores,
    about: About,
    shares: Mapping[str, Mapping[str, Shares]],
    worst: Sequence[Worst],
    people: People | None = None,
) -> dict[str, Any]:
    """Everything in the report; undefined numbers are None."""
    p = scores.predictions
    whole: dict[str, Any] = {
        "norface": norface.__version__,
        "about": {**asdict(about), "labels_sha256": label_digest(p)},
        "task": p.task,
        "frames": {
            "all": len(p),
            "scored": scores.scored,
            "without_reading": int(p.missing.sum()),
            "without_label": int(np.isnan(p.truth).all(axis=1).sum()),
        },
        "subjects": scores.subjects if p.has_subjects else None,
        "folds": list(scores.folds),
        "thresholds": _thresholds(p) if p.task == "presence" else None,
        "overall": _figures(scores.overall),
        "pooled": dict(scores.pooled),
        "by_fold": {str(fold): dict(values) for fold, values in scores.by_fold.items()},
        "labels": {label: _figures(values) for label, values in scores.labels.items()},
        "counts": {label: dict(counts) for label, counts in scores.counts.items()},
        "by_subject": dict(scores.by_subject),
        "confusion": None if scores.confusion is None else scores.confusion.tolist(),
        "reliability": None
        if scores.reliability is None
        else {name: getattr(scores.reliability, name).tolist()
              for name in ("edges", "count", "probability", "frequency")},
        "levels": None if scores.levels is None else scores.levels.tolist(),
        "people": {
            variant: {label: asdict(one) for label, one in labels.items()}
            for variant, labels in shares.items()
        },
        "people_mean": {}
        if people is None
        else {"person": _figures(people.mean), "change": _figures(people.change)},
        "worst": [
            {
                "path": str(p.path[w.row]),
                "frame": int(p.frame[w.row]) if p.frame[w.row] >= 0 else None,
                "subject": str(p.subject[w.row]),
                "loss": w.loss,
                "read": list(w.words),
            }
            for w in worst
        ],
        "published": {
            "source": published_source(),
            "figures": [asdict(row) for row in published(about.protocol)],
        },
    }  # fmt: skip
    return plain(whole)  # type: ignore[no-any-return]


def _thresholds(p: Predictions) -> dict[str, dict[str, float]]:
    """By fold and label: those of the fold's first frame."""
    folds, first = np.unique(p.fold, return_index=True)
    return {
        str(fold): dict(zip(p.labels, p.threshold[row].tolist(), strict=True))
        for fold, row in zip(folds, first, strict=True)
    }


def _figures(figures: Mapping[str, Figure]) -> dict[str, dict[str, Any]]:
    return {name: asdict(figure) for name, figure in figures.items()}


def plain(value: Any) -> Any:
    """JSON has no NaN, and needs no more than six digits."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.6g}")
    return value
