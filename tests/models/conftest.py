from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _reproducible() -> Iterator[None]:
    """Every test starts from the same random state and leaves the global one alone."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
