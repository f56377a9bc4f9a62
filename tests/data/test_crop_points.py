"""Landmarks put back into the crop, against the alignment itself."""

from __future__ import annotations

import numpy as np

from norface.data.crop_points import crop_points
from norface.data.expression_warp import disturb_expression
from norface.data.face_maps import background_map, expressive_map, frontal_points
from norface.faces.align import framing, geometry
from norface.faces.bundle import canonical_face
from norface.faces.pose import fit_head, rotation_from_pose
from norface.results import Pose


def test_are_where_the_alignment_puts_them() -> None:
    rng = np.random.default_rng(0)
    turn = rotation_from_pose(Pose(pitch=12.0, yaw=-25.0, roll=17.0))
    face = canonical_face() + rng.normal(0, 0.1, (478, 3))
    points = 20.0 * face @ turn.T + (300.0, 200.0, 0.0)
    head = fit_head(points)
    matrix = framing(head, 256)
    expected = (points[:, :2] @ matrix[:, :2].T + matrix[:, 2]) / 256
    found = crop_points(geometry(points)[None], [head.pose.yaw], [head.pose.pitch])[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_maps() -> None:
    points = frontal_points()
    tells, empty = expressive_map(points, 128), background_map(points, 128)
    mouth, corner = (76, 64), (2, 2)
    assert np.isclose(tells.mean(), 1.0, atol=1e-3)
    assert tells[mouth] > 2 * tells[corner]
    assert empty[mouth] == 0.0
    assert empty[-1, 0] == 1.0
    assert 0.02 < empty.mean() < 0.5


def test_disturbed_expression_moves_the_mouth_and_not_the_rim() -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 255, (128, 128, 3)).astype(np.uint8)
    points = frontal_points()
    moved = disturb_expression(image, points, np.random.default_rng(1))
    again = disturb_expression(image, points, np.random.default_rng(1))
    assert (moved == again).all()
    assert (moved != image).any(axis=2)[70:84, 40:90].mean() > 0.5
    np.testing.assert_array_equal(moved[:, :3], image[:, :3])
    still = disturb_expression(image, points, np.random.default_rng(1), strength=0.0)
    np.testing.assert_array_equal(still, image)
