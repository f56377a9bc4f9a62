"""Masked autoencoder (MAE, He et al., 2022): pre-training of the encoder on unlabelled faces.

Most patches are hidden; the encoder reads the rest, a small transformer guesses the pixels of all.
Stated of the paper's encoder is that it is pre-trained this way; share of hidden patches, decoder
and normalized targets are MAE's.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from norface.models.transformer import Blocks
from norface.models.vision_transformer import (
    Block,
    VisionTransformer,
    sine_positions,
    start_as_mae,
)


class MaskedOutput(NamedTuple):
    """Result for B faces of L patches of P x P pixels.

    Attributes:
        loss_patches: (B, L), float32, mean squared error of each patch; only hidden ones are to
            count: ``(loss_patches * mask).sum() / mask.sum()``.
        prediction: (B, L, P P 3), row by row of pixels, colours last; in the units of the target.
        mask: (B, L), 1 where the patch was hidden, else 0.
    """

    loss_patches: Tensor
    prediction: Tensor
    mask: Tensor


class MaskedAutoencoder(nn.Module):
    """Encoder, and a decoder that is thrown away afterwards.

    Names and shapes of the decoder's parameters are those of MAE.

    Args:
        encoder: what is to be trained.
        width: of the decoder.
        depth: blocks of the decoder.
        heads: of the decoder's attention.
        mask_ratio: share of the patches that are hidden, above 0 and below 1.
        normalize_patches: whether each patch's target has mean 0 and deviation 1.
    """

    def __init__(
        self,
        *,
        encoder: VisionTransformer,
        width: int = 512,
        depth: int = 8,
        heads: int = 16,
        mask_ratio: float = 0.75,
        normalize_patches: bool = True,
    ) -> None:
        super().__init__()
        if not 0 < mask_ratio < 1:
            raise ValueError(f"mask_ratio must lie between 0 and 1, not {mask_ratio}")
        self.seen = max(int(encoder.tokens * (1 - mask_ratio)), 1)
        self.normalize_patches = normalize_patches
        self.decoder_embed = nn.Linear(encoder.width, width)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width))
        self.decoder_pos_embed = nn.Parameter(
            sine_positions(width=width, side=encoder.side), requires_grad=False
        )
        self.decoder_blocks = Blocks(Block(width=width, heads=heads) for _ in range(depth))
        self.decoder_norm = nn.LayerNorm(width, eps=1e-6)
        self.decoder_pred = nn.Linear(width, 3 * encoder.patch_size**2)
        start_as_mae(self)
        nn.init.normal_(self.mask_token, std=0.02)
        # Last, for it has been started already.
        self.encoder = encoder

    def forward(self, image: Tensor, noise: Tensor | None = None) -> MaskedOutput:
        """Hide patches and guess them.

        Args:
            image: (B, 3, S, S), RGB in 0..1.
            noise: (B, L); the patches with the least are seen. None draws it.
        """
        image = self.encoder.shrink(image)
        if noise is None:
            noise = torch.rand(len(image), self.encoder.tokens, device=image.device)
        order = noise.argsort(dim=1)
        place = order.argsort(dim=1)
        mask = (place >= self.seen).float()
        latent = self.encoder.forward_visible(image, order[:, : self.seen])
        prediction = self.decode(latent, place)
        error = prediction.float() - self.target(image)
        return MaskedOutput(error.square().mean(-1), prediction, mask)

    def decode(self, latent: Tensor, place: Tensor) -> Tensor:
        """Guess all patches.

        Args:
            latent: (B, 1 + K, D), see `VisionTransformer.forward_visible`.
            place: (B, L) long, where in the encoder's order a patch stands; K and more is hidden.

        Returns:
            (B, L, P P 3).
        """
        x = self.decoder_embed(latent)
        hidden = self.mask_token.to(x.dtype).expand(len(x), 1, -1)
        x = torch.cat([x, hidden], dim=1)
        # The class token, then every patch at its own place.
        source = torch.cat([torch.zeros_like(place[:, :1]), 1 + place.clamp(max=self.seen)], dim=1)
        x = x.gather(1, source[..., None].expand(-1, -1, x.shape[-1])) + self.decoder_pos_embed
        out: Tensor = self.decoder_pred(self.decoder_norm(self.decoder_blocks(x)[:, 1:]))
        return out

    def target(self, image: Tensor) -> Tensor:
        """Map image (B, 3, S, S) in 0..1 -> what is to be guessed, (B, L, P P 3), float32."""
        patches = self.encoder.patch_embed.cut(image.float()).detach()
        patches = torch.unflatten(patches, -1, (3, -1)).transpose(-1, -2).flatten(2)
        if not self.normalize_patches:
            return patches
        mean = patches.mean(-1, keepdim=True)
        variance = patches.var(-1, keepdim=True)
        return (patches - mean) / (variance + 1e-6).sqrt()

    def picture(self, output: MaskedOutput, image: Tensor) -> Tensor:
        """The guessed faces, with the true patches where they were seen.

        Args:
            output: of `forward`.
            image: (B, 3, S, S) in 0..1, what it was given.

        Returns:
            (B, 3, S, S) in 0..1.
        """
        image = self.encoder.shrink(image).float()
        embed = self.encoder.patch_embed
        patches = embed.cut(image)
        guess = torch.unflatten(output.prediction.float(), -1, (-1, 3))
        guess = guess.transpose(-1, -2).flatten(2)
        if self.normalize_patches:
            # Over all values of a patch, as the target takes them; the order does not matter.
            guess = guess * (patches.var(-1, keepdim=True) + 1e-6).sqrt()
            guess = guess + patches.mean(-1, keepdim=True)
        patches = torch.where(output.mask[..., None] > 0, guess, patches)
        side, size = self.encoder.side, self.encoder.patch_size
        x = torch.unflatten(patches, -1, (3, size, size))
        x = torch.unflatten(x, 1, (side, side)).permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)
        return (x * embed.deviation + embed.mean).clamp(0.0, 1.0)
