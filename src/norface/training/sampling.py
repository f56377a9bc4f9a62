"""Which samples a step trains on."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def in_epochs(samples: NDArray[np.int64], *, count: int, step: int, seed: int) -> NDArray[np.int64]:
    """The samples of a step: each once before any twice, in an order drawn anew for each pass.

    Args:
        samples: (N,), what to draw from.
        count: samples a step.
        step: number of the step, from 0; equal numbers give equal samples.
        seed: chooses the orders.

    Returns:
        (count,), of `samples`.
    """
    epochs, places = np.divmod(np.arange(step * count, (step + 1) * count), len(samples))
    parts = [_order(len(samples), seed, int(e))[places[epochs == e]] for e in np.unique(epochs)]
    return samples[np.concatenate(parts)] if parts else samples[:0]


@lru_cache(maxsize=8)
def _order(total: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, 6, epoch)).permutation(total)
