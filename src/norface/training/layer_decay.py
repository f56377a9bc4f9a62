"""Learning rates that shrink from the head towards the picture.

What a pre-trained encoder says about edges and textures holds for every task; what it says last
does not. With a decay of ``d`` and ``N`` blocks, block ``n`` (from 0) learns at ``d ** (N - n)``
of the encoder's rate, the part before the blocks at ``d ** (N + 1)``, all that comes after the
blocks at the full rate: the rule of the MAE recipe for fine-tuning (there 0.65 at ViT-B and 0.75
at ViT-L), which the paper is inferred to follow. That the convolutional trunk takes the same rule,
block by block, is ours.
"""

from __future__ import annotations

from torch import nn

from norface.models.encoder import ConvolutionalEncoder, Encoder
from norface.models.vision_transformer import VisionTransformer


def layer_parts(encoder: Encoder, rate: float, decay: float) -> dict[str, tuple[nn.Module, float]]:
    """Parts of an encoder and their learning rates, for `parameter_groups`.

    Args:
        encoder: a `VisionTransformer` or a `ConvolutionalEncoder`; any other is one part.
        rate: learning rate of what comes after the blocks.
        decay: factor from each block to the one before it, above 0 and at most 1; 1 is off.
    """
    if isinstance(encoder, VisionTransformer):
        blocks = list(encoder.blocks)
        first: list[nn.Module] = [
            encoder.patch_embed,
            # Bare parameters are no module, which is all that `parameter_groups` takes.
            nn.ParameterList([encoder.cls_token, encoder.pos_embed]),
        ]
    elif isinstance(encoder, ConvolutionalEncoder):
        blocks = list(encoder.trunk.blocks)
        first = [encoder.trunk.conv_stem, encoder.trunk.bn0]
    else:
        return {"encoder": (encoder, rate)}
    stem = rate * decay ** (len(blocks) + 1)
    parts = {f"encoder.stem{i}": (module, stem) for i, module in enumerate(first)}
    for number, block in enumerate(blocks):
        parts[f"encoder.block{number}"] = (block, rate * decay ** (len(blocks) - number))
    return {**parts, "encoder": (encoder, rate)}
