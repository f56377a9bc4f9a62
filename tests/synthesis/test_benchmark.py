"""The benchmark in miniature: its design, its pictures, and how it is built again."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from norface.facs import ACTION_UNIT_NAMES
from norface.media.images import read_image, write_image
from norface.synthesis.benchmark.build import HASH, build, compare
from norface.synthesis.benchmark.design import (
    FACTORS,
    SYNFACS_V1,
    Design,
    Split,
    attributes_of,
    exact_attributes,
)
from norface.synthesis.benchmark.manifest import Manifest, fingerprint, pixel_hash
from norface.synthesis.benchmark.render import benchmark_person, coarsened, shot_row
from norface.synthesis.samples import person_seed

TINY = Design(
    name="tiny",
    size=64,
    splits=(
        Split("train", 901, people=3, wild=2),
        Split("validation", 902, people=1, wild=2),
        Split("test", 903, people=2, wild=1, factors=True),
    ),
    pose=(0, 30),
    light=("even", "side"),
    occlusion=("none", "glasses"),
    resolution=(64, 16),
    few=1,
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    out = tmp_path_factory.mktemp("tiny")
    verdict, manifest = build(TINY, out, manifest=None, workers=1)
    assert verdict.word == "not compared"
    return out, manifest


@pytest.fixture
def built(finished: tuple[Path, Manifest], tmp_path: Path) -> tuple[Path, Manifest]:
    """A copy that a test may damage."""
    shutil.copytree(finished[0], tmp_path / "copy")
    return tmp_path / "copy", finished[1]


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_published_design_has_its_counts() -> None:
    counts = {split.name: SYNFACS_V1.count(split) for split in SYNFACS_V1.splits}
    assert counts == {"train": 4000, "validation": 1000, "test": 4800}
    assert [split.people for split in SYNFACS_V1.splits] == [200, 50, 100]
    shots = SYNFACS_V1.shots(SYNFACS_V1.split("test"))
    for factor in FACTORS:
        shown = [shot for shot in shots if factor in shot.strata]
        assert len(shown) == 2 * len(SYNFACS_V1.levels(factor))
    names = [SYNFACS_V1.picture_name(split, 0, shot)
             for split in SYNFACS_V1.splits for shot in SYNFACS_V1.shots(split)]  # fmt: skip
    assert len(set(names)) == len(names)


def test_people_are_spread_evenly_and_never_shared() -> None:
    fifty = Counter(attributes_of(i) for i in range(50))
    assert set(fifty.values()) == {1}
    few = [attributes_of(i) for i in range(SYNFACS_V1.few)]
    assert set(Counter(one.age for one in few).values()) == {2}
    assert set(Counter(one.tone for one in few).values()) == {2}
    assert set(Counter(one.gender for one in few).values()) == {5}
    seeds = [person_seed(s.series, i) for s in SYNFACS_V1.splits for i in range(s.people)]
    assert len(set(seeds)) == 350
    people = [exact_attributes(s.series, i) for s in SYNFACS_V1.splits for i in range(s.people)]
    assert len(set(people)) == 350
    shapes = {
        benchmark_person(split, i).shape.local.tobytes()
        for split in TINY.splits
        for i in range(split.people)
    }
    assert len(shapes) == 6


def test_levels_of_a_factor_share_person_and_expression(
    finished: tuple[Path, Manifest],
) -> None:
    rows = rows_of(finished[0] / "test" / "truth.csv")
    assert len(rows) == TINY.count(TINY.split("test"))
    units = [f"{name}_r" for name in ACTION_UNIT_NAMES]
    for factor in FACTORS:
        shown = [row for row in rows if row[f"stratum_{factor}"]]
        by_level = {}
        for level in TINY.levels(factor):
            chosen = [row for row in shown if row[f"stratum_{factor}"] == level]
            assert all(row[f"level_{factor}"] == level for row in chosen)
            by_level[level] = [
                [row[key] for key in ("person", "expression", "roll", "pitch", *units)]
                for row in chosen
            ]
        base, other = by_level.values()
        assert base == other
        assert len(base) == 4
    sides = {abs(float(row["yaw"])) for row in rows if row["level_pose"] and row["wild"] == "0"}
    assert sides == {0.0, 30.0}
    assert {row["wild"] for row in rows if not any(row[f"stratum_{f}"] for f in FACTORS)} == {"1"}
    assert Counter(row["stratum_gender"] for row in rows) == {"female": 13, "male": 13}
    train = rows_of(finished[0] / "train" / "truth.csv")
    assert [row["track_few"] for row in train] == ["1", "1", "0", "0", "0", "0"]


def test_each_level_changes_the_picture(finished: tuple[Path, Manifest]) -> None:
    folder = finished[0] / "test"
    for name in ("e0_pose_30", "e2_light_side", "e0_occlusion_glasses", "e1_resolution_16"):
        base = read_image(folder / f"p000_{name[:2]}_base.png").astype(int)
        assert np.abs(read_image(folder / f"p000_{name}.png") - base).mean() > 0.5, name


def test_a_rebuilt_benchmark_is_identical(built: tuple[Path, Manifest]) -> None:
    out, manifest = built
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    verdict, _ = build(TINY, out, manifest=manifest, workers=1)
    assert verdict.word == "identical"
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.png")} == before
    about = json.loads((out / "synfacs.json").read_text())
    assert about["verdict"]["word"] == "identical"
    assert {"norface", "numpy", "opencv", "synthesis"} <= about["versions"].keys()


def test_a_killed_run_goes_on(built: tuple[Path, Manifest]) -> None:
    out, manifest = built
    whole = (out / "test" / "truth.csv").read_bytes()
    # As after a kill in the midst of the last split: a table cut short, pictures missing.
    (out / "test" / "truth.csv").unlink()
    (out / "test" / "truth.csv.part").write_bytes(whole[: int(len(whole) * 0.6)])
    pictures = sorted((out / "test").glob("*.png"))
    for path in pictures[20:]:
        path.unlink()
    pictures[0].unlink()
    pictures[1].write_bytes(pictures[1].read_bytes()[:300])
    write_image(pictures[2], np.zeros((64, 64, 3), np.uint8))
    kept = pictures[3].stat().st_mtime_ns
    verdict, again = build(TINY, out, manifest=manifest, workers=1)
    assert verdict.word == "identical"
    assert pictures[3].stat().st_mtime_ns == kept
    assert (out / "test" / "truth.csv").read_bytes() == whole
    assert not list(out.rglob("*.part"))
    np.testing.assert_array_equal(again.prints, manifest.prints)


def test_what_another_version_rendered_is_not_trusted(built: tuple[Path, Manifest]) -> None:
    out, manifest = built
    about = json.loads((out / "synfacs.json").read_text())
    about["versions"]["synthesis"] = "older"
    (out / "synfacs.json").write_text(json.dumps(about))
    picture = next(out.glob("train/*.png"))
    before = picture.stat().st_mtime_ns
    assert build(TINY, out, manifest=manifest, workers=1)[0].word == "identical"
    assert picture.stat().st_mtime_ns != before


def test_a_difference_is_told_with_its_cause(finished: tuple[Path, Manifest]) -> None:
    made = finished[1]
    names = [f"picture_{i}" for i in range(len(made.hashes))]
    hashes, prints = made.hashes.copy(), made.prints.copy()
    hashes[3, 0] ^= 1
    prints[3, 10] += 1
    rounded = compare(made, replace(made, hashes=hashes, prints=prints), names)
    assert rounded.word == "equal up to rounding"
    assert rounded.counts == (len(names) - 1, 1, 0)
    prints[3, 10] += 1
    versions = {**made.versions, "numpy": "1.0"}
    other = compare(made, Manifest(made.design, versions, hashes, prints), names)
    assert other.word == "different"
    assert other.counts == (len(names) - 1, 0, 1)
    assert "picture_3" in other.reason
    assert f"numpy {np.__version__} in place of 1.0" in other.reason
    foreign = compare(made, replace(made, design="0"), names)
    assert foreign.word == "different"


def test_a_manifest_survives_its_file(finished: tuple[Path, Manifest], tmp_path: Path) -> None:
    made = finished[1]
    made.save(tmp_path / "a.npz")
    made.save(tmp_path / "b.npz")
    read = Manifest.load(tmp_path / "a.npz")
    np.testing.assert_array_equal(read.hashes, made.hashes)
    np.testing.assert_array_equal(read.prints, made.prints)
    assert (read.design, dict(read.versions)) == (made.design, dict(made.versions))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_picture_is_the_same_alone(finished: tuple[Path, Manifest]) -> None:
    split = TINY.split("test")
    shot = TINY.shots(split)[-1]
    image, row = shot_row(TINY, split, 1, shot)
    assert pixel_hash(image) == rows_of(finished[0] / "test" / "truth.csv")[-1][HASH]
    np.testing.assert_array_equal(fingerprint(image, row), finished[1].prints[-1])


def test_coarse_pictures_are_bicubic() -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    small = cv2.resize(image.astype(np.float64), (16, 16), interpolation=cv2.INTER_AREA)
    expected = cv2.resize(np.floor(small + 0.5), (64, 64), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(coarsened(image, 16), np.clip(expected, 0, 255), atol=0.51)
    assert coarsened(image, 64) is image
