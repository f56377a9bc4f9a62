from __future__ import annotations

from pathlib import Path

import pytest

from norface.cli.plan import plan


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(*paths: Path) -> list[str]:
    return [str(each.name) for each in plan(paths).pictures]


def test_a_file_is_named_by_its_stem(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "photo.of.me.jpg")
    assert names(tmp_path / "a" / "photo.of.me.jpg") == ["photo.of.me"]


def test_a_folder_keeps_its_tree(tmp_path: Path) -> None:
    touch(tmp_path / "x.jpg", tmp_path / "one" / "x.jpg", tmp_path / "two" / "deep" / "x.jpg")
    assert sorted(names(tmp_path)) == ["one/x", "two/deep/x", "x"]


def test_equal_stems_get_names_of_their_own(tmp_path: Path) -> None:
    touch(tmp_path / "x.jpg", tmp_path / "x.png", tmp_path / "X.JPG", tmp_path / "y.png")
    found = names(tmp_path)
    assert "y" in found
    assert len({name.casefold() for name in found}) == 4


def test_equal_names_from_different_places_get_names_of_their_own(tmp_path: Path) -> None:
    files = [tmp_path / place / "x.jpg" for place in ("a", "b", "c/b")]
    touch(*files)
    assert len(set(names(*files))) == 3
    assert len(set(names(*(file.parent for file in files)))) == 3


def test_a_picture_named_twice_is_analyzed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "x.jpg")
    monkeypatch.chdir(tmp_path)
    assert len(plan([Path("x.jpg"), tmp_path, tmp_path / "x.jpg"]).pictures) == 1


def test_the_input_is_the_path_that_the_user_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "here" / "deep" / "x.jpg")
    monkeypatch.chdir(tmp_path)
    assert [each.input for each in plan([Path("here")]).pictures] == ["here/deep/x.jpg"]


def test_a_long_name_leaves_room_for_suffixes(tmp_path: Path) -> None:
    files = [tmp_path / f"{'ü' * 120}{i}.jpg" for i in range(2)]
    touch(*files)
    found = plan(files).pictures
    assert all(len(f"{each.name}_face10.png".encode()) < 255 for each in found)
    assert found[0].name != found[1].name


def test_problems_are_told_and_the_rest_is_planned(tmp_path: Path) -> None:
    touch(tmp_path / "x.jpg", tmp_path / "texts" / "notes.txt")
    found = plan([tmp_path / "nowhere.jpg", tmp_path / "texts", tmp_path / "x.jpg"])
    assert [name for name, _ in found.problems] == [
        (tmp_path / "nowhere.jpg").as_posix(),
        (tmp_path / "texts").as_posix(),
    ]
    assert len(found.pictures) == 1


def test_pictures_made_by_norface_are_not_taken_from_a_folder(tmp_path: Path) -> None:
    made = tmp_path / "results" / "normalized"
    touch(tmp_path / "x.jpg", made / "x_face0.png")
    found = plan([tmp_path, made / "x_face0.png"], outputs=[made])
    assert [each.path.name for each in found.pictures] == ["x.jpg", "x_face0.png"]
    assert len(plan([tmp_path], outputs=[made]).pictures) == 1


def test_videos_are_told_from_pictures(tmp_path: Path) -> None:
    touch(tmp_path / "x.jpg", tmp_path / "x.mp4", tmp_path / "deep" / "x.mkv", tmp_path / "x.txt")
    found = plan([tmp_path])
    assert [str(each.name) for each in found.pictures] == ["x"]
    assert sorted(str(each.name) for each in found.videos) == ["deep/x", "x"]
    assert found.live is None


def test_no_video_takes_the_name_of_a_table(tmp_path: Path) -> None:
    names = ("faces.mp4", "errors.mkv", "a.mp4", "A_events.mp4", "a.mov")
    touch(*(tmp_path / name for name in names))
    found = {str(each.name) for each in plan([tmp_path]).videos}
    assert found == {"faces_mp4", "errors_mkv", "a_mp4", "A_events_mp4", "a_mov"}


def test_an_address_and_a_camera_are_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("norface.media.video_source.camera_input", lambda index: ("v", "x", {}))
    touch(tmp_path / "1")
    found = plan(["rtsp://me:secret@host:554/door", "0", "http://host/film.mp4", "1", "0"])
    assert [each.source for each in found.videos] == [
        "rtsp://me:secret@host:554/door", "0", "http://host/film.mp4",
    ]  # fmt: skip
    assert [each.input for each in found.videos] == [
        "rtsp://host:554/door", "Camera 0", "http://host/film.mp4",
    ]  # fmt: skip
    assert [str(each.name) for each in found.videos] == [
        "rtsp_host_554_door", "camera_0", "http_host_film_mp4",
    ]  # fmt: skip
    assert found.live is found.videos[0]
    assert [each.input for each in found.pictures] == ["1"]


def test_addresses_that_look_alike_get_names_of_their_own() -> None:
    found = plan(["http://host/a.mp4", "http://host/a_mp4"]).videos
    assert [str(each.name) for each in found] == ["http_host_a_mp4", "http_host_a_mp4_2"]


def test_a_camera_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(index: int) -> None:
        raise OSError("there is no such camera.")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("norface.media.video_source.camera_input", missing)
    assert plan(["7"]).problems[0][0] == "7"
