"""Sets of face crops: one in which no face is found is cut out as the others are."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from norface.data import face_folder
from norface.data.catalog import read_data_set
from norface.data.face_finding import FaceFolderError
from norface.data.fixed_crop import FixedCrop, enlarge, find_in_crop, placement
from norface.data.prepared import prepare_set, read_prepared, verify
from norface.data.sample import DataSet
from norface.faces.align import framing, geometry
from norface.faces.bundle import canonical_face
from norface.faces.find import FaceFinder
from norface.faces.pose import fit_head
from norface.media.arrays import write_arrays
from norface.media.images import read_image

pytestmark = pytest.mark.usefixtures("in_this_process")


@pytest.fixture(scope="module")
def crops(people: list[Path]) -> list[np.ndarray]:
    """Grey faces of 48 x 48 pixels, as in FER2013."""
    faces = []
    with FaceFinder() as finder:
        for path in people[:3]:
            image = read_image(path)
            box = finder.find(image)[0].box
            low = max(int(box.y), 0), max(int(box.x), 0)
            crop = image[low[0] : int(box.y + box.height), low[1] : int(box.x + box.width)]
            small = cv2.resize(crop, (48, 48), interpolation=cv2.INTER_AREA)
            faces.append(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
    return faces


def write_fer(root: Path, pictures: list[np.ndarray]) -> DataSet:
    root.mkdir(exist_ok=True)
    rows = [f"{i % 7},{' '.join(map(str, p.ravel()))},Training" for i, p in enumerate(pictures)]
    (root / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return read_data_set("fer2013", root)


BLANK = np.tile(np.arange(48, dtype=np.uint8) * 4, (48, 1))


def quiet(_: str) -> None:
    pass


def test_a_face_that_is_not_found_is_cut_out_as_the_others(
    crops: list[np.ndarray], tmp_path: Path
) -> None:
    data = write_fer(tmp_path / "set", [crops[0], BLANK, crops[1], crops[2]])
    assert data.face_crops
    out, said = tmp_path / "cache", []
    counts = prepare_set(data, out, crop=64, say=said.append)
    assert (counts.pictures, counts.faces, counts.skipped, counts.fixed) == (4, 4, 0, 1)
    assert said == ["no face found in 1 pictures: they are cut out as the others are in the median"]
    with (out / "skipped.csv").open() as file:
        assert list(csv.reader(file))[1:] == [
            ["fer2013.csv#1", "no face found: a fixed crop was taken"]
        ]
    assert verify(out) == []
    faces = read_prepared(out, data)
    assert faces.image.shape == (4, 80, 80, 3)
    row = faces.row["fer2013.csv#1"]
    found = np.flatnonzero(faces.found)
    assert faces.found.sum() == 3
    assert not faces.found[row]
    np.testing.assert_allclose(
        faces.geometry[row], faces.geometry[found].astype(float).mean(axis=0), atol=2e-3
    )
    np.testing.assert_allclose(faces.pose[row], np.median(faces.pose[found], axis=0), atol=0.1)
    # The brightness grows to the right at the same rate as in the picture, under the zoom.
    with np.load(next(iter(sorted(out.glob("faces_*.npz"))))) as content:
        zoom = np.median(content["placement"][:, 0, 0])
    grey = faces.image[row][40, 15:65, 0].astype(float)
    assert np.polyfit(np.arange(50), grey, 1)[0] == pytest.approx(4 * 48 / 80 / zoom, rel=0.05)


def test_what_was_interrupted_goes_on_to_the_same_faces(
    crops: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_fer(tmp_path / "set", [crops[0], BLANK, crops[1], BLANK])
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    prepare_set(data, whole, crop=64, say=quiet)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(face_folder.FixedCrop, "of_found", stopped)
        with pytest.raises(KeyboardInterrupt):
            prepare_set(data, cut, crop=64, say=quiet)
    prepare_set(data, cut, crop=64, say=quiet)
    one, other = (read_prepared(folder, data) for folder in (whole, cut))
    assert one.row == other.row
    assert one.found.tolist() == other.found.tolist()
    for i in range(4):
        np.testing.assert_array_equal(one.image[i], other.image[i])
    times = {path: path.stat().st_mtime_ns for path in cut.iterdir()}
    assert prepare_set(data, cut, crop=64, say=quiet).fixed == 2
    assert {path: path.stat().st_mtime_ns for path in cut.iterdir()} == times
    # A damaged file of the first faces is made again, and no picture comes twice.
    (cut / "faces_000000.npz").unlink()
    assert prepare_set(data, cut, crop=64, say=quiet).faces == 4
    assert len(read_prepared(cut, data)) == 4


def test_nothing_found_at_all(tmp_path: Path) -> None:
    data = write_fer(tmp_path / "set", [BLANK, BLANK])
    counts = prepare_set(data, tmp_path / "cache", crop=64, say=quiet)
    assert (counts.faces, counts.fixed) == (2, 2)
    faces = read_prepared(tmp_path / "cache", data)
    np.testing.assert_allclose(faces.geometry[0], geometry(canonical_face()), atol=2e-3)
    assert faces.image[0].std() > 10


def test_pictures_of_other_kinds_have_no_fixed_crop(
    crops: list[np.ndarray], tmp_path: Path
) -> None:
    root = tmp_path / "set"
    root.mkdir()
    for name, picture in (("face", crops[0]), ("blank", BLANK)):
        cv2.imwrite(str(root / f"{name}.png"), picture)
    (root / "table.csv").write_text("path,emotion\nface.png,fear\nblank.png,fear\n")
    plain = read_data_set("table", root)
    counts = prepare_set(plain, tmp_path / "plain", crop=64, say=quiet)
    assert (counts.faces, counts.skipped, counts.fixed) == (1, 1, 0)
    asked = read_data_set("table", root, "face-crops")
    counts = prepare_set(asked, tmp_path / "asked", crop=64, say=quiet)
    assert (counts.faces, counts.skipped, counts.fixed) == (2, 0, 1)
    with pytest.raises(FaceFolderError, match="face_crops True, not False"):
        prepare_set(
            DataSet(name="table", root=root, samples=asked.samples, variant="face-crops"),
            tmp_path / "asked",
            crop=64,
        )


def test_a_cache_that_does_not_say_holds_found_faces(
    crops: list[np.ndarray], tmp_path: Path
) -> None:
    data = write_fer(tmp_path / "set", crops[:1])
    out = tmp_path / "cache"
    prepare_set(data, out, crop=64, say=quiet)
    path = out / "faces_000000.npz"
    with np.load(path) as content:
        kept = {name: content[name] for name in content if name not in ("found", "placement")}
    write_arrays(path, kept)
    assert read_prepared(out, data).found.all()
    assert json.loads((out / "cache.json").read_text())["face_crops"]


def test_a_placement_does_not_depend_on_size_or_margin(crops: list[np.ndarray]) -> None:
    image = np.repeat(crops[0][..., None], 3, axis=2)
    with FaceFinder() as finder:
        found = find_in_crop(finder, image)
        assert found is not None
        own = placement(*found)
        large = np.asarray(cv2.resize(image, (480, 480), interpolation=cv2.INTER_CUBIC), np.uint8)
        again = find_in_crop(finder, large)
        assert again is not None
    np.testing.assert_allclose(own, placement(*again), atol=0.05)
    fixed = FixedCrop(own, np.zeros((478, 3), np.float32), np.zeros(3))
    other = enlarge(image, 0.5)
    shift = other.image.shape[0] / 2 - found[0].image.shape[0] / 2
    matrix = framing(fit_head(found[1].points), 64)
    np.testing.assert_allclose(
        fixed.framing(other, 64) @ [shift, shift, 1], matrix @ [0, 0, 1], atol=1e-6
    )
