from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from norface.models import presets
from norface.models.cost import count_parameters, preset_costs


def _transformer_flops(tokens: int, width: int, depth: int, ratio: int = 4) -> int:
    """Blocks of a transformer by hand, multiplications and additions."""
    maps = tokens * width * width * (3 + 1 + 2 * ratio)
    attention = 2 * tokens * tokens * width
    return 2 * depth * (maps + attention)


@pytest.mark.parametrize(
    ("name", "width", "depth", "side"), [("test-vit", 16, 2, 4), ("base", 768, 12, 16)]
)
def test_the_transformer_counted_by_hand(name: str, width: int, depth: int, side: int) -> None:
    patches = 2 * side * side * 3 * 16 * 16 * width
    whole = patches + _transformer_flops(side * side + 1, width, depth)
    seen = side * side // 4
    some = patches // 4 + _transformer_flops(seen + 1, width, depth)
    normalization, classification, masked = preset_costs(name)
    assert normalization.parts[0].flops == whole
    assert classification.parts[0].flops == 2 * whole
    assert masked.parts[0].flops == some


def test_mixtures_counted_by_hand() -> None:
    """Both faces' 512 tokens through four experts of two layers, and the gate."""
    _, classification, _ = preset_costs("base")
    refine = classification.parts[1]
    assert refine.flops == 2 * (4 * 512 * 768 * 768 * 2 + 768 * 4)


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_every_parameter_is_counted_once(name: str) -> None:
    costs = preset_costs(name)
    with torch.device("meta"):
        networks = [presets.normalization(name, pretrained=False)]
        if name == "tiny":
            networks += [presets.classification(name), presets.emotions(name)]
        else:
            networks += [
                presets.classification(name, heads=("action_units", "emotions"), reads="images"),
                presets.masked_autoencoder(name),
            ]
    for cost, network in zip(costs, networks, strict=True):
        assert cost.parameters == count_parameters(network), cost.name
        assert all(part.flops > 0 for part in cost.parts)


@pytest.mark.parametrize("name", ["tiny", "small", "base", "large"])
def test_the_documents_say_so(root: Path, name: str) -> None:
    said = (root / "docs" / "networks.md").read_text(encoding="utf-8")
    row = next(line for line in said.splitlines() if line.startswith(f"| `{name}` |"))
    found = re.findall(r"([\d.]+) M, ([\d.]+) GFLOP", row)
    costs = [cost for cost in preset_costs(name) if cost.name.startswith("F_")]
    assert found == [(f"{c.parameters / 1e6:.1f}", f"{c.flops / 1e9:.1f}") for c in costs]
