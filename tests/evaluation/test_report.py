from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from norface.evaluation.people import without_baseline
from norface.evaluation.predictions import Predictions
from norface.evaluation.report import About, file_digest, label_digest, write_report
from norface.evaluation.report.pictures import pictures_below
from norface.evaluation.report.svg import Drawing, Scale
from norface.evaluation.scores import score
from norface.media.images import write_image

Make = Callable[..., Predictions]


class _Page(HTMLParser):
    """Checks that elements close in order, and gathers what a page would load."""

    VOID = ("meta", "img", "br", "rect", "line", "circle", "polygon")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [v or "" for k, v in attrs if k in ("src", "href", "srcset", "data")]
        if tag in ("script", "link", "iframe"):
            raise AssertionError(f"the page holds <{tag}>")
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _written(p: Predictions, out: Path, **options: object) -> tuple[dict, str, str]:
    about = About(
        title="A <test> & more", protocol="disfa-detection", model="m|odel", model_sha256="ab" * 32
    )
    write_report(score(p, resamples=30), out, about, **options)  # type: ignore[arg-type]
    page = (out / "report.html").read_text()
    return json.loads((out / "results.json").read_text()), (out / "report.md").read_text(), page


def test_presence(presences: Make, tmp_path: Path) -> None:
    p = presences()
    values, text, page = _written(p, tmp_path)
    scores = score(p, resamples=30)
    assert values["overall"]["f1"]["value"] == pytest.approx(scores.overall["f1"].value, rel=1e-5)
    assert values["labels"]["AU12"]["auc"]["low"] == pytest.approx(
        scores.labels["AU12"]["auc"].low, rel=1e-5
    )
    assert values["about"]["labels_sha256"] == label_digest(p)
    assert len(values["by_subject"]) == 12
    assert values["counts"]["AU01"]["hits"] > 0
    assert set(values["people"]) == {"as read"}
    f1 = f"{scores.labels['AU12']['f1'].value:.3f}"
    for said in (text, page):
        assert f1 in said
        # The paper's AU12 on DISFA, marked.
        assert "0.817" in said
        assert "Norface, published" in said
        assert "0.727" in said
        assert "ab" * 32 in said
        assert label_digest(p) in said
        # Three units of the protocol's eight.
        assert "AU02, AU06, AU09, AU25, AU26 missing" in said
    assert "m\\|odel" not in text.split("##")[0]
    assert list(tmp_path.glob("*.part")) == []


def test_the_page_needs_nothing_else(presences: Make, intensities: Make, emotions: Make,
                                     tmp_path: Path) -> None:  # fmt: skip
    grey = np.full((60, 40, 3), 128, np.uint8)
    for name, p in (("p", presences()), ("i", intensities(person=0.5)), ("e", emotions())):
        _, _, page = _written(p, tmp_path / name, picture_of=lambda _: grey)
        assert "A &lt;test&gt; &amp; more" in page
        parsed = _Page(page)
        assert parsed.open == []
        assert parsed.loaded
        assert all(each.startswith("data:image/jpeg;base64,") for each in parsed.loaded)
        drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
        assert len(drawings) >= 3
        for drawing in drawings:
            ElementTree.fromstring(drawing)
            assert "nan" not in drawing
        assert "prefers-color-scheme: dark" in page


def test_people_stand_side_by_side(intensities: Make, tmp_path: Path) -> None:
    p = intensities(person=0.8)
    p = replace(p, score=p.score + 2)
    variants = {"calibrated": without_baseline(p, "mode")}
    values, text, page = _written(p, tmp_path, variants=variants)
    read, calibrated = values["people"]["as read"]["AU12"], values["people"]["calibrated"]["AU12"]
    assert read["person"] > 5 * calibrated["person"]
    assert f"{read['person']:.1%}" in text
    assert f"{read['person']:.1%}" in page
    assert values["confusion"] is not None
    assert len(values["levels"]) == 6


def test_emotions_without_subjects(emotions: Make, tmp_path: Path) -> None:
    values, text, page = _written(emotions(), tmp_path)
    assert values["subjects"] is None
    assert values["people"] == {}
    assert np.sum(values["confusion"]) == 300
    assert "over pictures" in page
    assert "## Subjects" not in text


def test_valence_and_arousal(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    truth = random.uniform(-1, 1, (50, 2))
    p = Predictions.of(
        "affect", ["valence", "arousal"],
        truth=truth, score=truth + 0.1 * random.normal(size=(50, 2)),
        path=np.arange(50).astype(str), subject=(np.arange(50) % 5).astype(str),
    )  # fmt: skip
    values, text, _ = _written(p, tmp_path)
    assert values["overall"]["ccc"]["value"] > 0.9
    assert "| valence |" in text


def test_undefined_is_null_and_a_dash(presences: Make, tmp_path: Path) -> None:
    p = presences()
    truth, read = p.truth.copy(), p.score.copy()
    truth[:, 1], read[:, 1] = 0, 0.1
    values, text, page = _written(replace(p, truth=truth, score=read), tmp_path)
    assert values["labels"]["AU04"]["f1"]["value"] is None
    assert re.search(r"\| AU04 \| 0 \| – ", text)
    assert "F1 (3)" in text
    assert ">undefined<" in page
    assert "nan" not in (text + page).lower().replace("dominant", "")


def test_nothing_read_counts(presences: Make, tmp_path: Path) -> None:
    p = presences()
    read = p.score.copy()
    read[:7] = np.nan
    values, text, _ = _written(replace(p, score=read), tmp_path)
    assert values["frames"]["without_reading"] == 7
    assert "frames without a reading: 7" in text
    assert "F1, unread counted" in text


def test_pictures(presences: Make, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((20, 30, 3), np.uint8))
    p = Predictions.of(
        "presence", ["AU12"], truth=[[1], [1], [0]], score=[[0.1], [0.2], [0.1]],
        path=["a.png", "gone.png", "gone.mp4"], frame=[-1, -1, 3],
    )  # fmt: skip
    picture_of = pictures_below(p, tmp_path)
    found = picture_of(0)
    assert found is not None
    assert found.shape == (20, 30, 3)
    assert picture_of(1) is None
    assert picture_of(2) is None
    _, text, page = _written(p, tmp_path / "out", picture_of=picture_of)
    assert page.count("data:image/jpeg") == 1
    assert page.count("picture not found") == 2
    assert "2 of 3 pictures of the worst frames were not found" in text
    assert "pass them on" in page
    _, _, page = _written(p, tmp_path / "none")
    assert "data:image" not in page
    assert "pass them on" not in page


def test_digests(presences: Make, tmp_path: Path) -> None:
    p = presences()
    mixed = p.chosen(np.random.default_rng(0).permutation(len(p)))
    assert label_digest(mixed) == label_digest(p)
    moved = replace(p, path=np.char.add("/elsewhere/", p.path), score=p.score * 0.5)
    assert label_digest(moved) == label_digest(p)
    truth = p.truth.copy()
    truth[0, 0] = 1 - truth[0, 0]
    assert label_digest(replace(p, truth=truth)) != label_digest(p)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "a").write_bytes(b"abc")
    assert file_digest(tmp_path / "m" / "a") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    before = file_digest(tmp_path / "m")
    (tmp_path / "m" / ".hidden").write_bytes(b"x")
    assert file_digest(tmp_path / "m") == before
    (tmp_path / "m" / "a").rename(tmp_path / "m" / "b")
    assert file_digest(tmp_path / "m") != before
    with pytest.raises(OSError, match="none"):
        file_digest(tmp_path / "none")


def test_scale_and_escaping() -> None:
    scale = Scale(0, 5, 100, 200)
    assert scale(2.5) == 150
    assert scale(9) == 200
    assert scale.ticks(5) == [0, 1, 2, 3, 4, 5]
    assert Scale(-0.15, 1, 0, 1).ticks() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    drawing = Drawing(10, 10, 'a "title"')
    drawing.text(0, 0, "<b>")
    assert "&lt;b&gt;" in drawing.svg()
    ElementTree.fromstring(drawing.svg())
