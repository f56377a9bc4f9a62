from __future__ import annotations

import pytest
import torch

from norface.models.landmarks import MOVING, POINTS, RIGID, LandmarkNetwork, openings


def test_starts_at_the_mean_face() -> None:
    network = LandmarkNetwork(widths=(8, 8), hidden=4, image_size=32)
    mean = torch.rand(len(POINTS), 2)
    network.start_from(mean)
    frame = network(torch.rand(2, 3, 64, 64))
    torch.testing.assert_close(frame.points[1], mean)
    torch.testing.assert_close(frame.pose, torch.zeros(2, 2))
    assert frame.rigid.shape == (2, len(RIGID), 2)


def test_openings() -> None:
    points = torch.zeros(1, len(POINTS), 2)

    def put(index: int, x: float, y: float) -> None:
        points[0, POINTS.index(index)] = torch.tensor([x, y])

    put(33, 0.3, 0.2), put(263, 0.7, 0.2)
    put(159, 0.35, 0.18), put(145, 0.35, 0.22)
    put(386, 0.65, 0.2), put(374, 0.65, 0.2)
    put(13, 0.5, 0.58), put(14, 0.5, 0.62)
    put(61, 0.4, 0.6), put(291, 0.6, 0.56)
    # The eyes are 0.4 apart. Lids: 3 x 0.04 and 0; lips: 0.04, their lifts 0 and 0.04.
    expected = torch.tensor([0.3, 0.0, 0.1, (0.04**2 + 0.2**2) ** 0.5 / 0.4, 0.0, 0.1])
    torch.testing.assert_close(openings(points)[0], expected)
    assert set(MOVING) & set(RIGID) == set()


def test_openings_do_not_hang_on_size_and_place() -> None:
    points = torch.rand(1, len(POINTS), 2)
    assert openings(points * 0.5 + 0.2)[0].tolist() == pytest.approx(openings(points)[0].tolist())
