import subprocess
import sys

import cv2
import numpy as np
import pytest

from norface.faces.align import align
from norface.faces.bundle import BundleError
from norface.faces.find import FaceFinder
from norface.facs import FACIAL_ACTIONS
from norface.media.images import read_image


def resized(image, scale):
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def turned(image, degrees):
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("name", ["person_1.jpg", "person_2.jpg"])
def test_one_face_is_found_in_a_picture_of_one(finder, examples, name):
    image = read_image(examples / name)
    (face,) = finder.find(image)
    assert face.confidence > 0.7
    assert face.points.shape == (478, 3)
    assert face.points.dtype == np.float32
    assert face.blendshapes.shape == (52,)
    known = np.array([action != "tongueOut" for action in FACIAL_ACTIONS])
    assert (np.isfinite(face.blendshapes) == known).all()
    assert ((face.blendshapes[known] >= 0) & (face.blendshapes[known] <= 1)).all()
    assert face.box.x == pytest.approx(face.points[:, 0].min())
    assert face.box.height == pytest.approx(np.ptp(face.points[:, 1]))


def test_all_ten_faces_of_the_group_are_found_largest_first(finder, examples):
    image = read_image(examples / "group.jpg")
    assert image.shape == (3000, 4000, 3)
    faces = finder.find(image)
    assert len(faces) == 10
    areas = [face.box.width * face.box.height for face in faces]
    assert areas == sorted(areas, reverse=True)
    assert min(face.box.width for face in faces) < 50


def test_a_small_face_in_a_large_picture_is_found(finder, person_image, found_person):
    small = resized(person_image, 34 / found_person.box.width)
    picture = np.full((3000, 4000, 3), (90, 110, 100), np.uint8)
    for x, y in ((100, 200), (2017, 1503), (3800, 2850)):
        picture[y : y + small.shape[0], x : x + small.shape[1]] = small
    faces = finder.find(picture)
    assert len(faces) == 3
    assert all(30 < face.box.width < 40 for face in faces)


def test_faces_narrower_than_asked_are_left_out(person_image, found_person):
    with FaceFinder(minimum_face_width=1.2 * found_person.box.width) as finder:
        assert finder.find(person_image) == []


@pytest.mark.parametrize("degrees", [-45, -20, 20, 45])
def test_a_rolled_face_is_found_and_its_roll_read(finder, person_image, found_person, degrees):
    (face,) = finder.find(turned(person_image, degrees))
    assert face.pose.roll - found_person.pose.roll == pytest.approx(degrees, abs=4)
    assert face.pose.yaw == pytest.approx(found_person.pose.yaw, abs=6)
    assert face.pose.pitch == pytest.approx(found_person.pose.pitch, abs=6)


def test_a_mirrored_picture_mirrors_yaw_and_roll(finder, person_image, found_person):
    (face,) = finder.find(np.ascontiguousarray(person_image[:, ::-1]))
    assert face.pose.yaw == pytest.approx(-found_person.pose.yaw, abs=4)
    assert face.pose.roll == pytest.approx(-found_person.pose.roll, abs=4)


@pytest.mark.parametrize("scale", [0.4, 2.2])
def test_landmarks_follow_the_size_of_the_picture(finder, person_image, found_person, scale):
    (face,) = finder.find(resized(person_image, scale))
    apart = np.linalg.norm(face.points[:, :2] / scale - found_person.points[:, :2], axis=1)
    assert apart.mean() < 0.02 * found_person.box.width


def test_a_face_cut_by_the_border_gives_no_error(finder, person_image, found_person):
    box = found_person.box
    middle = round(box.x + 0.6 * box.width)
    for face in finder.find(np.ascontiguousarray(person_image[:, :middle])):
        assert align(person_image, face.points).image.shape == (256, 256, 3)


def test_the_quick_path_agrees_with_the_search(finder, person_image, found_person):
    aligned = align(person_image, found_person.points)
    face = finder.landmark_crop(aligned.image)
    assert face is not None
    expected = found_person.points[:, :2] @ aligned.matrix[:, :2].T + aligned.matrix[:, 2]
    assert np.linalg.norm(face.points[:, :2] - expected, axis=1).mean() < 5


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (3, 2), (240, 320), (1500, 2000)])
def test_nothing_is_found_in_nothing(finder, shape):
    blank = np.full((*shape, 3), 128, np.uint8)
    assert finder.find(blank) == []
    assert finder.landmark_crop(blank) is None
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert finder.find(noise) == []


def test_views_of_an_array_are_taken(finder, person_image, found_person):
    bgr = np.ascontiguousarray(person_image[:, :, ::-1])
    (face,) = finder.find(bgr[:, :, ::-1])
    np.testing.assert_allclose(face.points, found_person.points, atol=0.01)


def test_a_closed_finder_can_be_closed_again_and_used_again(person_image):
    finder = FaceFinder()
    finder.close()
    assert finder.landmark_crop(person_image) is not None
    finder.close()
    finder.close()
    assert len(finder.find(person_image)) == 1
    finder.close()


@pytest.mark.parametrize("options", [{"minimum_confidence": 1.0}, {"minimum_face_width": 0.0}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        FaceFinder(**options)


def test_a_damaged_asset_is_refused(monkeypatch):
    from norface.faces import bundle

    monkeypatch.setitem(bundle._SHA256, "face_detector.onnx", "0" * 64)
    with pytest.raises(BundleError, match="damaged"):
        bundle.detector_network()


@pytest.mark.parametrize("ending", ["", "finder.close()", "raise SystemExit(0)"])
def test_the_user_sees_nothing_on_stderr(examples, ending):
    script = (
        "from norface.faces.find import FaceFinder\n"
        "from norface.media.images import read_image\n"
        "finder = FaceFinder()\n"
        f"print(len(finder.find(read_image({str(examples / 'person_1.jpg')!r}))))\n" + ending
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_stderr_works_again_afterwards(capfd):
    from norface.faces.landmarker import silenced

    with silenced():
        print("hidden", file=sys.__stderr__, flush=True)
    print("seen", file=sys.__stderr__, flush=True)
    assert capfd.readouterr().err == "seen\n"
