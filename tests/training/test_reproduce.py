"""docs/reproduce.md: its commands fit together, and each works on miniature copies of the trees."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from norface.cli import main
from norface.data import face_folder
from norface.data.protocols import protocol
from norface.models.checkpoint import Recipe, save_network
from norface.runtime.places import DEFAULT_WEIGHTS
from norface.tables.columns import face_columns

BP4D_UNITS = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
SETS = ("DISFA", "BP4D", "BP4D_PLUS", "AFFECTNET", "RAFDB")


def commands(page: Path) -> Iterator[list[str]]:
    """Every command of the page, of a loop the first turn."""
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line)
            if words and words[0] == "norface":
                yield words[1:]
            else:
                assert not words or words[0] in ("for", "done"), line


def test_what_is_read_was_made(root: Path) -> None:
    made = {"$FOLD"}
    for words in commands(root / "docs" / "reproduce.md"):
        out = words[words.index("--out") + 1]
        for word in words:
            if word.startswith(("runs/", "faces/", "data/")) and word != out:
                # What was made in a loop is named by its number afterwards.
                found = [word, *(re.sub(r"/[123]/", "/$FOLD/", word) for _ in "1")]
                assert any(f == m or f.startswith(f"{m}/") for f in found for m in made), word
        made.add(out)


def test_all_protocols_of_the_paper_are_there(root: Path) -> None:
    tested = [
        words[words.index("--protocol") + 1]
        for words in commands(root / "docs" / "reproduce.md")
        if words[0] == "evaluate"
    ]
    assert len(set(tested)) == 9
    for name in tested:
        assert protocol(name).name == name


@pytest.fixture
def trees(
    tmp_path: Path, people: list[Path], disfa: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """All sets in miniature, by the variables of the page."""
    faces = []
    for path in people:
        image = cv2.imread(str(path))
        side = min(image.shape[:2])
        top, left = ((n - side) // 2 for n in image.shape[:2])
        faces.append(cv2.resize(image[top : top + side, left : left + side], (240, 240)))

    def picture(path: Path, number: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), faces[number % 4])

    for name in ("BP4D", "BP4D_PLUS"):
        # In all three folds of both sets somebody is tested.
        for n, person in enumerate(("F001", "F003", "F004", "F007")):
            codes = tmp_path / name / "AUCoding"
            occurrence = codes / "AU_OCC" / f"{person}_T1.csv"
            occurrence.parent.mkdir(parents=True, exist_ok=True)
            rows = [
                [0, *BP4D_UNITS],
                *([f, *((n + f + u) % 2 for u in BP4D_UNITS)] for f in (1, 2)),
            ]
            occurrence.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
            for unit in (6, 10, 12, 14, 17):
                file = codes / "AU_INT" / f"AU{unit:02d}" / f"{person}_T1_AU{unit:02d}.csv"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("".join(f"{f},{(n + f + unit) % 5}\n" for f in (1, 2)))
            for f in (1, 2):
                picture(tmp_path / name / "2D+3D" / person / "T1" / f"{f:04d}.jpg", n + f)
    for part, count in (("train", 6), ("val", 2)):
        folder = tmp_path / "AFFECTNET" / f"{part}_set"
        (folder / "annotations").mkdir(parents=True)
        for n in range(count):
            picture(folder / "images" / f"{n}.jpg", n)
            for name, value in (("exp", n % 3), ("val", 0.5), ("aro", 0.5)):
                np.save(folder / "annotations" / f"{n}_{name}.npy", np.array(str(value)))
    lines = []
    for part, count in (("train", 6), ("test", 2)):
        for n in range(count):
            name = f"{part}_{n:05d}"
            picture(tmp_path / "RAFDB" / "Image" / "aligned" / f"{name}_aligned.jpg", n)
            lines.append(f"{name}.jpg {n % 3 + 1}\n")
    (tmp_path / "RAFDB" / "EmoLabel").mkdir()
    (tmp_path / "RAFDB" / "EmoLabel" / "list_patition_label.txt").write_text("".join(lines))
    monkeypatch.setattr(face_folder, "in_processes", lambda work, jobs, *_: map(work, jobs))
    monkeypatch.chdir(tmp_path)
    return {name: str(tmp_path / name) for name in SETS} | {
        "DISFA": str(disfa[0]),
        "PHOTOS": " ".join(map(str, people)),
        "FOLD": "1",
    }


def stand_ins(out: Path, words: list[str]) -> None:
    """What a dry run does not leave: networks that never learned, for the commands after it."""
    torch.manual_seed(0)
    name, recipe = {
        "encoder": ("encoder", Recipe(kind="masked_autoencoder", preset="test-vit")),
        "expression": (
            "expression_embedding",
            Recipe(kind="expression_embedding", preset="test-vit"),
        ),
        "normalization": ("normalization", Recipe(kind="normalization", preset="test-vit")),
        "classification": ("best_classification", Recipe(kind="classification", preset="test-vit")),
    }[words[1]]
    if words[1] == "classification":
        plan = protocol(words[words.index("--fold.protocol") + 1])
        options: dict[str, object] = {"reads": "images"}
        if plan.task == "emotion":
            options["heads"] = ["emotions"]
        else:
            options["units"] = list(plan.labels)
        recipe = Recipe(kind="classification", preset="test-vit", options=options)
    save_network(out / f"{name}.safetensors", recipe.build(), recipe)


def test_every_command_works(
    root: Path, trees: dict[str, str], tmp_path: Path, make_shards: Callable[..., None],
    people: list[Path],
) -> None:  # fmt: skip
    small = {"base": "test-vit", "256": "4"}
    tried = 0
    for words in commands(root / "docs" / "reproduce.md"):
        text = shlex.join(words).replace("'", "")
        filled = shlex.split(re.sub(r"\$(\w+)", lambda found: trees[found[1]], text))
        out = Path(filled[filled.index("--out") + 1])
        for option in ("--preset", "--batch"):
            if option in filled:
                at = filled.index(option) + 1
                filled[at] = small[filled[at]]
        if filled[0] == "synth":
            make_shards(out, count=8)
            continue
        if filled[0] == "export":
            if "bp4d-detection" not in str(out):
                # All are alike, and each takes seconds.
                shutil.copytree(DEFAULT_WEIGHTS, out, dirs_exist_ok=True)
                continue
        elif filled[0] == "evaluate":
            for model in filled[filled.index("--model") + 1 : filled.index("--out")]:
                if not Path(model).exists():
                    shutil.copytree(DEFAULT_WEIGHTS, model)
            filled += ["--dry-run", "--partial"]
        elif filled[1] in ("encoder", "expression", "normalization", "classification"):
            filled += ["--dry-run", "--threads", "1"]
            if filled[1] == "classification":
                # As base does by itself.
                filled += ["--reads", "images"]
            if "--fold.protocol" in filled:
                filled += ["--fold.partial"]
        assert main(filled) == 0, shlex.join(filled)
        tried += 1
        if "--dry-run" in filled and filled[0] == "train":
            stand_ins(out, filled)
    assert tried > 30
    # The twelve units of BP4D, AU23 among them, from the checkpoint to the table.
    weights = tmp_path / "runs" / "bp4d-detection" / "1" / "weights"
    units = json.loads((weights / "manifest.json").read_text())["units"]
    assert units == list(protocol("bp4d-detection").labels)
    assert main(["analyze", str(people[0]), "--weights", str(weights), "--out", "table"]) == 0
    with (tmp_path / "table" / "faces.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert tuple(row) == face_columns(units)
    assert 0.0 <= float(row["AU23_p"]) <= 1.0
    results = json.loads((tmp_path / "reports" / "bp4d-detection" / "results.json").read_text())
    assert results["published"]["figures"][0]["value"] == 69.3
