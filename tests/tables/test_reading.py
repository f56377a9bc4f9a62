"""Tables read back, also those of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from norface.results import FaceAnalysis
from norface.tables.opening import open_table
from norface.tables.part_file import TableError, part_of
from norface.tables.reading import read_columns, unit_columns
from norface.tables.styles import COLUMN_STYLES, FramePlace, style_columns, video_row
from norface.tables.tracks import read_tracks


def test_openface_with_spaces_is_read(tmp_path: Path) -> None:
    path = tmp_path / "of.csv"
    path.write_text(
        "\ufeffframe, face_id, timestamp, confidence, success, AU12_r, AU12_c\n"
        "1, 0, 0.000, 0.98, 1, 1.50, 0.00\n"
        "2, 0, 0.033, 0.03, 0, 0.00, 0.00\n"
        "3, 0, 0.067, 0.98, 1, 2.50, 1.00",
        encoding="utf-8",
    )
    table = read_columns(path)
    assert table.names[1] == "face_id"
    assert table.rows == 3
    assert table.numbers("AU12_r").tolist() == [1.5, 0.0, 2.5]
    (track,) = read_tracks(path)
    assert (track.input, track.person, track.times.tolist()) == ("", "0", [0.0, 0.067])
    assert track.units["AU12"].tolist() == [1.5, 2.5]


def test_only_what_is_wanted_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,2,x\n", encoding="utf-8")
    table = read_columns(path, ("b", "d"))
    assert table.names == ("a", "b", "c")
    assert list(table.values) == ["b"]
    with pytest.raises(TableError, match="no column d"):
        table.numbers("d")
    with pytest.raises(TableError, match="something else than numbers"):
        read_columns(path).numbers("c")


def test_a_column_that_turns_out_to_hold_words_is_words(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n\n2.5\nx\n", encoding="utf-8")
    assert read_columns(path).texts("a").tolist() == ["1", "2.5", "x"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.csv", None, "cannot be read"),
        ("empty.csv", "", "is empty"),
        ("empty.jsonl", "", "is empty"),
        ("torn.csv", "a,b\n1,2\n3\n4,5\n", "line 3"),
        ("words.jsonl", "hello\n", "line 1"),
        ("list.jsonl", "[1]\n", "no JSON object"),
        ("binary.jsonl", b"\xff\xd8\xff\n", "is no table"),
    ],
)
def test_what_is_no_table_is_told(
    tmp_path: Path, name: str, content: str | bytes | None, says: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(TableError, match=says) as caught:
        read_columns(path)
    assert name in str(caught.value)


def test_a_damaged_parquet_file_is_told(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1" + bytes(100))
    for read in (read_columns, lambda path: open_table(path, ("a",), append=True)):
        with pytest.raises(TableError, match="no Parquet file"):
            read(path)


def test_a_table_is_also_read_by_the_name_of_its_part(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with open_table(path, ("frame",)) as table:
        table.write({"frame": 3})
        assert read_columns(part_of(path)).numbers("frame").tolist() == [3]


def test_json_lines_hold_numbers_and_nulls(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    columns = ("input", "frame", "success", "AU12_r", "AU12_c", "emotion")
    with open_table(path, columns) as table:
        cells = ("7", "3", "1", "0.500", "1", "")
        table.write(dict(zip(columns, cells, strict=True)))
    row = json.loads(path.read_text())
    assert list(row.values()) == ["7", 3, 1, 0.5, 1, None]
    assert [type(value) for value in row.values()] == [str, int, int, float, int, type(None)]


def test_units_are_known_by_their_columns() -> None:
    assert unit_columns(["AU01_r", "AU01_p", "AU02_left_r", "AU12_c"]) == {"AU01": "AU01_r"}
    assert unit_columns(["AU01", "AU43"]) == {"AU01": "AU01", "AU43": "AU43"}


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("style", COLUMN_STYLES)
def test_tracks_are_the_same_in_every_style_and_format(
    style: str, suffix: str, tmp_path: Path, canonical: Callable[..., FaceAnalysis]
) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    face = canonical()
    path = tmp_path / f"t{suffix}"
    seen = {0: (5,), 1: (5, 2), 2: (), 3: (2, 5)}
    with open_table(path, style_columns(style)) as table:
        for frame, people in seen.items():
            place = FramePlace("clip.mp4", frame, frame / 8, (640, 480))
            for person in people:
                table.write(video_row(style, place, face, person=person))
            if not people:
                table.write(video_row(style, place, None))
    first, second = read_tracks(path, ["AU12"])
    assert [first.person, second.person] == ["5", "2"]
    assert first.times.tolist() == [0.0, 0.125, 0.375]
    assert second.times.tolist() == [0.125, 0.375]
    assert first.input == ("" if style == "openface" else "clip.mp4")
    # 12/20, but Py-Feat's tables hold the probability, which is 0.25.
    expected = 5 * 0.25 if style == "py-feat" else 0.6
    assert np.allclose(first.units["AU12"], expected)
    assert list(first.units) == ["AU12"]


def test_tracks_need_times_and_units(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    for content, says in (
        ("frame,AU12_r\n1,2\n", "no column timestamp"),
        ("timestamp,success\n1,1\n", "none at all"),
        ("timestamp,AU12_r\n,1\n", "holds pictures"),
    ):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(TableError, match=says):
            read_tracks(path)
    path.write_text("timestamp,AU12_r\n1,2\n", encoding="utf-8")
    with pytest.raises(TableError, match="no AU04; it has AU12"):
        read_tracks(path, ["AU04", "AU12"])


def test_videos_are_told_apart_and_rows_sorted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "input,timestamp,face_id,success,AU12_r\n"
        "a,0.2,0,1,3\nb,0.0,0,1,5\na,0.1,0,1,2\na,0.2,0,1,9\nb,0.1,,0,\nc,0.0,,0,\n",
        encoding="utf-8",
    )
    a, b = read_tracks(path)
    assert (a.input, a.times.tolist(), a.units["AU12"].tolist()) == ("a", [0.1, 0.2], [2, 3])
    assert (b.input, b.times.tolist()) == ("b", [0.0])


def test_a_table_without_faces_has_no_tracks(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("input,timestamp,face_id,success,AU12_r\na,0.2,,0,\n", encoding="utf-8")
    assert read_tracks(path) == []
