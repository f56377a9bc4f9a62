"""Two players: the discriminator tells real patches from made ones, the generator makes it err."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

Kind: TypeAlias = Literal["non-saturating", "hinge"]
KINDS: Final = ("non-saturating", "hinge")


def generator_loss(made: Tensor, *, kind: Kind = "non-saturating") -> Tensor:
    """Small when the discriminator takes what was made for real.

    Args:
        made: (B, 1, H, W), logits of the patches, positive for real.
        kind: softplus(-logit) (Goodfellow et al., 2014), or -logit (Lim and Ye, 2017).

    Returns:
        (B,)
    """
    loss = F.softplus(-made) if kind == "non-saturating" else -made
    return loss.mean((1, 2, 3))


def discriminator_loss(real: Tensor, made: Tensor, *, kind: Kind = "non-saturating") -> Tensor:
    """Small when the discriminator is right about both.

    Args:
        real: (N, 1, H, W), logits of the patches.
        made: (M, 1, H, W), the same.
        kind: softplus, or hinge at one.

    Returns:
        a scalar: the mean over real patches plus the mean over made ones.
    """
    if kind == "non-saturating":
        return F.softplus(-real).mean() + F.softplus(made).mean()
    return F.relu(1.0 - real).mean() + F.relu(1.0 + made).mean()


def r1_penalty(real: Tensor, image: Tensor) -> Tensor:
    """Half the squared gradient at real pictures, which keeps both players near them.

    Mescheder et al., 2018.

    Args:
        real: (B, 1, H, W), logits of `image`, with their graph.
        image: (B, 3, S, S), requires a gradient.

    Returns:
        a scalar; its own gradient reaches the discriminator.
    """
    # A patch counts by itself, whatever their number.
    (slope,) = torch.autograd.grad(real.mean((1, 2, 3)).sum(), image, create_graph=True)
    return 0.5 * slope.square().sum((1, 2, 3)).mean()
