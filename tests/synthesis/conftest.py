from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from norface.synthesis import generate, generate_sequences, shards


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is done here instead of in fresh processes, which take seconds to start."""

    def directly(
        work: Callable[[Any], Any], jobs: Iterable[Any], label: str, workers: int | None = None
    ) -> Iterator[Any]:
        return map(work, jobs)

    for module in (generate, generate_sequences, shards):
        monkeypatch.setattr(module, "in_processes", directly)
