"""The emotion loss against torch's own and by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from norface.facs import EMOTIONS
from norface.losses.emotion import emotion_labels, emotion_loss


def test_labels() -> None:
    allowed = torch.ones(2, 8, dtype=torch.bool)
    allowed[0, 7] = False
    labels = emotion_labels(torch.tensor([1, -1]), smoothing=0.14, allowed=allowed)
    assert labels[0].tolist() == pytest.approx([0.02, 0.88] + [0.02] * 5 + [0.0])
    assert (labels[1] == 0).all()


def test_votes_take_the_place_of_the_emotion() -> None:
    votes = torch.full((3, 8), torch.nan)
    votes[0] = torch.tensor([0.75, 0.25, 0, 0, 0, 0, 0, 0])
    votes[2] = votes[0]
    labels = emotion_labels(torch.tensor([1, 1, -1]), distribution=votes, smoothing=0.08)
    assert labels[0].tolist() == pytest.approx([0.7, 0.24] + [0.01] * 6)
    assert labels[1].tolist() == pytest.approx([0.01, 0.93] + [0.01] * 6)
    torch.testing.assert_close(labels[2], labels[0])
    # The least loss is reached by saying what the votes say.
    logits = labels.log()
    assert emotion_loss(logits, labels) < emotion_loss(logits.flip(1), labels)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_is_torchs_cross_entropy(smoothing: float) -> None:
    logits = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
    emotion = torch.arange(16) % 9 - 1
    expected = F.cross_entropy(logits, emotion, ignore_index=-1, label_smoothing=smoothing)
    loss = emotion_loss(logits, emotion_labels(emotion, smoothing=smoothing))
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_weights_are_torchs() -> None:
    logits = torch.randn(8, 8, generator=torch.Generator().manual_seed(0))
    weight = torch.linspace(0.5, 1.5, 8)
    emotion = torch.arange(8)
    expected = F.cross_entropy(logits, emotion, weight=weight, reduction="sum") / 8
    loss = emotion_loss(logits, emotion_labels(emotion), weight=weight)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_what_was_not_on_offer_is_no_evidence() -> None:
    logits = torch.zeros(1, 8, requires_grad=True)
    allowed = torch.ones(1, 8, dtype=torch.bool)
    allowed[:, EMOTIONS.index("contempt")] = False
    loss = emotion_loss(logits, emotion_labels(torch.tensor([0])), allowed=allowed)
    assert float(loss.detach()) == pytest.approx(math.log(7))
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad[0, EMOTIONS.index("contempt")] == 0.0


def test_nothing_known_costs_nothing() -> None:
    logits = torch.randn(3, 8, requires_grad=True)
    loss = emotion_loss(logits, emotion_labels(torch.full((3,), -1), smoothing=0.1))
    assert float(loss.detach()) == 0.0
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert (logits.grad == 0).all()
