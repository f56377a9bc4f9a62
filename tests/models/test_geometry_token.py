from __future__ import annotations

import torch

from norface.models.geometry_token import GeometryToken, RunningStandardization


def test_statistics_are_those_of_all_samples() -> None:
    standardize = RunningStandardization(features=5)
    x = torch.randn(40, 5) * torch.tensor([1.0, 2.0, 0.5, 3.0, 0.0]) + 7.0
    for batch in x.split(10):
        standardize(batch)
    torch.testing.assert_close(standardize.mean, x.mean(0))
    torch.testing.assert_close(standardize.variance, x.var(0, unbiased=False), atol=1e-4, rtol=1e-4)


def test_a_sample_does_not_depend_on_its_batch() -> None:
    standardize = RunningStandardization(features=5)
    standardize(torch.randn(50, 5))
    standardize.eval()
    x = torch.randn(4, 5)
    torch.testing.assert_close(standardize(x)[:1], standardize(x[:1]))


def test_evaluation_leaves_the_statistics_alone() -> None:
    standardize = RunningStandardization(features=5).eval()
    standardize(torch.randn(50, 5))
    assert int(standardize.batches) == 0
    assert not standardize.mean.any()


def test_landmarks_that_never_move_do_not_explode() -> None:
    standardize = RunningStandardization(features=2)
    standardize(torch.tensor([[1.0, 0.0], [1.0, 4.0]]))
    assert standardize(torch.tensor([[1.001, 0.0]])).abs().max() < 1.0


def test_dropout_empties_whole_samples_in_training_only() -> None:
    token = GeometryToken(count=3, width=8, hidden=8, dropout=0.5)
    geometry = torch.randn(200, 478, 3)
    emptied = (token(geometry) == token.position).all(-1).all(-1).float().mean()
    assert 0.35 < float(emptied) < 0.65
    token.eval()
    assert not (token(geometry) == token.position).all(-1).any()
