import numpy as np
import pytest

from norface.faces.align import align, geometry, warp
from norface.faces.bundle import canonical_face
from norface.faces.pose import rotation_from_pose
from norface.results import Pose

FRONTAL = Pose(0.0, 0.0, 0.0)


def placed(pose=FRONTAL, scale=10.0, shift=(300.0, 250.0, 0.0), face=None):
    face = canonical_face() if face is None else face
    return scale * face @ rotation_from_pose(pose).T + shift


def in_crop(aligned, points):
    return points[:, :2] @ aligned.matrix[:, :2].T + aligned.matrix[:, 2]


BLANK = np.zeros((600, 700, 3), np.uint8)


def test_the_whole_face_is_in_the_frame_and_fills_it():
    spots = in_crop(align(BLANK, placed()), placed()) / 256
    assert spots[:, 0].min() > 0.05
    assert spots[:, 0].max() < 0.95
    assert np.ptp(spots[:, 0]) > 0.8
    brows, chin = spots[[105, 334], 1], spots[152, 1]
    assert (brows > 0.07).all()  # room above for raised brows
    assert (brows < 0.2).all()
    assert 0.8 < chin < 0.9  # room below for an open jaw


@pytest.mark.parametrize("pose", [Pose(0.0, 0.0, -50.0), Pose(8.0, 20.0, 30.0)])
@pytest.mark.parametrize("scale", [1.7, 40.0])
def test_place_size_and_roll_do_not_matter(pose, scale):
    upright = placed(Pose(pose.pitch, pose.yaw, 0.0))
    moved = placed(pose, scale, shift=(120.0, 433.0, 7.0))
    np.testing.assert_allclose(
        in_crop(align(BLANK, moved), moved),
        in_crop(align(BLANK, upright), upright),
        atol=1e-6,
    )


def test_a_turned_head_keeps_its_size_and_stays_inside():
    for yaw in (-40.0, 40.0):
        points = placed(Pose(0.0, yaw, 0.0))
        aligned = align(BLANK, points)
        zoom = np.linalg.norm(aligned.matrix[:, 0])
        assert zoom == pytest.approx(np.linalg.norm(align(BLANK, placed()).matrix[:, 0]))
        features = [33, 263, 105, 334, 4, 61, 291, 17, 152]
        spots = in_crop(aligned, points)[features] / 256
        assert spots.min() > 0.05
        assert spots.max() < 0.95


def test_the_framing_is_the_same_for_every_size():
    points = placed(Pose(3.0, 10.0, -5.0))
    large, small = align(BLANK, points, 256), align(BLANK, points, 160)
    assert large.image.shape == (256, 256, 3)
    assert small.image.shape == (160, 160, 3)
    np.testing.assert_allclose(small.matrix * 256 / 160, large.matrix)


@pytest.mark.parametrize("zoom", [0.25, 0.31, 1.0, 2.5])
def test_pixels_land_where_the_matrix_says(zoom):
    # A ramp keeps its values under averaging and interpolation: each pixel tells its origin.
    rows, columns = np.mgrid[0:400, 0:500] + 0.5
    ramp = np.stack([columns / 2, rows / 2, np.zeros_like(rows)], axis=2).astype(np.uint8)
    matrix = np.array([[zoom, 0.0, -zoom * 60.0], [0.0, zoom, -zoom * 40.0]])
    crop = warp(ramp, matrix, 64)
    y, x = np.mgrid[2:62, 2:62]
    np.testing.assert_allclose(crop[2:62, 2:62, 0], (60.0 + (x + 0.5) / zoom) / 2, atol=1.3)
    np.testing.assert_allclose(crop[2:62, 2:62, 1], (40.0 + (y + 0.5) / zoom) / 2, atol=1.3)


def test_shrinking_averages_fine_detail():
    checks = (np.indices((800, 800)).sum(axis=0) % 2 * 255).astype(np.uint8)
    crop = warp(np.dstack([checks] * 3), np.array([[0.1, 0.0, 0.0], [0.0, 0.1, 0.0]]), 64)
    assert crop.std() < 3.0
    assert crop.mean() == pytest.approx(127.5, abs=3.0)


@pytest.mark.parametrize("shift", [(-5000.0, 0.0, 0.0), (699.0, 599.0, 0.0), (0.0, 9000.0, 0.0)])
def test_a_face_at_or_beyond_the_border_still_gives_a_crop(shift):
    picture = np.full((600, 700, 3), 77, np.uint8)
    assert (align(picture, placed(shift=shift)).image == 77).all()
    assert (align(np.full((1, 1, 3), 77, np.uint8), placed(shift=shift)).image == 77).all()


def test_geometry_of_the_canonical_face():
    points = geometry(canonical_face())
    assert points.shape == (478, 3)
    assert points.dtype == np.float32
    np.testing.assert_allclose(points[263] - points[33], (1.0, 0.0, 0.0), atol=1e-6)
    np.testing.assert_allclose(points[263] + points[33], 0.0, atol=1e-6)


def test_geometry_forgets_the_pose_and_keeps_the_expression():
    smiling = canonical_face().copy()
    smiling[[61, 291], 1] -= 1.0
    neutral = geometry(canonical_face())
    for pose in (Pose(0.0, 0.0, 0.0), Pose(-20.0, 35.0, 15.0)):
        found = geometry(placed(pose, scale=23.0, face=smiling))
        np.testing.assert_allclose(found, geometry(smiling), atol=1e-5)
        moved = np.linalg.norm(found - neutral, axis=1)
        assert set(np.nonzero(moved > 1e-4)[0]) == {61, 291}
        np.testing.assert_allclose(moved[[61, 291]], 1.0 / 8.9, rtol=0.01)
