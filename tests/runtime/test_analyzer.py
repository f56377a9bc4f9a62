from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from norface import FaceAnalysis, ImageError, Norface, WeightsError
from norface.facs import ACTION_UNIT_NAMES, ACTION_UNITS, EMOTIONS
from norface.media.images import read_image
from norface.runtime.normalizer import from_network, resize, to_network
from norface.runtime.places import DEFAULT_WEIGHTS


def test_a_face_is_read_whole(norface: Norface, person: Path) -> None:
    (face,) = norface.analyze(person)
    assert tuple(face.action_units) == ACTION_UNIT_NAMES
    for definition in ACTION_UNITS:
        unit = face.action_units[definition.name]
        assert 0 <= unit.intensity <= 5
        assert 0 <= unit.probability <= 1
        assert (unit.left is not None) == (unit.right is not None) == definition.has_sides
    assert tuple(face.emotions) == EMOTIONS
    assert sum(face.emotions.values()) == pytest.approx(1, abs=1e-4)
    assert face.emotion == max(face.emotions, key=face.emotions.__getitem__)
    assert face.normalized.shape == face.aligned.shape == (256, 256, 3)
    assert face.normalized.dtype == face.aligned.dtype == np.uint8
    assert face.landmarks.shape == (478, 3)
    assert face.box.width > 32
    json.dumps(face.to_dict())


def scores(face: FaceAnalysis) -> np.ndarray:
    units = [
        (unit.intensity, unit.probability, unit.left or 0.0, unit.right or 0.0)
        for unit in face.action_units.values()
    ]
    return np.array([*np.ravel(units), *face.emotions.values(), *astuple(face.pose)])


def test_a_path_an_array_and_an_image_give_the_same(norface: Norface, person: Path) -> None:
    array = read_image(person)
    with Image.open(person) as image:
        results = [norface.analyze(each) for each in (person, str(person), array, image)]
    for (face,) in results:
        assert np.array_equal(scores(face), scores(results[0][0]))
        assert np.array_equal(face.normalized, results[0][0].normalized)


def assert_equal(faces: Sequence[FaceAnalysis], others: Sequence[FaceAnalysis]) -> None:
    """To the bit."""
    for face, other in zip(faces, others, strict=True):
        assert face.face_id == other.face_id
        assert np.array_equal(scores(face), scores(other))
        assert np.array_equal(face.normalized, other.normalized)
        assert np.array_equal(face.landmarks, other.landmarks)


def test_many_faces_give_what_each_gives_alone(norface: Norface, group: Path) -> None:
    image = read_image(group)
    together = norface.analyze(image)
    assert [face.face_id for face in together] == list(range(len(together)))
    crops = norface._networks.crops(image, norface._finder.find(image))
    assert len(crops) > 1
    assert_equal(together, [face for crop in crops for face in norface._networks.read([crop])])


def test_faces_come_in_chunks(
    norface: Norface, group: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = norface.analyze(group)
    monkeypatch.setattr("norface.runtime.networks.FACES_AT_ONCE", 2)
    assert_equal(norface.analyze(group), together)


def test_a_batch_gives_what_each_picture_gives_alone(
    norface: Norface, people: list[Path], group: Path
) -> None:
    blank = np.full((100, 100, 3), 128, np.uint8)
    pictures = [people[0], group, blank, *people[1:]]
    batch = list(norface.analyze_batch(pictures))
    assert [len(faces) for faces in batch] == [1, len(batch[1]), 0, 1, 1, 1]
    for picture, faces in zip(pictures, batch, strict=True):
        assert_equal(faces, norface.analyze(picture))


def test_threads_change_nothing(norface: Norface, person: Path) -> None:
    with Norface.load(threads=1) as one, Norface.load(threads=3) as three:
        assert_equal(one.analyze(person), norface.analyze(person))
        assert_equal(three.analyze(person), norface.analyze(person))


def test_a_bad_picture_of_a_batch_is_told_after_those_before_it(
    norface: Norface, people: list[Path], tmp_path: Path
) -> None:
    given = [people[0], tmp_path / "missing.jpg", people[1]]
    batch = norface.analyze_batch(given)
    assert len(next(batch)) == 1
    with pytest.raises(ImageError, match="missing"):
        next(batch)
    outcomes = list(norface.outcomes(given, keep_images=True))
    assert isinstance(outcomes[1].faces, ImageError)
    assert [outcome.size for outcome in outcomes][1] == (0, 0)
    image = outcomes[2].image
    assert image is not None
    assert outcomes[2].size == (image.shape[1], image.shape[0])
    assert_equal(outcomes[2].faces, norface.analyze(people[1]))


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 300, 3), (300, 2, 3), (200, 200), (200, 200, 4)])
def test_a_picture_without_a_face_gives_no_result(norface: Norface, shape: tuple[int, ...]) -> None:
    assert norface.analyze(np.full(shape, 128, np.uint8)) == []


def test_what_is_no_picture_is_told(norface: Norface, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        norface.analyze(np.zeros((3,), np.uint8))
    with pytest.raises(ImageError, match=r"missing\.jpg"):
        norface.analyze(tmp_path / "missing.jpg")


def test_without_the_emotion_network_the_rest_works(person: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DEFAULT_WEIGHTS, tmp_path / "weights"))
    (folder / "emotions.onnx").unlink()
    with Norface.load(weights=folder) as without:
        assert not without.reads_emotions
        (face,) = without.analyze(person)
    assert (face.emotion, face.emotions) == (None, {})
    assert face.action_units["AU12"].intensity >= 0


def test_without_the_network_for_action_units_nothing_is_read(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DEFAULT_WEIGHTS, tmp_path / "weights"))
    (folder / "action_units.onnx").unlink()
    with pytest.raises(WeightsError, match=r"action_units\.onnx cannot be read"):
        Norface.load(weights=folder)


def test_the_threshold_decides_what_is_present(
    norface: Norface, person: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(DEFAULT_WEIGHTS, tmp_path / "weights"))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["thresholds"] = {"AU01": 0.0, "AU04": 1.1}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with Norface.load(weights=folder) as changed:
        (face,) = changed.analyze(person)
    assert face.action_units["AU01"].present
    assert not face.action_units["AU04"].present
    assert face.action_units["AU12"].present == (face.action_units["AU12"].probability >= 0.5)


def test_another_target_gives_another_face_and_the_same_scores(
    norface: Norface, person: Path, group: Path
) -> None:
    (common,) = norface.analyze(person)
    with Norface.load(target=read_image(group)) as other:
        (face,) = other.analyze(person)
        assert not np.array_equal(other.target, norface.target)
    assert np.array_equal(scores(face), scores(common))
    assert not np.array_equal(face.normalized, common.normalized)


def test_a_target_without_a_face_is_told() -> None:
    with pytest.raises(ImageError, match="target"):
        Norface.load(target=np.zeros((64, 64, 3), np.uint8))


def test_pictures_survive_the_way_to_the_networks_and_back() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 6, 4, 3), np.uint8)
    assert np.array_equal(from_network(to_network(images)), images)


def test_resizing_takes_the_mean_of_the_area() -> None:
    images = np.random.default_rng(0).random((2, 3, 8, 8), np.float32)
    expected = images.reshape(2, 3, 4, 2, 4, 2).mean(axis=(3, 5))
    assert resize(images, 4) == pytest.approx(expected, abs=1e-6)
