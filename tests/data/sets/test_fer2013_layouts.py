from __future__ import annotations

from pathlib import Path

import pytest

from norface.data.catalog import read_data_set
from norface.data.sample import DataError
from norface.data.sample_pictures import SamplePictures
from norface.data.sets.fer2013 import agreement

PIXELS = " ".join(["7"] * 2304)
VOTES_HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
)


def test_the_table_of_the_contest(root: Path, write) -> None:
    write(
        "fer2013.csv",
        f"emotion,pixels,Usage\n0,{PIXELS},Training\n6,{' '.join(['9'] * 2304)},PrivateTest\n",
    )
    data = read_data_set("fer2013", root)
    assert [(s.emotion, s.split) for s in data.samples] == [("anger", "train"), ("neutral", "test")]
    with SamplePictures() as pictures:
        image = pictures.read(data.samples[1])
    assert image.shape == (48, 48, 3)
    assert set(image.flat) == {9}


def test_the_other_table_of_the_contest(root: Path, write) -> None:
    write("icml_face_data.csv", f'emotion, Usage, pixels\n3,PublicTest,"{PIXELS}"\n')
    (sample,) = read_data_set("fer2013", root).samples
    assert (sample.emotion, sample.split) == ("happiness", "validation")
    with SamplePictures() as pictures:
        assert set(pictures.read(sample).flat) == {7}


@pytest.mark.parametrize("row", ["7,1 2,Training", "0,1 2,Other", "0"])
def test_a_damaged_table(root: Path, write, row: str) -> None:
    write("fer2013.csv", f"emotion,pixels,Usage\n{row}\n")
    with pytest.raises(DataError, match=r"fer2013\.csv is damaged in row 2"):
        read_data_set("fer2013", root)


def test_a_folder_for_each_emotion(root: Path, write, picture) -> None:
    picture("train/angry/im0.png", (48, 48))
    picture("train/surprise/im1.png", (48, 48))
    picture("test/happy/im2.png", (48, 48))
    write("test/happy/Thumbs.db", "")
    data = read_data_set("fer2013", root)
    assert [s.emotion for s in data.samples] == ["anger", "surprise", "happiness"]
    assert [s.split for s in data.samples] == ["train", "train", "test"]


VOTES = VOTES_HEADER + (
    "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0\n"
    "Training,fer0000001.png,0,10,0,0,0,0,0,0,0,0\n"
    "Training,,0,0,0,0,0,0,0,0,0,10\n"
    "PublicTest,fer0000003.png,0,0,0,0,0,0,0,0,10,0\n"
    "PrivateTest,fer0000004.png,0,0,0,0,0,0,1,8,1,0\n"
)


def check_votes(samples) -> None:
    first, second, last = samples
    assert first.emotion is None
    assert dict(first.emotion_distribution) == {
        "neutral": pytest.approx(4 / 9),
        "anger": pytest.approx(3 / 9),
        "disgust": pytest.approx(2 / 9),
    }
    assert second.emotion == "happiness"
    assert (last.emotion, last.split) == ("contempt", "test")


def test_votes_over_the_table(root: Path, write) -> None:
    write("fer2013new.csv", VOTES)
    write("fer2013.csv", "emotion,pixels,Usage\n" + f"0,{PIXELS},Training\n" * 5)
    data = read_data_set("fer2013", root, "ferplus")
    check_votes(data.samples)
    assert [s.frame for s in data.samples] == [0, 1, 4]
    assert data.skipped == {"taken out by FER+": 1, "unknown or no face": 1}


def test_votes_over_folders(root: Path, write, picture) -> None:
    write("fer2013new.csv", VOTES)
    for name in ("Train/fer0000000", "Train/fer0000001", "Valid/fer0000003", "Test/fer0000004"):
        picture(f"FER2013{name}.png", (48, 48))
    data = read_data_set("fer2013", root, "ferplus")
    check_votes(data.samples)
    assert data.samples[2].path == root / "FER2013Test/fer0000004.png"
    (root / "FER2013Test/fer0000004.png").unlink()
    with pytest.raises(DataError, match=r"fer0000004\.png is missing"):
        read_data_set("fer2013", root, "ferplus")


@pytest.mark.parametrize(
    ("votes", "emotion", "known"),
    [
        ((10, 0, 0, 0, 0, 0, 0, 0, 0, 0), "neutral", True),
        ((5, 5, 0, 0, 0, 0, 0, 0, 0, 0), None, True),
        ((0, 6, 0, 0, 0, 0, 0, 0, 4, 0), "happiness", True),
        ((0, 5, 0, 0, 0, 0, 0, 0, 5, 0), None, False),
        # Single votes are errors: here nothing is left.
        ((1, 1, 1, 1, 1, 1, 1, 1, 1, 1), None, False),
        # And here they make a majority of what is left.
        ((1, 0, 4, 0, 0, 0, 3, 1, 1, 0), "surprise", True),
    ],
)
def test_agreement(votes: tuple[int, ...], emotion: str | None, known: bool) -> None:
    distribution, found = agreement(list(votes))
    assert found == emotion
    assert (distribution is not None) == known


def test_votes_without_pictures(root: Path, write) -> None:
    write("fer2013new.csv", VOTES)
    with pytest.raises(DataError, match=r"(?s)neither fer2013\.csv nor FER2013Train.*Expected"):
        read_data_set("fer2013", root, "ferplus")
