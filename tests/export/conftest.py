from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from norface.export import Exported, export_networks
from norface.export.faces import Faces, noise_faces
from norface.models import presets
from norface.models.classification import ClassificationNetwork
from norface.models.normalization import NormalizationNetwork

Export = Callable[..., Exported]


@pytest.fixture(scope="session")
def face() -> NDArray[np.uint8]:
    """A target face."""
    ramp = np.linspace(0, 255, 256).astype(np.uint8)
    return np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], ramp[::-1, None]), -1)


@pytest.fixture(scope="session")
def faces() -> Faces:
    return noise_faces(12)


def normalization(preset: str = "test") -> NormalizationNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = presets.normalization(preset, pretrained=False).eval()
        torch.nn.init.normal_(network.decoder.head.weight, std=0.05)
    return network


def classification(preset: str = "test", **options: Any) -> ClassificationNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return presets.classification(preset, pretrained=False, **options).eval()


def emotions(**options: Any) -> ClassificationNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return presets.emotions("test", **options).eval()


@pytest.fixture
def networks() -> Any:
    """Builders of small networks with weights that are always the same."""
    return {
        "normalization": normalization,
        "classification": classification,
        "emotions": emotions,
    }


@pytest.fixture
def export(tmp_path: Path, face: NDArray[np.uint8], faces: Faces) -> Export:
    """`export_networks` into a folder of the test's own."""

    def run(
        normalization: NormalizationNetwork | None,
        *classification: ClassificationNetwork,
        out: str = "weights",
        **options: Any,
    ) -> Exported:
        return export_networks(
            tmp_path / out,
            normalization=normalization,
            classification=classification,
            common_face=face,
            faces=faces,
            **options,
        )

    return run
