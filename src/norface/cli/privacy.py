"""``norface privacy``: are people known again after normalization, and is the expression kept?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from norface.cli.console import SUCCESS, WRONG_COMMAND, CommandError, messages, output, printable
from norface.evaluation.face_embedding import Embed, EmbeddingError, OnnxEmbedder
from norface.evaluation.privacy import Privacy, measure_privacy
from norface.evaluation.privacy_pairs import PrivacyError, find_pairs, people_of
from norface.evaluation.privacy_report import write_report
from norface.evaluation.report.tables import interval, number
from norface.faces.identity import IdentityEmbedder, MissingExtraError
from norface.media.hashes import file_hash
from norface.runtime.analyzer import Norface

_OPTIONAL_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")
_NUMBERS = tyro.conf.arg(metavar="R G B")
_NO_DEFAULT = tyro.conf.arg(help_behavior_hint="")

_Triple = tuple[float, float, float]


def privacy(
    originals: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="ORIGINALS")],
    normalized: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="NORMALIZED")],
    /,
    *,
    out: Path = Path("privacy"),
    subjects: Annotated[
        str | None, tyro.conf.arg(metavar="TABLE|folder", help_behavior_hint="")
    ] = None,
    identity: Annotated[Path | None, _OPTIONAL_PATH] = None,
    identity_mean: Annotated[_Triple, _NUMBERS] = (0.5, 0.5, 0.5),
    identity_std: Annotated[_Triple, _NUMBERS] = (0.5, 0.5, 0.5),
    identity_bgr: Annotated[bool, _NO_DEFAULT] = False,
    target: Annotated[Path | None, _OPTIONAL_PATH] = None,
    weights: Annotated[
        str | None, tyro.conf.arg(metavar="NAME|PATH", help_behavior_hint="")
    ] = None,
    overwrite: Annotated[bool, _NO_DEFAULT] = False,
) -> int:
    """Report how often people are known again after normalization, and what is left to be read.

    An independent network compares faces before and after; norface reads them before and after.
    Writes privacy.md and privacy.json. Pictures are compared by their largest face.

    Args:
        originals: Folder of the original pictures.
        normalized: Folder that norface normalize made of it.
        out: Folder for the report.
        subjects: Table with the columns file and subject; or the word folder, where each folder of
            pictures is a person; default: each picture is of another person.
        identity: ONNX file of a network that tells faces apart, of ArcFace's kind; default: dlib's,
            from norface[people].
        identity_mean: Of its pictures, for values from 0 to 1.
        identity_std: Of its pictures.
        identity_bgr: It wants blue first.
        target: Picture of the face that they were normalized to, if another one.
        weights: Weights that they were normalized with, if others.
        overwrite: Replace an earlier report.

    Returns:
        The exit code.
    """
    there = [out / name for name in ("privacy.md", "privacy.json") if (out / name).exists()]
    if there and not overwrite:
        raise CommandError(
            f"{there[0]} exists. Choose another folder with --out, or replace it with --overwrite.",
            code=WRONG_COMMAND,
        )
    try:
        pairs = find_pairs(originals, normalized)
        people = people_of(pairs, subjects)
        embed: Embed
        if identity is None:
            embed, judge = IdentityEmbedder(), "dlib's face recognition network"
        else:
            embed = OnnxEmbedder(identity, mean=identity_mean, std=identity_std, bgr=identity_bgr)
            judge = f"{identity.name}, SHA-256 {file_hash(identity)}"
        norface = Norface.load(weights=weights, target=target)
    except MissingExtraError as error:
        raise CommandError(
            "Comparing people needs a network that tells faces apart: give an ONNX file with "
            '--identity, or install dlib\'s with: pip install "norface[people]"',
            code=WRONG_COMMAND,
        ) from error
    except (PrivacyError, EmbeddingError, ValueError) as error:
        raise CommandError(str(error), code=WRONG_COMMAND) from error
    progress = Progress(
        TextColumn("Comparing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=(err := messages()), transient=True, disable=not err.is_terminal,
    )  # fmt: skip
    with norface, progress:
        task = progress.add_task("", total=len(pairs.pairs))
        try:
            found = measure_privacy(
                norface,
                embed,
                pairs,
                people,
                tell=lambda done: progress.update(task, completed=done),
            )
        except PrivacyError as error:
            raise CommandError(str(error)) from error
    facts = [
        ("originals", str(originals)),
        ("normalized", str(normalized)),
        ("people told apart by", judge),
        ("pictures compared", str(found.pictures)),
        ("people", str(found.people)),
    ]
    left_out = [
        (found.without_face, "with a face that was not found"),
        (pairs.without_normalized, "originals without a normalized picture"),
        (
            pairs.without_original,
            "normalized pictures without an original, or further faces",
        ),
    ]
    facts += [("left out", f"{count} {what}") for count, what in left_out if count]
    try:
        written = write_report(found, facts, out)
    except OSError as error:
        raise CommandError(f"Cannot write into {out}: {error.strerror}") from error
    _tell(found, written[0])
    return SUCCESS


def _tell(found: Privacy, report: Path) -> None:
    out = output()
    for attempt in found.attempts:
        first = attempt.result.first
        out.print(
            printable(f"found first, {attempt.name}: {number(first.value)} {interval(first)}"),
            soft_wrap=True,
        )
    out.print(f"found first, by chance: {number(found.attempts[0].result.chance)}", soft_wrap=True)
    mean = found.fidelity.mean
    out.print(
        f"units before and after: Pearson {number(mean['pearson'])}, "
        f"ICC(3,1) {number(mean['icc_3_1'])}",
        soft_wrap=True,
    )
    if found.fidelity.emotion is not None:
        agreed = found.fidelity.emotion
        out.print(f"same emotion: {number(agreed.value)} {interval(agreed)}", soft_wrap=True)
    out.print(printable(f"{found.pictures} pictures, {found.people} people -> {report}"),
              soft_wrap=True)  # fmt: skip
