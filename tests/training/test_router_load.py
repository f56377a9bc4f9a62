"""Sums, shares and the picture of the routings."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from norface.models.moe import Routing, TopKGate
from norface.training.router_load import RouterLoad


def routing(*gates: tuple[float, ...]) -> Routing:
    values = torch.tensor(gates)
    return Routing(values, values)


def test_by_hand() -> None:
    load = RouterLoad(["AU01", "AU02", "AU04"])
    load.add({"input": routing((0.75, 0.25), (1.0, 0.0))}, torch.tensor([[1, 0, 0], [1, 1, 0]]) > 0)
    load.add({"input": routing((0.25, 0.75))}, torch.tensor([[0, 1, 0]]) > 0)
    figures = load.figures()
    assert figures["router/input/gate_0"] == pytest.approx(2 / 3)
    # The first and third face go to both experts, the second to expert 0 alone.
    assert figures["router/input/share_0"] == pytest.approx(2 / 3)
    assert figures["router/input/share_1"] == pytest.approx(1 / 3)
    maps = load.maps()["input"]
    np.testing.assert_allclose(maps[0], [0.875, 0.125])
    np.testing.assert_allclose(maps[1], [0.625, 0.375])
    assert np.isnan(maps[2]).all()


def test_sums_to_one() -> None:
    torch.manual_seed(0)
    gate = TopKGate(width=8, experts=4, top_k=2)
    load = RouterLoad(["AU12"])
    for _ in range(3):
        routings = {"input": gate(torch.randn(16, 8)), "action_units": gate(torch.randn(16, 8))}
        load.add(routings, torch.ones(16, 1) > 0)
    figures = load.figures()
    for name in ("input", "action_units"):
        for kind in ("share", "gate"):
            total = sum(figures[f"router/{name}/{kind}_{e}"] for e in range(4))
            assert total == pytest.approx(1.0, abs=1e-5)
        assert load.maps()[name].sum(1) == pytest.approx(1.0, abs=1e-5)


def test_picture_darkens_with_the_gate() -> None:
    load = RouterLoad(["AU12", "AU26"])
    load.add({"input": routing((0.9, 0.1), (0.2, 0.8))}, torch.tensor([[1, 0], [0, 1]]) > 0)
    picture = load.picture()
    assert picture is not None
    assert picture.dtype == np.uint8
    # The columns of the cells, right of the names; each row's darker half is its expert's.
    cells = picture[56:96, 222:-12].astype(int).sum(2)
    left, right = cells[:, : cells.shape[1] // 2], cells[:, cells.shape[1] // 2 :]
    assert left[:20].mean() < right[:20].mean()
    assert left[20:40].mean() > right[20:40].mean()


def test_no_mixture_no_picture() -> None:
    load = RouterLoad(["AU12"])
    load.add({}, torch.ones(2, 1) > 0)
    assert load.figures() == {}
    assert load.picture() is None
