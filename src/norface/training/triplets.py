"""Which of three faces is the odd one out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEAREST = 5


def triplets_by_actions(
    actions: NDArray[np.floating],
    known: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    count: int,
    gap: float,
) -> NDArray[np.int64]:
    """Triplets whose odd one out is decided by the distance in facial actions.

    People were asked for the odd one out of three expressions where such embeddings come from
    (Vemulapalli and Agarwala, 2019; DLN); here the distance of the facial actions answers.

    Args:
        actions: (N, 52) in 0..1.
        known: (N, 52), where they are known; two faces are compared by what is known of both.
        rng: source of chance.
        count: of the triplets; fewer come back when fewer are clear.
        gap: how much nearer (Euclidean) the two alike must be than either is to the odd one.

    Returns:
        (M, 3): two alike, the odd one out.
    """
    if len(actions) < 3:
        return np.zeros((0, 3), np.int64)
    distance = action_distance(actions, known)
    others = distance + np.diag(np.full(len(actions), np.inf))
    order = others.argsort(axis=1)[:, : min(_NEAREST, len(actions) - 1)]
    drawn = 4 * count
    first = rng.integers(0, len(actions), drawn)
    # One of the nearest and anyone: three faces drawn blindly are mostly all unlike.
    second = order[first, rng.integers(0, order.shape[1], drawn)]
    third = rng.integers(0, len(actions), drawn)
    triples = np.stack([first, second, third], axis=1)
    triples = triples[(third != first) & (third != second)]
    i, j, k = triples.T
    # In the order of which stays alone: k, j, i.
    sides = np.stack([distance[i, j], distance[i, k], distance[j, k]], axis=1)
    alike = sides.argmin(axis=1)
    ordered = np.sort(sides, axis=1)
    clear = ordered[:, 1] - ordered[:, 0] > gap
    turned = np.stack([[i, j, k], [i, k, j], [j, k, i]])
    chosen = turned[alike, :, np.arange(len(triples))]
    return np.asarray(chosen[clear][:count], np.int64)


def action_distance(actions: NDArray[np.floating], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Euclidean distances (N, N) of actions (N, 52), over what is known (N, 52) of both."""
    m = known.astype(np.float64)
    a = np.where(known, actions, 0.0).astype(np.float64)
    squared = (a**2) @ m.T + m @ (a**2).T - 2 * a @ a.T
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))


def triplets_by_label(
    labels: NDArray[np.integer], rng: np.random.Generator, *, count: int
) -> NDArray[np.int64]:
    """Triplets of two with the same label and one with another; none when there are no such.

    Args:
        labels: (N,)
        rng: source of chance.
        count: of the triplets.

    Returns:
        (M, 3): two alike, the odd one out.
    """
    same = labels[:, None] == labels[None]
    pairs = np.argwhere(np.triu(same, 1))
    if len(pairs) == 0 or same.all():
        return np.zeros((0, 3), np.int64)
    chosen = pairs[rng.integers(0, len(pairs), count)]
    odd = rng.integers(0, len(labels), count)
    clear = ~same[chosen[:, 0], odd]
    return np.asarray(np.column_stack([chosen, odd])[clear], np.int64)
