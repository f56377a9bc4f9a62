"""Starting an encoder from one that has learned before."""

from __future__ import annotations

from pathlib import Path

from norface.models.checkpoint import CheckpointError, fill, load_network
from norface.models.encoder import Encoder
from norface.models.published import load_mae_checkpoint
from norface.models.vision_transformer import VisionTransformer


def start_encoder(path: Path, encoder: Encoder) -> str:
    """Load an encoder from a checkpoint of norface, or from a published MAE file.

    Args:
        path: a checkpoint of a network with an encoder of the same sizes (of pre-training, F_nor or
            F_cla); for a transformer also what `load_mae_checkpoint` reads.
        encoder: where to.

    Returns:
        what was loaded, for the log.

    Raises:
        CheckpointError: the file cannot be read, or its encoder is another one.
    """
    if isinstance(encoder, VisionTransformer):
        report = load_mae_checkpoint(path, encoder)
        left = f", {len(report.ignored)} others of the file left out" if report.ignored else ""
        return f"the encoder starts from {path}: {report.loaded} tensors{left}"
    source = getattr(load_network(path)[0], "encoder", None)
    if not isinstance(source, Encoder):
        raise CheckpointError(f"{path} holds a network without an encoder")
    fill(encoder, source.state_dict(), path)
    return f"the encoder starts from {path}"
