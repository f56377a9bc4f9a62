from __future__ import annotations

from pathlib import Path

import pytest

from norface.data.catalog import read_data_set
from norface.data.sample import DataError

PEAK = "S005/001/S005_001_00000003"


@pytest.fixture
def tree(root: Path, write, picture) -> Path:
    for number in (1, 2, 3):
        picture(f"extended-cohn-kanade-images/cohn-kanade-images/{PEAK[:-1]}{number}.png")
    write(
        f"FACS_labels/FACS/{PEAK}_facs.txt",
        "   9.0000000e+00   3.0000000e+00\n   1.7000000e+01   0.0000000e+00\n",
    )
    write(f"Emotion_labels/Emotion/{PEAK}_emotion.txt", "   3.0000000e+00\n")
    # A sequence without a prototype, whose face shows nothing.
    picture("extended-cohn-kanade-images/cohn-kanade-images/S011/002/S011_002_00000001.png")
    write("FACS_labels/FACS/S011/002/S011_002_00000001_facs.txt", "")
    return root


def test_the_peak(tree: Path) -> None:
    first, second = read_data_set("ck-plus", tree).samples
    assert (first.subject, first.sequence, first.emotion) == ("S005", "001", "disgust")
    assert first.path.stem == "S005_001_00000003"
    assert (first.presence["AU09"], first.presence["AU17"], first.presence["AU12"]) == (1, 1, 0)
    assert first.intensity["AU09"] == 3
    assert "AU17" not in first.intensity
    assert second.emotion is None
    assert not any(second.presence.values())


def test_the_first_picture_is_neutral(tree: Path) -> None:
    data = read_data_set("ck-plus", tree, "peak-and-neutral")
    assert [s.emotion for s in data.samples] == ["neutral", "disgust", None]
    assert not data.samples[0].presence


def test_a_missing_peak(tree: Path) -> None:
    (path,) = tree.rglob("S005_001_00000003.png")
    path.unlink()
    with pytest.raises(DataError, match=r"(?s)S005_001_00000003\.png is missing.*Expected"):
        read_data_set("ck-plus", tree)


@pytest.mark.parametrize("line", ["9", "0.0e+00 1.0e+00", "9 7", "a b"])
def test_damaged_codes(tree: Path, write, line: str) -> None:
    write(f"FACS_labels/FACS/{PEAK}_facs.txt", f"{line}\n")
    with pytest.raises(DataError, match=r"_facs\.txt is damaged"):
        read_data_set("ck-plus", tree)


def test_a_damaged_emotion(tree: Path, write) -> None:
    write(f"Emotion_labels/Emotion/{PEAK}_emotion.txt", "9\n")
    with pytest.raises(DataError, match=r"_emotion\.txt is damaged"):
        read_data_set("ck-plus", tree)
