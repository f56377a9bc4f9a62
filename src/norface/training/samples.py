"""What F_cla learns from, wherever it comes from: shards in memory, or a data set on disk."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Rows(Protocol):
    """Rows in memory or on disk."""

    def __getitem__(self, index: Any, /) -> Any:
        """A row."""


class Samples(Protocol):
    """N samples: `norface.data.shards.Shards`, or those of a data set; see there."""

    @property
    def units(self) -> tuple[str, ...]:
        """(A,)."""

    @property
    def original(self) -> Rows:
        """Rows (S, S, 3) uint8."""

    @property
    def geometry(self) -> NDArray[np.float16]:
        """(N, 478, 3)."""

    @property
    def intensity(self) -> NDArray[np.float16]:
        """(N, A, 3), NaN where unknown."""

    @property
    def emotion(self) -> NDArray[np.int8]:
        """(N,), -1 where unknown."""

    @property
    def real(self) -> NDArray[np.bool_]:
        """(N,)."""

    @property
    def targets(self) -> NDArray[np.uint8]:
        """(T, 256, 256, 3)."""

    def presence(self, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        """(n, A) of samples, -1 where unknown."""

    def distribution(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, 8) shares of votes on the emotions, NaN where unknown."""

    def __len__(self) -> int: ...
