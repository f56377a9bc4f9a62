from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from norface.evaluation.privacy_pairs import Pairs, PrivacyError, find_pairs, people_of


def pictures(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(root / name)
    return root


@pytest.fixture
def pairs(tmp_path: Path) -> Pairs:
    before = pictures(tmp_path / "in", "ann/1.jpg", "ann/2.jpg", "bob/1.jpg", "bob/3.jpg")
    after = pictures(tmp_path / "out", "ann/1.jpg", "ann/2.png", "bob/1.jpg", "bob/1_face1.jpg")
    return find_pairs(before, after)


def test_pictures_are_paired_by_their_place(pairs: Pairs) -> None:
    assert [pair.name for pair in pairs.pairs] == ["ann/1.jpg", "ann/2.jpg", "bob/1.jpg"]
    assert pairs.pairs[1].normalized.name == "2.png"
    assert (pairs.without_normalized, pairs.without_original) == (1, 1)


def test_names_of_analyze_are_known(tmp_path: Path) -> None:
    before = pictures(tmp_path / "in", "1.jpg", "2.jpg")
    after = pictures(tmp_path / "out", "1_face0.png", "1_face1.png", "2_face0.png", "2.png")
    found = find_pairs(before, after)
    assert [pair.normalized.name for pair in found.pairs] == ["1_face0.png", "2.png"]


def test_what_does_not_belong_together_is_said(tmp_path: Path) -> None:
    before = pictures(tmp_path / "in", "1.jpg")
    with pytest.raises(PrivacyError, match="no folder"):
        find_pairs(before, tmp_path / "missing")
    with pytest.raises(PrivacyError, match="norface normalize"):
        find_pairs(before, pictures(tmp_path / "out", "2.jpg"))
    with pytest.raises(PrivacyError, match="No picture"):
        find_pairs(before, before)


def test_people_are_known_from_folders_or_from_a_table(pairs: Pairs, tmp_path: Path) -> None:
    assert len(set(people_of(pairs, None).tolist())) == 3
    assert people_of(pairs, "folder").tolist() == ["ann", "ann", "bob"]
    table = tmp_path / "who.csv"
    table.write_text("file,subject\nann/1.jpg,7\nann/2.jpg,7\nbob/1.jpg,8\n")
    assert people_of(pairs, str(table)).tolist() == ["7", "7", "8"]
    # Rows may begin further up, or name the end alone.
    table.write_text("input,person\nset/ann/1.jpg,7\n2,7\nset/bob/1.png,8\n")
    assert people_of(pairs, str(table)).tolist() == ["7", "7", "8"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("file,subject\nann/1.jpg,a\nann/2.jpg,a\n", "who is on bob/1.jpg"),
        ("file,subject\n1.jpg,a\n1.jpg,b\n2.jpg,a\n", "who is on ann/1.jpg"),
        ("file,subject\nx/1.jpg,a\nx/2.jpg,b\n", "who is on ann/1.jpg"),
        ("file,who\n1.jpg,a\n", "columns file and subject"),
    ],
)
def test_a_table_that_does_not_say_who_is_who(
    text: str, match: str, pairs: Pairs, tmp_path: Path
) -> None:
    (tmp_path / "who.csv").write_text(text)
    with pytest.raises(PrivacyError, match=match):
        people_of(pairs, str(tmp_path / "who.csv"))


def test_a_missing_table(pairs: Pairs, tmp_path: Path) -> None:
    with pytest.raises(PrivacyError, match="cannot be read"):
        people_of(pairs, str(tmp_path / "who.csv"))
