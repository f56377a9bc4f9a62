"""Tables grow safely, in every format."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from norface.tables import part_file
from norface.tables.opening import TABLES, open_table
from norface.tables.part_file import TableError, complete, part_of
from norface.tables.reading import read_columns

COLUMNS = ("input", "frame", "AU12_r", "emotion")
NAMES = ("a.mp4", 'b "quoted",\r\nin two lines.mp4', "c\n.mp4", "d", "17", 'e""\n"f')


def row(number: int) -> dict[str, object]:
    intensity = "" if number == 3 else f"{number / 10:.3f}"
    emotion = "happiness" if number % 2 else None
    return {"input": NAMES[number], "frame": number, "AU12_r": intensity, "emotion": emotion}


def write(path: Path, rows: range, *, append: bool = False, keep: int | None = None) -> None:
    with open_table(path, COLUMNS, append=append, keep=keep) as table:
        for number in rows:
            table.write(row(number))


def check(path: Path, rows: range) -> None:
    table = read_columns(path)
    assert table.names == COLUMNS
    assert table.texts("input").tolist() == [NAMES[number] for number in rows]
    assert table.numbers("frame").tolist() == list(rows)
    values = [np.nan if number == 3 else number / 10 for number in rows]
    assert np.array_equal(table.numbers("AU12_r"), values, equal_nan=True)
    assert table.texts("emotion").tolist() == ["happiness" if n % 2 else "" for n in rows]


@pytest.fixture(params=sorted(TABLES))
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return tmp_path / f"t{request.param}"


def test_what_is_written_is_read(path: Path) -> None:
    write(path, range(6))
    check(path, range(6))
    assert complete(path)
    assert list(path.parent.iterdir()) == [path]


def test_each_row_can_be_read_as_soon_as_it_is_written(path: Path) -> None:
    with open_table(path, COLUMNS) as table:
        for number in range(6):
            table.write(row(number))
            check(path, range(number + 1))
            assert table.rows == number + 1
            assert not complete(path)


def test_wherever_a_kill_tears_the_rows_they_are_gone_on_with(path: Path) -> None:
    table = open_table(path, COLUMNS)
    ends = []
    for number in range(4):
        table.write(row(number))
        ends.append(table.part.stat().st_size)
    whole = table.part.read_bytes()
    table.close()
    for size in range(len(whole) + 1):
        path.unlink(missing_ok=True)
        part_of(path).write_bytes(whole[:size])
        rows = sum(end <= size for end in ends)
        with open_table(path, COLUMNS, append=True) as again:
            assert again.rows == rows
            for number in range(rows, 6):
                again.write(row(number))
        if size % 37 == 0 or size == len(whole):
            check(path, range(6))
        assert complete(path)


def test_a_torn_last_row_is_not_read(path: Path) -> None:
    table = open_table(path, COLUMNS)
    for number in range(4):
        table.write(row(number))
    torn = table.part.read_bytes()[:-3]
    table.close()
    path.unlink()
    part_of(path).write_bytes(torn)
    check(path, range(3))


def test_a_finished_table_is_gone_on_with(path: Path) -> None:
    write(path, range(2))
    write(path, range(2, 6), append=True)
    check(path, range(6))


def test_rows_after_those_to_keep_go(path: Path) -> None:
    write(path, range(5))
    write(path, range(2, 6), append=True, keep=2)
    check(path, range(6))
    write(path, range(1), append=True, keep=0)
    check(path, range(1))


def test_more_rows_than_there_are_cannot_be_kept(path: Path) -> None:
    with pytest.raises(TableError, match="fewer rows"):
        open_table(path, COLUMNS, append=True, keep=1)
    write(path, range(2))
    with pytest.raises(TableError, match="fewer rows"):
        open_table(path, COLUMNS, append=True, keep=3)


def test_without_append_a_table_starts_anew(path: Path) -> None:
    write(path, range(5))
    write(path, range(2))
    check(path, range(2))


def test_other_columns_are_not_mixed_in(path: Path) -> None:
    write(path, range(2))
    with pytest.raises(TableError, match="other columns"):
        open_table(path, COLUMNS[::-1], append=True)


def test_a_table_without_rows_leaves_nothing(path: Path) -> None:
    write(path, range(0))
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("wrong", [{}, {**row(0), "more": 1}])
def test_a_row_with_other_columns_is_refused(path: Path, wrong: dict[str, object]) -> None:
    with open_table(path, COLUMNS) as table, pytest.raises(ValueError, match="columns"):
        table.write(wrong)


class Full(part_file.FileIO):
    """A file on a disk that takes only so many bytes more."""

    room = 10_000

    def write(self, data: memoryview) -> int:  # type: ignore[override]
        if not Full.room:
            raise OSError(28, "No space left on device")
        written = super().write(data[: Full.room])
        assert written is not None
        Full.room -= written
        return written


def test_a_row_that_no_longer_fits_the_disk_is_taken_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_file, "FileIO", Full)
    monkeypatch.setattr(Full, "room", 10_000)
    with open_table(path, COLUMNS) as table:
        table.write(row(0))
        table.write(row(1))
        monkeypatch.setattr(Full, "room", 5)
        with pytest.raises(OSError, match="No space"):
            table.write(row(2))
        assert Full.room == 0
        assert table.rows == 2
    check(path, range(2))


def test_no_table_has_another_suffix(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"\.csv, \.jsonl, \.parquet"):
        open_table(tmp_path / "t.xlsx", COLUMNS)


def test_parquet_without_pyarrow_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.csv", None)
    with pytest.raises(TableError, match=r"norface\[parquet\]"):
        open_table(tmp_path / "t.parquet", COLUMNS)


def test_parquet_has_row_groups_and_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("norface.tables.parquet._BLOCK", 2000)
    monkeypatch.setattr("norface.tables.parquet._ROW_GROUP", 5000)
    with open_table(tmp_path / "t.parquet", COLUMNS) as table:
        for number in range(1000):
            table.write({**row(0), "frame": number})
    with parquet.ParquetFile(tmp_path / "t.parquet") as file:
        assert file.num_row_groups > 3
        types = {field.name: str(field.type) for field in file.schema_arrow}
    assert types == {
        "input": "string", "frame": "int64", "AU12_r": "double", "emotion": "string",
    }  # fmt: skip
    assert read_columns(tmp_path / "t.parquet").numbers("frame").tolist() == list(range(1000))


@pytest.mark.skipif(os.name != "posix", reason="file names are not bytes")
def test_a_name_may_be_any_bytes(path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe.mp4")
    with open_table(path, COLUMNS) as table:
        table.write({**row(0), "input": name})
    read = read_columns(path).texts("input").tolist()
    assert read == ([r"\udcff\udcfe.mp4"] if path.suffix == ".parquet" else [name])


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, suffix: str) -> None:
    with open_table(tmp_path / f"t{suffix}", COLUMNS) as table:
        table.write(row(0))
        tracemalloc.start()
        for _ in range(20_000):
            table.write(row(1))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 300_000 < table.part.stat().st_size


WRITER = """
import sys
from pathlib import Path
from norface.tables.opening import open_table
table = open_table(Path(sys.argv[1]), ("input", "frame", "AU12_r"), append=True)
number = table.rows
print("go", flush=True)
while True:
    table.write({"input": "a\\n" * 400, "frame": number, "AU12_r": number / 7})
    number += 1
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL")
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_killed_at_any_moment_no_row_is_lost_and_none_is_there_twice(
    tmp_path: Path, suffix: str
) -> None:
    path, chance = tmp_path / f"t{suffix}", random.Random(3)
    before = 0
    for _ in range(3):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "go\n"
            time.sleep(chance.uniform(0.01, 0.1))
            process.kill()
        frames = read_columns(path, ("frame",)).numbers("frame")
        assert frames.tolist() == list(range(len(frames)))
        assert len(frames) > before
        before = len(frames)
