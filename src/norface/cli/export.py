"""``norface export``: checkpoints in, a weights folder for ``norface analyze`` out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import tyro

from norface.cli.console import SUCCESS, WRONG_COMMAND, CommandError, output
from norface.export import ParityError
from norface.export import export as export_weights
from norface.media.images import read_image
from norface.models.checkpoint import CheckpointError, load_classification
from norface.runtime.places import DEFAULT_WEIGHTS

_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")


def export(
    *,
    normalization: Path,
    action_units: Path,
    out: Path,
    emotions: Annotated[Path | None, _PATH] = None,
    common_face: Annotated[Path | None, _PATH] = None,
    card: Annotated[Path | None, _PATH] = None,
    name: str = "tiny",
    version: str = "1",
) -> int:
    """Write ONNX files that need no PyTorch, each compared with its original.

    Use them with norface analyze --weights.

    Args:
        normalization: Checkpoint of F_nor.
        action_units: Checkpoint of F_cla for action units; holds the thresholds.
        out: Folder for the weights.
        emotions: Checkpoint of F_cla for emotions; left out, that part is.
        common_face: The target, 256 x 256, framed like an aligned face; else the present one.
        card: The model card: a JSON object of free sections; else an empty one.
        name: Of these weights.
        version: Of these weights.
    """
    try:
        _, notes = load_classification(action_units)
        manifest = export_weights(
            normalization,
            action_units,
            emotions,
            out,
            common_face=read_image(common_face or DEFAULT_WEIGHTS / "common_face.png"),
            card={} if card is None else _read_card(card),
            thresholds=notes.get("thresholds"),
            name=name,
            version=version,
        )
    except (CheckpointError, ParityError, ValueError) as error:
        raise CommandError(str(error), code=WRONG_COMMAND) from error
    output().print(f"-> {manifest.parent}", soft_wrap=True)
    return SUCCESS


def _read_card(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} does not hold a JSON object.")
    return content
