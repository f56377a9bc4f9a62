import numpy as np
import pytest

from norface.faces.detector import Detector, merged, overlaps
from norface.faces.tiles import TILE, TILE_OVERLAP, levels, square_crop, tile_starts


def test_boxes_of_one_face_become_one():
    boxes = np.array(
        [
            [10.0, 10.0, 40.0, 40.0, 0.6],
            [12.0, 10.0, 40.0, 40.0, 0.9],
            [200.0, 50.0, 20.0, 20.0, 0.7],
        ]
    )
    face, other = merged(boxes)
    np.testing.assert_allclose(face, [11.2, 10.0, 40.0, 40.0, 0.9])
    np.testing.assert_allclose(other, boxes[2])
    assert merged(np.empty((0, 5))).shape == (0, 5)


def test_overlap_is_intersection_over_union():
    box = np.array([0.0, 0.0, 10.0, 10.0])
    others = np.array([[0.0, 0.0, 10.0, 10.0], [5.0, 0.0, 10.0, 10.0], [20.0, 0.0, 5.0, 5.0]])
    np.testing.assert_allclose(overlaps(box, others), [1.0, 1 / 3, 0.0])


@pytest.mark.parametrize("length", [1, 500, 700, 1452, 1936, 6000])
def test_tiles_cover_a_length_and_overlap(length):
    starts = tile_starts(length)
    assert starts[0] == 0
    if len(starts) > 1:
        assert starts[-1] + TILE == length
        assert max(np.diff(starts)) <= TILE - TILE_OVERLAP
    else:
        assert length <= 1.3 * TILE


def test_levels_go_from_fine_to_a_small_copy():
    sides = [max(level.shape) for level in levels(np.zeros((3000, 4000, 3), np.uint8), 0.484)]
    assert sides == [1936, 645, 215, 96]
    assert [level.shape for level in levels(np.zeros((48, 48, 3), np.uint8), 0.484)] == [
        (96, 96, 3)
    ]
    assert [level.shape for level in levels(np.zeros((1, 900, 3), np.uint8), 0.4)] == [
        (1, 360, 3), (1, 120, 3), (1, 96, 3),
    ]  # fmt: skip


def test_a_crop_over_the_border_is_black_outside():
    image = np.full((100, 100, 3), 200, np.uint8)
    square, low, zoom = square_crop(image, np.array([-10.0, 40.0, 20.0, 20.0, 1.0]), 2.0, 80)
    assert square.shape == (80, 80, 3)
    assert tuple(low) == (-20, 30)
    assert zoom == 0.5
    assert (square[:, :39] == 0).all()
    assert (square[:, 41:] == 200).all()
    far, _, _ = square_crop(image, np.array([900.0, 900.0, 20.0, 20.0, 1.0]), 2.0, 80)
    assert not far.any()


def test_a_picture_is_read_alike_at_any_size_around_it(person_face):
    # The network is one convolution: a face gives the same wherever it lies on the grid of cells.
    alone = np.zeros((128, 128, 3), np.uint8)
    alone[32:96, 32:96] = person_face
    wide = np.zeros((400, 640, 3), np.uint8)
    wide[32 + 160 : 96 + 160, 32 + 320 : 96 + 320] = person_face
    detect = Detector()
    (one,), (other,) = detect(alone, 0.5), detect(wide, 0.5)
    np.testing.assert_allclose(other[:4] - one[:4], (320.0, 160.0, 0.0, 0.0), atol=2.0)
    assert other[4] == pytest.approx(one[4], abs=0.05)


def test_it_agrees_with_mediapipe(person_face):
    from mediapipe import Image, ImageFormat
    from mediapipe.tasks.python import BaseOptions, vision

    from norface.faces.bundle import detector_model
    from norface.faces.landmarker import silenced

    picture = np.zeros((128, 128, 3), np.uint8)
    picture[32:96, 32:96] = person_face
    options = vision.FaceDetectorOptions(BaseOptions(model_asset_buffer=detector_model()))
    with silenced(), vision.FaceDetector.create_from_options(options) as reference:
        given = Image(image_format=ImageFormat.SRGB, data=picture)
        (expected,) = reference.detect(given).detections
    (found,) = Detector()(picture, 0.5)
    box = expected.bounding_box
    wanted = (box.origin_x, box.origin_y, box.width, box.height)
    np.testing.assert_allclose(found[:4], wanted, atol=1.5)  # MediaPipe's are whole numbers
    assert found[4] == pytest.approx(expected.categories[0].score, abs=1e-3)
