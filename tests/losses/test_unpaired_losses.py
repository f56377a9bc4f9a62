"""The losses without a rendered truth, each against cases worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from norface.losses.adversarial import discriminator_loss, generator_loss, r1_penalty
from norface.losses.expression import (
    expression_contrast,
    expression_distance,
    triplet_accuracy,
    triplet_loss,
)
from norface.losses.identity import identity_distance
from norface.losses.perceptual import perceptual_distance
from norface.losses.pixels import weighted_square
from norface.losses.pose import landmark_distance, opening_distance, pose_distance
from norface.losses.reconstruction import background_distance, reconstruction_distance
from norface.losses.residual import painted

EAST, NORTH = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 0.5]])


def test_expression() -> None:
    # Lengths do not count: equal directions 0, right angles 1 + 1, opposite ones 4.
    distance = expression_distance(torch.cat([EAST, EAST, EAST]), torch.cat([EAST, NORTH, -EAST]))
    torch.testing.assert_close(distance, torch.tensor([0.0, 2.0, 4.0]))


def test_contrast() -> None:
    originals = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    assert float(expression_contrast(originals, originals).sum()) == 0.0
    # Apart by 2, so a gain of 1 is wanted: always the first original is right with 2, wrong with 3.
    torch.testing.assert_close(
        expression_contrast(originals[:1].expand(2, 2), originals), torch.tensor([0.0, 3.0])
    )
    # Equal expressions need no difference.
    same = originals[:1].expand(2, 2)
    assert float(expression_contrast(same, same).sum()) == 0.0
    assert float(expression_contrast(originals[1:], originals[:1])) == 0.0


def test_triplets() -> None:
    embedding = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    # Squared distances: 0-1 and 1-2 are 2, 0-2 is 4.
    right, wrong = torch.tensor([[0, 1, 2]]), torch.tensor([[0, 2, 1]])
    # relu(2 - 4 + 0.5) + relu(2 - 2 + 0.5)
    assert float(triplet_loss(embedding, right, margin=0.5)) == pytest.approx(0.5)
    # relu(4 - 2 + 0.5) twice
    assert float(triplet_loss(embedding, wrong, margin=0.5)) == pytest.approx(5.0)
    assert float(triplet_loss(embedding, right[:0], margin=0.5)) == 0.0
    embedding[1, 0] = 0.1
    assert triplet_accuracy(embedding, torch.cat([right, wrong])) == 0.5


def test_identity() -> None:
    distance = identity_distance(torch.cat([EAST, EAST, EAST]), torch.cat([EAST, NORTH, -EAST]))
    torch.testing.assert_close(distance, torch.tensor([0.0, 1.0, 2.0]))


def test_pose() -> None:
    result, target = torch.tensor([[30.0, -10.0]]), torch.tensor([[0.0, 20.0]])
    assert float(pose_distance(result, target)) == pytest.approx(1.0)


def test_landmarks() -> None:
    one = torch.zeros(1, 2, 2, requires_grad=True)
    other = torch.tensor([[[0.3, 0.4], [0.0, 0.0]]])
    distance = landmark_distance(one, other)
    assert float(distance.detach()) == pytest.approx(0.25, abs=1e-3)
    distance.sum().backward()  # type: ignore[no-untyped-call]
    assert one.grad is not None
    assert one.grad.isfinite().all()


def test_openings() -> None:
    assert float(opening_distance(torch.tensor([[0.1, 0.5]]), torch.tensor([[0.3, 0.5]]))) == (
        pytest.approx(0.1)
    )


def test_reconstruction() -> None:
    image, truth = torch.zeros(2, 3, 1, 2), torch.zeros(2, 3, 1, 2)
    image[0, :, 0, 0] = 0.5
    weight = torch.tensor([2.0, 0.0]).view(1, 1, 1, 2).expand(2, 1, 1, 2)
    # Half of the pixels are off by 0.5 + 4 x 0.25 and count twice.
    torch.testing.assert_close(
        reconstruction_distance(image, truth, weight), torch.tensor([1.5, 0.0])
    )
    torch.testing.assert_close(
        background_distance(image, truth, 1.0 - weight / 2), torch.tensor([0.0, 0.0])
    )
    assert float(weighted_square(image[:1], truth[:1], weight[:1])) == pytest.approx(0.25)


def test_strokes_cost_more_than_patches() -> None:
    residual = torch.zeros(3, 3, 4, 4)
    residual[0, :, :, 0] = 0.4
    residual[1, :, :, ::2] = 0.2
    # Size 0.1 both; each row has 1 edge of 0.4, or 3 of 0.2, in 3 places.
    torch.testing.assert_close(painted(residual), torch.tensor([0.1 + 0.4 / 3, 0.1 + 0.2, 0.0]))


def test_perceptual() -> None:
    truth = torch.tensor([[[[0.0, 2.0]]], [[[0.0, 2.0]]]])
    spread = float(truth.std())
    result = truth + torch.tensor([1.0, 0.0]).view(2, 1, 1, 1)
    # One level is off by 1 in the first face, the other level (ten times as large) by 10.
    distance = perceptual_distance([result, 10 * result], [truth, 10 * truth])
    torch.testing.assert_close(distance, torch.tensor([1.0 / spread, 0.0]))


@pytest.mark.parametrize(
    ("kind", "unsure", "fooled"),
    [("non-saturating", math.log(2), math.log1p(math.exp(-3))), ("hinge", 0.0, -3.0)],
)
def test_generator(kind: str, unsure: float, fooled: float) -> None:
    logits = torch.tensor([0.0, 3.0]).view(2, 1, 1, 1).expand(2, 1, 2, 2)
    loss = generator_loss(logits, kind=kind)  # type: ignore[arg-type]
    torch.testing.assert_close(loss, torch.tensor([unsure, fooled]))


def test_discriminator() -> None:
    real, made = torch.full((2, 1, 2, 2), 0.5), torch.full((3, 1, 2, 2), -2.0)
    assert float(discriminator_loss(real, made, kind="hinge")) == pytest.approx(0.5)
    expected = math.log1p(math.exp(-0.5)) + math.log1p(math.exp(-2.0))
    assert float(discriminator_loss(real, made)) == pytest.approx(expected)


def test_r1() -> None:
    image = torch.rand(2, 3, 4, 4, requires_grad=True)
    slope = torch.tensor(2.0, requires_grad=True)
    # A picture's logit is 2 x the mean of its 48 values: each gradient is 2 / 48.
    real = (slope * image).mean((1, 2, 3)).view(2, 1, 1, 1)
    penalty = r1_penalty(real, image)
    assert float(penalty.detach()) == pytest.approx(0.5 * 48 * (2 / 48) ** 2)
    penalty.backward()  # type: ignore[no-untyped-call]
    assert slope.grad is not None
    assert float(slope.grad) == pytest.approx(2.0 / 48)
