"""Writes the three files of a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from norface.evaluation.people import compare_people
from norface.evaluation.people_compared import People
from norface.evaluation.predictions import Predictions
from norface.evaluation.report.about import About
from norface.evaluation.report.content import content
from norface.evaluation.report.html import Face, html
from norface.evaluation.report.markdown import markdown
from norface.evaluation.report.pictures import PictureOf, data_uri
from norface.evaluation.report.sections import facts, sections
from norface.evaluation.scores import Scores
from norface.evaluation.worst import worst_frames

AS_READ = "as read"


def write_report(
    scores: Scores,
    out: Path,
    about: About,
    *,
    variants: Mapping[str, Predictions] | None = None,
    people: People | None = None,
    picture_of: PictureOf | None = None,
    worst: int = 12,
) -> None:
    """Write ``results.json``, ``report.md`` and ``report.html`` into a folder.

    Args:
        scores: of the predictions that the report is about.
        out: the folder; made when missing.
        about: what was evaluated.
        variants: other readings of the same frames by name, e.g. without the normalized face, or
            with each subject's baseline subtracted: how much of each is the person stands beside
            that of ``scores``.
        people: the same, already compared and with intervals; in place of ``variants``.
        picture_of: see `norface.evaluation.report.pictures.pictures_below`; None for a report
            without pictures, which data sets' terms often ask for before it is passed on.
        worst: how many of the worst frames to show.

    Raises:
        PredictionsError: the variants are of other frames or labels.
        OSError: the folder cannot be written to.
    """
    p = scores.predictions
    shares = people.shares if people else {}
    if not shares and p.has_subjects and p.task != "emotion":
        shares = compare_people({AS_READ: p, **(variants or {})})
    frames = worst_frames(p, worst)
    faces = []
    if picture_of is not None:
        for frame in frames:
            picture = picture_of(frame.row)
            faces.append(Face(frame, "" if picture is None else data_uri(picture)))
        lost = sum(not face.uri for face in faces)
        if lost:
            note = f"{lost} of {len(faces)} pictures of the worst frames were not found."
            about = replace(about, notes=(*about.notes, note))
    named, parts = facts(scores, about), sections(scores, about, shares, frames, people)
    values = json.dumps(content(scores, about, shares, frames, people), indent=2, allow_nan=False)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("results.json", values + "\n"),
        ("report.md", markdown(about, named, parts)),
        ("report.html", html(scores, about, named, parts, faces)),
    ):
        part = out / f"{name}.part"
        part.write_text(text, encoding="utf-8", errors="backslashreplace")
        part.replace(out / name)
