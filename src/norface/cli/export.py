"""``norface export``: checkpoints in, a weights folder for ``norface analyze`` out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.table import Table

from norface.cli.console import SUCCESS, WRONG_COMMAND, CommandError, messages, output
from norface.data.shards import ShardError
from norface.export import Exported, ParityError
from norface.export import export as export_weights
from norface.media.images import read_image
from norface.models.checkpoint import CheckpointError
from norface.runtime.normalizer import TARGET_FILE
from norface.runtime.places import DEFAULT_WEIGHTS

_PATH = tyro.conf.arg(metavar="PATH", help_behavior_hint="")


def export(
    *,
    out: Path,
    normalization: Annotated[Path | None, _PATH] = None,
    classification: Annotated[Path | None, _PATH] = None,
    emotions: Annotated[Path | None, _PATH] = None,
    precision: Literal["fp32", "fp16", "int8", "auto"] = "fp16",
    calibration: Annotated[Path | None, _PATH] = None,
    common_face: Annotated[Path | None, _PATH] = None,
    card: Annotated[Path | None, _PATH] = None,
    name: Annotated[str | None, tyro.conf.arg(help_behavior_hint="")] = None,
    version: str = "1",
) -> int:
    """Write ONNX files that need no PyTorch, each compared with its original.

    Use them with norface analyze --weights. Without F_nor nothing can be analyzed; without F_cla
    faces are normalized only.

    Args:
        out: Folder for the weights.
        normalization: Checkpoint of F_nor.
        classification: Checkpoint of F_cla: action units, emotions or both.
        emotions: Checkpoint of a further F_cla, for emotions.
        precision: fp32; fp16, weights take half the room; int8, weights and products in 8 bits;
            auto, for each network the smallest that is near enough to the original.
        calibration: Folder of shards, whose faces measure and calibrate; else rendered faces (for
            int8) or noise.
        common_face: The target, 256 x 256, framed like an aligned face; else the present one.
        card: The model card: a JSON object of free sections; else an empty one.
        name: Of these weights; else the folder's.
        version: Of these weights.
    """
    try:
        # A large network takes minutes.
        with messages().status("Exporting and comparing"):
            exported = export_weights(
                out,
                normalization=normalization,
                classification=classification,
                emotions=emotions,
                common_face=read_image(common_face or DEFAULT_WEIGHTS / TARGET_FILE),
                precision=precision,
                calibration=calibration,
                card={} if card is None else _read_card(card),
                name=name,
                version=version,
            )
    except (CheckpointError, ParityError, ShardError, ValueError) as error:
        raise CommandError(str(error), code=WRONG_COMMAND) from error
    _print(exported)
    if normalization is None:
        messages().print(
            "No normalization network was exported: norface analyze cannot use this folder.",
            style="yellow",
        )
    output().print(f"-> {exported.folder}", soft_wrap=True)
    return SUCCESS


def _print(exported: Exported) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("network", no_wrap=True)
    table.add_column("precision")
    for heading in ("MB", "faces", "max", "mean"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("of")
    for network in exported.networks:
        first = (network.name, network.precision, f"{len(network.content) / 1e6:.2f}")
        for difference in network.differences:
            table.add_row(
                *first,
                str(difference.faces),
                f"{difference.maximum:.1e}",
                f"{difference.mean:.1e}",
                difference.output,
            )
            first = ("", "", "")
    out = output()
    out.print(f"Differences from PyTorch on {exported.faces}:")
    out.print(table)
    for network in exported.networks:
        for reason in network.refused:
            messages().print(f"Not smaller: {reason}", style="yellow")


def _read_card(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} does not hold a JSON object.")
    return content
