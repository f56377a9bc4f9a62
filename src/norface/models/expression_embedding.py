"""Expression embedding: a face to a point whose distance to others is that of the expressions.

After DLN (Zhang et al., CVPR 2021): 16 numbers, learned from triplets of which people said that two
are more alike than the third. It measures F_nor's expression loss, whose name is inferred; that
this embedding is used for it is ours. DLN subtracts an identity branch; this network does not.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from norface.models.encoder import Encoder


class ExpressionEmbedding(nn.Module):
    """Encoder, mean over the tokens, a linear map, length 1.

    Args:
        encoder: reads the image.
        size: N, of the embedding.
    """

    def __init__(self, *, encoder: Encoder, size: int = 16) -> None:
        super().__init__()
        self.encoder = encoder
        self.size = size
        self.out = nn.Linear(encoder.width, size)

    def forward(self, image: Tensor) -> Tensor:
        """Map image (B, 3, S, S), RGB in 0..1 -> (B, N), float32, of length 1."""
        return F.normalize(self.out(self.encoder(image).mean(1)).float(), dim=-1)
