import numpy as np
import pytest

from norface.faces.bundle import canonical_face, landmarker_bundle
from norface.faces.pose import RIGID_WEIGHTS, fit_head, pose_from_rotation, rotation_from_pose
from norface.results import Pose

POSES = [
    Pose(0.0, 0.0, 0.0),
    Pose(20.0, 0.0, 0.0),
    Pose(0.0, 30.0, 0.0),
    Pose(0.0, 0.0, 40.0),
    Pose(-15.0, -45.0, 25.0),
    Pose(10.0, 60.0, -170.0),
]


def angles(pose: Pose) -> tuple[float, float, float]:
    return pose.pitch, pose.yaw, pose.roll


def test_canonical_face_looks_at_the_camera_in_picture_axes():
    face = canonical_face()
    assert face.shape == (478, 3)
    assert not face.flags.writeable
    person_right_eye, person_left_eye, nose, chin = face[33], face[263], face[4], face[152]
    assert person_right_eye[0] < 0 < person_left_eye[0]
    assert person_right_eye[1] < chin[1]
    assert nose[2] < face[234, 2]
    np.testing.assert_allclose(face[468], face[[33, 133, 159, 145]].mean(axis=0))
    assert np.ptp(face[468:473, 0]) == pytest.approx(np.ptp(face[473:478, 0]))


def test_the_bundle_is_the_one_expected():
    assert len(landmarker_bundle()) == 3_758_596


@pytest.mark.parametrize("pose", POSES)
def test_angles_and_rotation_are_inverse(pose):
    rotation = rotation_from_pose(pose)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert angles(pose_from_rotation(rotation)) == pytest.approx(angles(pose), abs=1e-9)


def test_signs_are_those_of_the_docstring():
    gaze = np.array([0.0, 0.0, -1.0])  # out of a frontal face, towards the camera
    crown = np.array([0.0, -1.0, 0.0])
    assert (rotation_from_pose(Pose(20.0, 0.0, 0.0)) @ gaze)[1] < 0  # looks up
    assert (rotation_from_pose(Pose(0.0, 20.0, 0.0)) @ gaze)[0] > 0  # to the picture's right
    assert (rotation_from_pose(Pose(0.0, 0.0, 20.0)) @ crown)[0] > 0  # clockwise


@pytest.mark.parametrize("pose", POSES)
def test_a_moved_head_is_recovered(pose):
    rotation = rotation_from_pose(pose)
    points = 17.0 * canonical_face() @ rotation.T + (640.0, 360.0, 5.0)
    head = fit_head(points)
    assert angles(head.pose) == pytest.approx(angles(pose), abs=1e-6)
    assert head.scale == pytest.approx(17.0)
    np.testing.assert_allclose(head.translation, (640.0, 360.0, 5.0), atol=1e-6)
    np.testing.assert_allclose(head.to_picture(canonical_face()), points, atol=1e-6)
    np.testing.assert_allclose(head.to_canonical(points), canonical_face(), atol=1e-6)


def test_turning_the_picture_changes_the_roll_alone():
    rotation = rotation_from_pose(Pose(12.0, -25.0, 3.0))
    turned = rotation_from_pose(Pose(0.0, 0.0, 30.0)) @ rotation
    assert angles(pose_from_rotation(turned)) == pytest.approx((12.0, -25.0, 33.0))


def test_expressions_do_not_move_the_head():
    points = 10.0 * canonical_face()
    moving = [i for i in range(478) if i not in RIGID_WEIGHTS]
    moved = points.copy()
    moved[moving] += np.random.default_rng(0).normal(0.0, 20.0, (len(moving), 3))
    np.testing.assert_array_equal(fit_head(moved).rotation, fit_head(points).rotation)


def test_a_mirrored_face_gives_a_proper_rotation():
    rotation = fit_head(canonical_face() * (-1.0, 1.0, 1.0)).rotation
    assert np.linalg.det(rotation) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((468, 3)), "shape"),
        (np.full((478, 3), np.nan), "finite"),
        (np.ones((478, 3)), "do not form a face"),
    ],
)
def test_what_is_no_face_is_refused(points, message):
    with pytest.raises(ValueError, match=message):
        fit_head(points)
