"""Patch discriminator (Isola et al., 2017): is this patch of a real picture?

The paper's is not published. Ours judges patches of about a quarter of the picture and never the
whole face: a result must look like a picture everywhere, but which expression or person it shows is
for other losses to say.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


class PatchDiscriminator(nn.Module):
    """Strided convolutions to one logit a patch; no normalization over the batch.

    Args:
        widths: channels after each halving.
        spectral: divide each kernel by its largest singular value (Miyato et al., 2018). Its
            estimate moves with every forward pass in training mode, so a generator's step has to
            run the discriminator in evaluation mode.
    """

    def __init__(self, *, widths: Sequence[int] = (32, 64, 128), spectral: bool = True) -> None:
        super().__init__()
        if not widths:
            raise ValueError("widths needs at least one number")
        convolutions = [
            nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)
            for inputs, outputs in zip((3, *widths[:-1]), widths, strict=True)
        ]
        convolutions.append(nn.Conv2d(widths[-1], 1, 3, padding=1))
        self.layers = nn.ModuleList(
            spectral_norm(layer) if spectral else layer for layer in convolutions
        )

    def forward(self, image: Tensor) -> Tensor:
        """Map image (B, 3, S, S) in 0..1 -> logits (B, 1, H, H), positive for real."""
        x = image * 2.0 - 1.0
        for layer in list(self.layers)[:-1]:
            x = F.leaky_relu(layer(x), 0.2)
        out: Tensor = self.layers[-1](x)
        return out
