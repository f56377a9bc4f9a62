"""Loading the published weights of masked autoencoders (MAE, MAE-Face) into an encoder."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from norface.models.checkpoint import CheckpointError, fill
from norface.models.vision_transformer import VisionTransformer

_OWN_PREFIX = "encoder."
_POSITIONS = "pos_embed"


@dataclass(frozen=True, slots=True)
class PublishedReport:
    """What was loaded.

    Attributes:
        loaded: number of tensors that the encoder took.
        ignored: keys that belong to no encoder: the decoder of the pre-training, and whatever else
            a network of norface has beside its encoder.
        side: of the checkpoint's grid of patches; its positions were interpolated if the encoder's
            differs.
    """

    loaded: int
    ignored: tuple[str, ...]
    side: int


def load_mae_checkpoint(path: Path, encoder: VisionTransformer) -> PublishedReport:
    """Give an encoder the weights of a checkpoint in MAE's layout.

    The file is safetensors, or a ``.pth`` as PyTorch writes it, with the weights themselves or
    ``{"model": weights}``; of the latter only tensors and plain values are ever unpickled. A
    checkpoint of norface with an encoder of the same sizes in it (a masked autoencoder, F_nor,
    F_cla) does as well. Positions for pictures of another size are interpolated (bicubic).

    Raises:
        CheckpointError: the file cannot be read, or a key is missing, unknown or of another shape;
            the message names all of them.
    """
    tensors = _read(path)
    if any(key.startswith(_OWN_PREFIX) for key in tensors):
        chosen = {
            key.removeprefix(_OWN_PREFIX): value
            for key, value in tensors.items()
            if key.startswith(_OWN_PREFIX)
        }
        ignored = [key for key in tensors if not key.startswith(_OWN_PREFIX)]
    else:
        ignored = [key for key in tensors if key.startswith(("decoder_", "mask_token"))]
        chosen = {key: value for key, value in tensors.items() if key not in ignored}
    side = encoder.side
    positions = chosen.get(_POSITIONS)
    if positions is not None and positions.ndim == 3:
        side = math.isqrt(max(positions.shape[1] - 1, 0))
        if side * side == positions.shape[1] - 1 and side > 0:
            chosen[_POSITIONS] = interpolate_positions(positions, encoder.side)
    fill(encoder, {key: value.float() for key, value in chosen.items()}, path)
    return PublishedReport(loaded=len(chosen), ignored=tuple(sorted(ignored)), side=side)


def interpolate_positions(positions: Tensor, side: int) -> Tensor:
    """Positions (1, 1 + N N, D) for a grid of another side, (1, 1 + side side, D).

    The first, of the class token, stays.
    """
    old = math.isqrt(positions.shape[1] - 1)
    if old == side:
        return positions
    start, cells = positions[:, :1].float(), positions[:, 1:].float()
    grid = torch.unflatten(cells.transpose(1, 2), 2, (old, old))
    grid = F.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
    return torch.cat([start, grid.flatten(2).transpose(1, 2)], dim=1)


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist")
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise CheckpointError(
                f"{path} is damaged or not a safetensors file: {error}"
            ) from error
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} cannot be read as weights alone: {error}. If you trust its source, load it "
            'with torch.load(..., weights_only=False) and save {"model": its["model"]} anew.'
        ) from error
    model = content.get("model", content) if isinstance(content, dict) else content
    if not isinstance(model, dict):
        raise CheckpointError(f"{path} holds no dictionary of weights")
    strange = [str(key) for key, value in model.items() if not isinstance(value, Tensor)]
    if strange:
        raise CheckpointError(f"{path} holds what is no weight: {', '.join(strange[:8])}")
    return model
