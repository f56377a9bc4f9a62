"""A cache of faces: complete, resumable, and plain about what it could not use."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from norface.data import face_finding, face_folder
from norface.data.face_finding import FaceFolderError, FaceSettings
from norface.data.face_folder import FaceCounts, face_files, missing_pictures, prepare_faces
from norface.data.face_pictures import FacePictures
from norface.faces.align import align
from norface.faces.find import FaceFinder
from norface.media.images import read_image, write_image

SMALL = FaceSettings(size=64)
pytestmark = pytest.mark.usefixtures("in_this_process")


@pytest.fixture
def pictures(tmp_path: Path, root: Path) -> Path:
    """Two people, one in a folder within; a file that is none, and a picture without a face."""
    folder = tmp_path / "pictures"
    (folder / "deeper").mkdir(parents=True)
    shutil.copy(root / "examples" / "person_1.jpg", folder / "deeper" / "a.jpg")
    shutil.copy(root / "examples" / "person_2.jpg", folder / "b.jpg")
    (folder / "broken.jpg").write_bytes((folder / "b.jpg").read_bytes()[:3000])
    write_image(folder / "empty.png", np.full((64, 64, 3), 90, np.uint8))
    return folder


def test_faces_are_framed_as_elsewhere(pictures: Path, tmp_path: Path) -> None:
    said: list[str] = []
    counts = prepare_faces([pictures], tmp_path / "cache", SMALL, say=said.append)
    assert counts == FaceCounts(pictures=4, faces=2, skipped=2)
    faces = FacePictures(caches=[tmp_path / "cache"])
    assert len(faces) == 2
    assert faces[0].image.shape == (80, 80, 3)
    image = read_image(pictures / "b.jpg")
    with FaceFinder() as finder:
        (face,) = finder.find(image)
    expected = align(image, face.points, 64).image.astype(int)
    # The files are in the order of their names: b.jpg comes first, then deeper/a.jpg.
    difference = np.abs(faces[0].frame(64) - expected).mean()
    shifted = np.abs(faces[0].frame(64)[:, 1:] - expected[:, :-1]).mean()
    assert difference < 0.4 * shifted
    assert faces[1].frame(32).shape == (32, 32, 3)
    with pytest.raises(IndexError):
        faces[2]


def test_bad_pictures_are_named(pictures: Path, tmp_path: Path) -> None:
    said: list[str] = []
    prepare_faces([pictures], tmp_path / "cache", SMALL, say=said.append)
    assert len(said) == 2
    assert "broken.jpg is damaged" in said[0]
    assert "empty.png: no face found" in said[1]
    with (tmp_path / "cache" / "skipped.csv").open() as file:
        assert [Path(row["input"]).name for row in csv.DictReader(file)] == [
            "broken.jpg",
            "empty.png",
        ]


def test_a_second_run_does_nothing_and_new_pictures_join(
    pictures: Path, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    first = prepare_faces([pictures], cache, SMALL, say=lambda _: None)
    times = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    assert prepare_faces([Path("pictures")], cache, SMALL, say=said.append) == first
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == times
    assert not said
    shutil.copy(root / "examples" / "person_3.jpg", pictures / "aa.jpg")
    assert missing_pictures([pictures], cache) == [str(pictures / "aa.jpg")]
    grown = prepare_faces([pictures], cache, SMALL, say=said.append)
    assert (grown.pictures, grown.faces) == (5, 3)
    assert len(FacePictures(caches=[cache])) == 3


def test_an_interrupted_run_goes_on(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_folder, "_PICTURES_A_FILE", 1)
    looked_at: list[str] = []
    find = face_finding._faces_of

    def watched(picture: face_finding.Picture, *others: Any) -> Any:
        looked_at.append(picture.sample.path.name)
        return find(picture, *others)

    monkeypatch.setattr(face_finding, "_faces_of", watched)

    def interrupted(work: Callable[[Any], Any], jobs: Iterable[Any], *_: object) -> Iterator[Any]:
        for number, job in enumerate(jobs):
            if number == 2:
                raise KeyboardInterrupt
            yield work(job)

    with monkeypatch.context() as patch:
        patch.setattr(face_folder, "in_processes", interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepare_faces([pictures], tmp_path / "cache", SMALL, say=lambda _: None)
    assert len(face_files(tmp_path / "cache")) == 2
    # What a killed process leaves of a file is no file of the cache.
    (tmp_path / "cache" / ".faces_000002.npz-0123.part").write_bytes(b"half")
    counts = prepare_faces([pictures], tmp_path / "cache", SMALL, say=lambda _: None)
    assert counts == FaceCounts(pictures=4, faces=2, skipped=2)
    assert looked_at == ["b.jpg", "broken.jpg", "a.jpg", "empty.png"]


def test_all_faces_of_a_picture_or_the_largest(group: Path, tmp_path: Path) -> None:
    everybody = FaceSettings(size=32, margin=0.0, take="all")
    many = prepare_faces([group], tmp_path / "all", everybody, say=lambda _: None)
    assert many.faces > 3
    one = prepare_faces([group], tmp_path / "one", FaceSettings(size=32), say=lambda _: None)
    assert one.faces == 1
    assert FacePictures(caches=[tmp_path / "all", tmp_path / "one"])[many.faces].room == 4


def test_faults_say_what_to_do(pictures: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(FaceFolderError, match="no picture in"):
        prepare_faces([tmp_path / "cache"], cache, SMALL)
    with pytest.raises(FaceFolderError, match=r"no face was found in 1 pictures: see .*skipped"):
        prepare_faces([pictures / "empty.png"], cache, SMALL, say=lambda _: None)
    with pytest.raises(FaceFolderError, match="no face in"):
        FacePictures(caches=[cache])
    with pytest.raises(FaceFolderError, match="size 64, not 96"):
        prepare_faces([pictures], cache, FaceSettings(size=96))
    with pytest.raises(FaceFolderError, match="prepare-faces"):
        FacePictures(caches=[pictures])
    face_files(cache)[0].write_bytes(b"damaged")
    with pytest.raises(FaceFolderError, match=r"faces_000000\.npz cannot be read.*delete it"):
        prepare_faces([pictures], cache, SMALL)
    with pytest.raises(FaceFolderError, match=r"faces_000000\.npz cannot be read.*delete"):
        FacePictures(caches=[cache])
