"""How often a face gives its person away: a probe is compared with a gallery of known people."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from norface.evaluation.bootstrap import LEVEL, SubjectBootstrap
from norface.evaluation.scores import Figure

FloatArray = NDArray[np.float64]

FALSE_MATCHES: Final = 0.01
"""Share of pairs of two people that a verification lets pass."""


@dataclass(frozen=True, slots=True)
class Reidentification:
    """How well the people of probes are found in a gallery.

    All figures are means over the people of the probes, each person counting once; the intervals
    say how they would have come out with other people.

    Attributes:
        people: of the probes.
        probes: pictures.
        gallery: people of the gallery.
        chance: the rate of `first` if the answers were drawn at random.
        first: how often the right person is the most alike of the gallery.
        first_five: how often the right person is among the five most alike.
        above: how often the right person is more alike than another one drawn at random; this is
            the area under each probe's own ROC curve, 0.5 by chance.
        verified: how often a pair of one person passes a threshold that a hundredth of the pairs
            of two people pass; 0.01 by chance.
    """

    people: int
    probes: int
    gallery: int
    chance: float
    first: Figure
    first_five: Figure
    above: Figure
    verified: Figure


def reidentify(
    probes: NDArray[np.floating],
    probe_people: NDArray[np.str_],
    gallery: NDArray[np.floating],
    gallery_people: NDArray[np.str_],
    *,
    seed: int = 0,
) -> Reidentification:
    """Look for the person of each probe in a gallery of one picture a person.

    Args:
        probes: (P, D) embeddings of length 1; compared by cosine.
        probe_people: (P,) who they are.
        gallery: (G, D).
        gallery_people: (G,), each once.
        seed: of the intervals.

    Raises:
        ValueError: somebody is twice in the gallery, or a probe's person is not in it, or there
            are not two people in it, or no probe.
    """
    place = {name: i for i, name in enumerate(gallery_people.tolist())}
    if len(place) != len(gallery_people):
        raise ValueError("somebody is twice in the gallery")
    if len(place) < 2 or not len(probes):
        raise ValueError("telling people apart takes at least two people and one probe")
    missing = sorted(set(probe_people.tolist()) - place.keys())
    if missing:
        raise ValueError(f"not in the gallery: {', '.join(missing[:5])}")
    alike = np.asarray(probes @ gallery.T, np.float64)
    right = np.array([place[name] for name in probe_people.tolist()])
    rows = np.arange(len(right))
    own = alike[rows, right]
    is_other = np.ones(alike.shape, np.bool_)
    is_other[rows, right] = False
    # A tie is half won.
    ahead = ((alike > own[:, None]) + 0.5 * (alike == own[:, None]))[is_other]
    ahead = ahead.reshape(len(rows), -1).sum(axis=1)
    others = len(place) - 1
    threshold = np.quantile(alike[is_other], 1 - FALSE_MATCHES)
    bootstrap = SubjectBootstrap(probe_people, seed=seed)
    return Reidentification(
        people=bootstrap.subjects,
        probes=len(rows),
        gallery=len(place),
        chance=1 / len(place),
        first=_rate(ahead < 1, bootstrap),
        first_five=_rate(ahead < 5, bootstrap),
        above=_mean(1 - ahead / others, bootstrap),
        verified=_rate(own > threshold, bootstrap),
    )


def wilson(share: float, people: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's interval of a share of so many people; never empty, not even for a share of 0."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = (share + z * z / (2 * people)) / (1 + z * z / people)
    spread = share * (1 - share) / people + z * z / (4 * people * people)
    half = z * float(np.sqrt(spread)) / (1 + z * z / people)
    return max(0.0, middle - half), min(1.0, middle + half)


def _of_people(values: NDArray[np.generic], bootstrap: SubjectBootstrap) -> FloatArray:
    """(people,) mean of each."""
    columns = np.stack([np.asarray(values, np.float64), np.ones(len(values))], axis=1)
    sums = bootstrap.of_subjects(columns)
    return np.asarray(sums[:, 0] / sums[:, 1])


def _rate(hit: NDArray[np.bool_], bootstrap: SubjectBootstrap) -> Figure:
    share = float(_of_people(hit, bootstrap).mean())
    return Figure(share, *wilson(share, bootstrap.subjects))


def _mean(values: FloatArray, bootstrap: SubjectBootstrap) -> Figure:
    people = _of_people(values, bootstrap)
    draws = bootstrap.draw(people[:, None])[:, 0] / bootstrap.subjects
    value = float(people.mean())
    return Figure(value, *bootstrap.interval(draws, value))
