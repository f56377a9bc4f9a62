"""What the networks of a preset cost: parameters and floating-point operations of one face.

Counted on PyTorch's meta device, so that the largest preset takes no memory. An operation is a
multiplication or an addition; matrix products, convolutions and attention count, as
`torch.utils.flop_counter` has them, what is done value by value does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from norface.models import presets
from norface.models.classification import ClassificationNetwork
from norface.models.geometry_token import LANDMARKS
from norface.models.sizes import Preset


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a network.

    Attributes:
        name: of the part.
        parameters: numbers that training fits, fixed positions included.
        flops: operations of a forward pass for one face.
    """

    name: str
    parameters: int
    flops: int


@dataclass(frozen=True, slots=True)
class NetworkCost:
    """A network.

    Attributes:
        name: of the network, and what is counted.
        parts: in the order of the forward pass.
    """

    name: str
    parts: tuple[Part, ...]

    @property
    def parameters(self) -> int:
        """Of all parts."""
        return sum(part.parameters for part in self.parts)

    @property
    def flops(self) -> int:
        """Of all parts."""
        return sum(part.flops for part in self.parts)


def preset_costs(name: str) -> list[NetworkCost]:
    """All networks of a preset.

    Raises:
        ValueError: there is no such preset.
    """
    p = presets.preset(name)
    with torch.device("meta"):
        costs = [_normalization(name, p)]
        # Where the emotions have a network of their own, F_cla reads the tokens of F_nor's encoder.
        if p.emotions is None:
            costs.append(_classification(name, p))
        else:
            costs += [_on_tokens(name, p), _emotions(name, p)]
        if p.masked is not None:
            costs.append(_masked(name, p))
    return costs


def count_parameters(*modules: nn.Module) -> int:
    """Numbers in all parameters of modules."""
    return sum(p.numel() for module in modules for p in module.parameters())


def _run(call: Callable[..., Any], *arguments: Any) -> tuple[Any, int]:
    """The result of a call, and the operations in it."""
    with FlopCounterMode(display=False) as counter:
        result = call(*arguments)
    return result, int(counter.get_total_flops())


def _image(size: int) -> Tensor:
    return torch.empty(1, 3, size, size)


def _normalization(name: str, p: Preset) -> NetworkCost:
    network = presets.normalization(name, pretrained=False).eval()
    target = _image(2 * p.image_size)
    tokens, reading = _run(network.encoder, _image(p.image_size))
    geometry = torch.empty(1, LANDMARKS, 3)
    (code, merged), merging = _run(network.merge, tokens, geometry, tokens)
    details, detail = _run(network.decoder.detail, target)
    _, decoding = _run(network.decoder, merged, code, details)
    _, acting = _run(network.actions, code)
    between = [part for part in (network.geometry, network.dense) if part is not None]
    added = " with landmark and dense tokens" if between else ""
    painting = count_parameters(network.decoder) - count_parameters(network.decoder.detail)
    return NetworkCost(
        "F_nor: normalization, onto a target face whose tokens are known",
        (
            Part("encoder", count_parameters(network.encoder), reading),
            Part(f"merging{added}", count_parameters(network.merging, *between), merging),
            Part("details of the target", count_parameters(network.decoder.detail), detail),
            Part("decoder", painting, decoding),
            Part("facial actions, for training", count_parameters(network.actions), acting),
        ),
    )


def _classification(name: str, p: Preset) -> NetworkCost:
    network = presets.classification(
        name, heads=tuple(presets.HEADS), reads="images", pretrained=False
    ).eval()
    assert network.encoder is not None
    faces, reading = _run(network.read, _image(p.image_size), _image(p.image_size))
    return NetworkCost(
        "F_cla: classification, from original and normalized face",
        (
            Part("encoder, both faces", count_parameters(network.encoder), reading),
            *_from_tokens(network, faces),
        ),
    )


def _on_tokens(name: str, p: Preset) -> NetworkCost:
    network = presets.classification(name).eval()
    encoder = presets.normalization(name, pretrained=False).eval().encoder
    tokens, reading = _run(encoder, _image(p.image_size))
    return NetworkCost(
        "F_cla: action units, from F_nor's tokens of original and normalized face",
        (
            Part("F_nor's encoder, normalized face", 0, reading),
            *_from_tokens(network, [tokens, tokens]),
        ),
    )


def _emotions(name: str, p: Preset) -> NetworkCost:
    network = presets.emotions(name).eval()
    assert network.encoder is not None
    assert network.normalized_encoder is not None
    original, first = _run(network.encoder, _image(network.encoder.image_size))
    normalized, second = _run(
        network.normalized_encoder, _image(network.normalized_encoder.image_size)
    )
    return NetworkCost(
        "F_cla: emotions, from original and normalized face",
        (
            Part("encoder, original", count_parameters(network.encoder), first),
            Part("encoder, normalized", count_parameters(network.normalized_encoder), second),
            *_from_tokens(network, [original, normalized]),
        ),
    )


def _from_tokens(network: ClassificationNetwork, faces: list[Tensor]) -> tuple[Part, ...]:
    """What comes after the encoders."""
    (x, _), refining = _run(network.refine, faces, torch.empty(1, LANDMARKS, 3))
    between = [part for part in (network.geometry, network.dense) if part is not None]
    own = [*network.norms, network.input_norm, network.input_moe, *between]
    added = " with landmark and dense tokens" if network.dense is not None else ""
    parts = [Part(f"Input MoE{added}", count_parameters(*own) + network.kinds.numel(), refining)]
    for title, head in (("action units", network.action_units), ("emotions", network.emotions)):
        if head is not None:
            parts.append(
                Part(f"{title}: pooling and Output MoE", count_parameters(head), _run(head, x)[1])
            )
    return tuple(parts)


def _masked(name: str, p: Preset) -> NetworkCost:
    network = presets.masked_autoencoder(name).eval()
    place = torch.zeros(1, network.encoder.tokens, dtype=torch.long)
    latent, reading = _run(
        network.encoder.forward_visible, _image(p.image_size), place[:, : network.seen]
    )
    _, guessing = _run(network.decode, latent, place)
    encoder = count_parameters(network.encoder)
    return NetworkCost(
        "Masked autoencoder: pre-training of the encoder",
        (
            Part(f"encoder, {network.seen} of {network.encoder.tokens} patches", encoder, reading),
            Part("decoder", count_parameters(network) - encoder, guessing),
        ),
    )
