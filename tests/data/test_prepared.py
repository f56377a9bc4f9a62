"""The faces of a data set: found once, whatever becomes of the labels."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from norface.data import face_finding
from norface.data.catalog import read_data_set
from norface.data.face_finding import FaceFile, FaceFolderError, FaceJob, FaceSettings, Picture
from norface.data.face_folder import _undivided
from norface.data.prepared import prepare_set, read_prepared, verify
from norface.data.sample import DataSet, Sample
from norface.data.sample_pictures import SamplePictures
from norface.media.images import read_image, write_image

pytestmark = pytest.mark.usefixtures("in_this_process")


@pytest.fixture
def table(tmp_path: Path, people: list[Path]) -> Path:
    """A set of two people and a picture without a face."""
    root = tmp_path / "set"
    root.mkdir()
    for path in people[:2]:
        shutil.copy(path, root / path.name)
    write_image(root / "empty.png", np.full((200, 200, 3), 90, np.uint8))
    write_labels(root, "happiness")
    return root


def write_labels(root: Path, emotion: str) -> None:
    rows = [f"{path.name},{path.stem},{emotion}" for path in sorted(root.glob("*.[jp][pn]g"))]
    (root / "table.csv").write_text("\n".join(["path,subject,emotion", *rows]) + "\n")


def quiet(_: str) -> None:
    pass


def test_a_second_run_does_nothing_and_labels_are_read_anew(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "cache"
    said: list[str] = []
    data = read_data_set("table", table)
    counts = prepare_set(data, out, crop=128, say=said.append)
    assert (counts.pictures, counts.faces, counts.skipped) == (3, 2, 1)
    assert said == ["skipped: empty.png: no face found"]
    assert verify(out) == []
    times = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    write_labels(table, "anger")
    corrected = read_data_set("table", table)
    prepare_set(corrected, out, crop=128, say=quiet)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == times
    faces = read_prepared(out, corrected)
    assert set(faces.row) == {"person_1.jpg", "person_2.jpg"}
    assert faces.image[0].shape == (160, 160, 3)
    assert faces.geometry.shape == (2, 478, 3)
    assert faces.crop == 128
    assert [s.emotion for s in corrected.samples] == ["anger"] * 3


def test_faults(table: Path, tmp_path: Path, people: list[Path]) -> None:
    out = tmp_path / "cache"
    data = read_data_set("table", table)
    with pytest.raises(FaceFolderError, match="norface data prepare table --root"):
        read_prepared(out, data)
    prepare_set(data, out, crop=128, say=quiet)
    with pytest.raises(FaceFolderError, match="holds faces of table"):
        prepare_set(DataSet(name="rafdb", root=table, samples=data.samples), out)
    with pytest.raises(FaceFolderError, match="size 160, not 320"):
        prepare_set(data, out, crop=256)
    shutil.copy(people[2], table / "new.jpg")
    write_labels(table, "fear")
    with pytest.raises(FaceFolderError, match=r"lacks 1 pictures of table, such as new\.jpg"):
        read_prepared(out, read_data_set("table", table))
    file = next(iter(json.loads((out / "manifest.json").read_text())["files"]))
    content = bytearray((out / file).read_bytes())
    content[-2000] ^= 255
    (out / file).write_bytes(content)
    assert verify(out) == [file]


def test_a_video_is_decoded_once(
    tmp_path: Path, people: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (320, 320))
    face = cv2.resize(read_image(people[0]), (320, 320))[..., ::-1]
    for _ in range(5):
        writer.write(face)
    writer.release()
    samples = tuple(
        Sample(path=path, frame=frame, subject="a", emotion="neutral") for frame in (0, 1, 3, 4)
    )
    opened: list[str] = []
    capture = cv2.VideoCapture

    def watched(name: str) -> Any:
        opened.append(name)
        return capture(name)

    monkeypatch.setattr(cv2, "VideoCapture", watched)
    data = DataSet(name="table", root=tmp_path, samples=samples)
    counts = prepare_set(data, tmp_path / "cache", crop=128, say=quiet)
    assert counts.faces == 4
    assert len(opened) == 1
    assert set(read_prepared(tmp_path / "cache", data).row) == {
        f"clip.avi#{frame}" for frame in (0, 1, 3, 4)
    }


def test_no_video_is_divided() -> None:
    clips = [Picture("", Sample(path=Path(f"{c}.avi"), frame=f)) for c in "ab" for f in range(5)]
    pictures = [Picture("", Sample(path=Path(f"{i}.jpg"))) for i in range(5)]
    parts = _undivided([*clips, *pictures], 2)
    assert [len(part) for part in parts] == [5, 5, 2, 2, 1]


def test_the_face_in_the_box(group: Path, tmp_path: Path) -> None:
    """Of several faces the one that the set means, and small pictures are enlarged."""
    settings = FaceSettings(size=64, margin=0.0)
    everybody = FaceSettings(size=64, margin=0.0, take="all")
    with SamplePictures() as reader:
        plain = Picture("", Sample(path=group))
        largest = face_finding._faces_of(plain, FaceJob((), settings), reader)[0]
        faces, _ = face_finding._faces_of(plain, FaceJob((), everybody), reader)
        found = face_finding._finder(32.0).find(read_image(group))
        box = found[2].box
        sides = (box.x, box.y, box.x + box.width, box.y + box.height)
        boxed = Picture("", Sample(path=group, box=sides))
        chosen = face_finding._faces_of(boxed, FaceJob((), settings), reader)[0]
    assert len(chosen) == 1
    np.testing.assert_array_equal(chosen[0].image, faces[2].image)
    np.testing.assert_array_equal(largest[0].image, faces[0].image)


def test_small_pictures_are_enlarged(people: list[Path], tmp_path: Path) -> None:
    face = read_image(people[0])
    found = face_finding._finder(32.0).find(face)[0].box
    left, top = max(int(found.x), 0), max(int(found.y), 0)
    crop = face[top : int(found.y + found.height), left : int(found.x + found.width)]
    write_image(tmp_path / "small.png", np.asarray(cv2.resize(crop, (48, 48)), np.uint8))
    job = FaceJob(
        (
            FaceFile(
                (Picture("small", Sample(path=tmp_path / "small.png")),), tmp_path / "faces_0.npz"
            ),
        ),
        FaceSettings(size=64, margin=0.0),
    )
    assert face_finding.write_faces(job) == []
