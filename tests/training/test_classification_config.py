"""What the options are when none is given, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from norface.training.classification_config import ClassificationConfig


def config(**options: Any) -> ClassificationConfig:
    given = {"out": Path("x"), "data": (Path("x"),), "normalization": Path("x")}
    return ClassificationConfig(**(given | options))


def test_tiny_keeps_its_own() -> None:
    tiny = config(steps=10)
    assert (tiny.reads, tiny.learning_rate, tiny.epochs) == ("tokens", 1e-3, None)
    assert (tiny.layer_decay, tiny.drop_path) == (1.0, 0.0)
    with pytest.raises(ValueError, match="epochs"):
        config()


def test_base_takes_the_papers() -> None:
    base = config(preset="base", batch=128)
    assert (base.reads, base.epochs, base.layer_decay, base.drop_path) == ("images", 40, 0.75, 0.1)
    assert base.learning_rate == pytest.approx(1e-4 / 2)
    assert config(preset="base", minutes=3.0).epochs is None
    given = config(preset="base", learning_rate=0.3, layer_decay=0.5, drop_path=0.0, epochs=2)
    assert (given.learning_rate, given.layer_decay, given.drop_path) == (0.3, 0.5, 0.0)
    assert given.epochs == 2
    assert config(preset="base", reads="tokens").drop_path == 0.0


@pytest.mark.parametrize(
    ("options", "rate"),
    [
        ({}, 1e-4),
        ({"presence_weight": 0.0}, 1e-3),
        ({"heads": ("emotions",)}, 2e-5),
        ({"heads": ("action_units", "emotions")}, 2e-5),
    ],
)
def test_rates_of_the_paper(options: dict[str, Any], rate: float) -> None:
    assert config(preset="large", batch=256, **options).learning_rate == pytest.approx(rate)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"data": ()}, "data"),
        ({"heads": ()}, "heads"),
        ({"copies": 0}, "copies"),
        ({"use_original": False, "use_normalized": False}, "cannot both be off"),
        ({"normalization": None}, "normalization is needed"),
        ({"encoder": Path("x")}, "encoder: for reads images only"),
        ({"mirror": 0.5, "drop_path": 0.1}, "mirror, drop_path: for reads images only"),
        ({"real_share": 1.5}, "real_share"),
        ({"gamma_negative": 0.5}, "gamma_negative"),
        ({"layer_decay": 0.0}, "layer_decay"),
        ({"smoothing": 1.0}, "smoothing"),
        ({"held_out": 0.0}, "held_out"),
    ],
)
def test_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        config(steps=1, **options)
