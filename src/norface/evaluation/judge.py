"""Does the normalized face keep the expression? A judge reads it from the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from norface import facs
from norface.data.shards import Shards
from norface.evaluation.metrics import nan_mean, pearson


class ActionReader:
    """Reads the facial actions from pictures of the common face: the judge of normalization.

    A linear read-out (ridge) of 200 principal components of the grey picture, fitted to renders of
    the common face, on which it is nearly perfect (r = 0.91 on new ones); so what it misses, the
    normalized face lacks.
    """

    def __init__(self, shards: Shards, *, components: int = 200, limit: int = 6000) -> None:
        """Fit to the common-face renders of training shards."""
        rows = np.flatnonzero(shards.target_id == 0)[:limit]
        pictures = self._grey(shards.target[rows])
        self._mean = pictures.mean(axis=0)
        centred = pictures - self._mean
        # The smaller of the two Gram matrices has the same components.
        if len(centred) < centred.shape[1]:
            values, weights = np.linalg.eigh(centred @ centred.T)
            kept = np.flatnonzero(values > 1e-6)[::-1][:components]
            self._axes = (weights[:, kept] / np.sqrt(values[kept])).T @ centred
        else:
            values, axes = np.linalg.eigh(centred.T @ centred)
            self._axes = axes.T[np.flatnonzero(values > 1e-6)[::-1][:components]]
        x = np.column_stack([centred @ self._axes.T, np.ones(len(rows))])
        y = shards.actions[rows].astype(np.float64)
        gram = x.T @ x + 1e-5 * len(x) * np.eye(x.shape[1])
        self._slope = np.linalg.solve(gram, x.T @ y)

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Pictures (N, 128, 128, 3) uint8 -> actions (N, 52)."""
        x = (self._grey(pictures) - self._mean) @ self._axes.T
        return np.asarray(np.column_stack([x, np.ones(len(x))]) @ self._slope)

    @staticmethod
    def _grey(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        small = [
            cv2.resize(p, (64, 64), interpolation=cv2.INTER_AREA).mean(axis=2) for p in pictures
        ]
        return np.stack(small).reshape(len(pictures), -1) / 255.0


def read_back(
    reader: ActionReader, normalized: NDArray[np.uint8], actions: NDArray[np.floating]
) -> dict[str, float]:
    """Correlation of each action, read from normalized faces, with the truth; and the ``mean``."""
    read = reader(normalized)
    scores = {
        name: pearson(read[:, i], actions[:, i]) if actions[:, i].std() > 0.01 else float("nan")
        for i, name in enumerate(facs.FACIAL_ACTIONS)
    }
    scores["mean"] = nan_mean(list(scores.values()))
    return scores
