"""The benchmark of training counts what it says."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn


@pytest.fixture(scope="module")
def speed() -> ModuleType:
    script = Path(__file__).parents[1] / "benchmarks" / "training_speed.py"
    spec = importlib.util.spec_from_file_location("training_speed", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules["training_speed"] = module
    spec.loader.exec_module(module)
    return module


def test_flops_of_known_layers(speed: ModuleType) -> None:
    linear, x = nn.Linear(64, 32), torch.randn(8, 64, requires_grad=True)
    forward = 2 * 8 * 64 * 32
    assert speed.count_flops(lambda: linear(x)) == forward
    # The gradients of weights and of inputs are a product each, as large as the forward one.
    assert speed.count_flops(lambda: linear(x).sum().backward()) == 3 * forward
    assert speed.count_flops(lambda: linear(x.detach()).sum().backward()) == 2 * forward
    convolution, image = nn.Conv2d(4, 6, 3, padding=1), torch.randn(2, 4, 10, 10)
    assert speed.count_flops(lambda: convolution(image)) == 2 * 2 * 10 * 10 * 6 * 4 * 9


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_flops_of_gradients_of_convolutions(
    speed: ModuleType, kind: type[nn.Conv2d], groups: int
) -> None:
    layer = kind(4, 8, 3, stride=2, padding=1, groups=groups)
    image = torch.randn(2, 4, 10, 10, requires_grad=True)
    forward = speed.count_flops(lambda: layer(image))
    places = 10 * 10 if kind is nn.ConvTranspose2d else 5 * 5
    assert forward == 2 * 2 * places * 4 * 8 * 9 // groups
    assert speed.count_flops(lambda: layer(image).sum().backward()) == 3 * forward
    assert speed.count_flops(lambda: layer(image.detach()).sum().backward()) == 2 * forward


def test_rows_and_groups(speed: ModuleType) -> None:
    found = speed.Measured(4, parameters=2_000_000, flops=8 * 10**9, made=0.05)
    found.seconds, found.waited = [0.5, 0.4, 0.6], [0.0, 0.1, 0.05]
    # Half of the time was another program's.
    found.busy = [0.25, 0.2, 0.3]
    assert speed.row(found, 64e9) == [
        "4", "2.0 M", "2.00", "8.00", "32.0", "50%", "50 ms", "10%",
    ]  # fmt: skip
    groups = {
        "aten::addmm": "matmul", "aten::_foreach_lerp_": "optimizer", "aten::bmm": "attention",
        "aten::convolution_backward": "convolution", "aten::native_layer_norm": "norm",
        "aten::gelu": speed.OTHER,
    }  # fmt: skip
    assert {name: speed.group_of(name) for name in groups} == groups
    assert speed.matrix_peak(torch.device("cpu"), torch.float32, seconds=0.01) > 1e8


def test_a_loop_is_measured(speed: ModuleType, tmp_path: Path) -> None:
    options = argparse.Namespace(
        batch=2, steps=2, warmup=1, precision="fp32", compile=False, checkpointing=False,
        threads=1, profile=False,
    )  # fmt: skip
    found = speed.measure("pretraining", "test-vit", tmp_path, options)
    assert len(found.seconds) == len(found.busy) == len(found.waited) == 2
    assert all(0 <= wait < whole for wait, whole in zip(found.waited, found.seconds, strict=True))
    # The encoder sees a quarter of 16 patches and the class token, the decoder all of them.
    encoder, decoder = 2 * 12 * 16**2, 12 * 16**2
    forward = 2 * 2 * (5 * encoder + 17 * decoder + 4 * 768 * 16 + 17 * 16 * 768)
    assert 2 * forward < found.flops < 4 * forward
    assert not list(tmp_path.rglob("*state*/*"))
