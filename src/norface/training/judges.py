"""The networks that judge a result where no truth is known, each built if its loss is on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from norface.models.discriminator import PatchDiscriminator
from norface.models.embeddings import Embedding, PerceptualFeatures, load_embedding
from norface.models.landmarks import LandmarkNetwork
from norface.training.normalization_config import NormalizationConfig, UnpairedConfig


class Judges(nn.Module):
    """Those that are trained already; frozen. None where the loss is off.

    Attributes:
        expression, identity: embeddings.
        perceptual: features.
    """

    def __init__(
        self,
        *,
        expression: Embedding | None,
        identity: Embedding | None,
        perceptual: Embedding | PerceptualFeatures | None,
    ) -> None:
        super().__init__()
        self.expression = expression
        self.identity = identity
        self.perceptual = perceptual

    def features(self, image: Tensor) -> list[Tensor]:
        """Perceptual features of image (B, 3, S, S)."""
        assert self.perceptual is not None
        found = self.perceptual(image)
        return found if isinstance(found, list) else [found]


class Players(nn.Module):
    """Those that learn beside the generator, each by a loss of its own. None where it is off.

    Attributes:
        discriminator: tells results from real pictures.
        landmarks: reads landmarks and pose; learns from originals, whose landmarks are known.
    """

    def __init__(
        self, *, discriminator: PatchDiscriminator | None, landmarks: LandmarkNetwork | None
    ) -> None:
        super().__init__()
        self.discriminator = discriminator
        self.landmarks = landmarks

    def named(self) -> dict[str, nn.Module]:
        """Those that are there, by name."""
        return dict(self.named_children())


def build_judges(config: NormalizationConfig, *, pretrained: bool = True) -> Judges:
    """The judges that the weights ask for.

    Raises:
        CheckpointError: an encoder's file is missing or broken.
    """
    options = config.unpaired
    on = config.unpaired_share > 0
    perceptual: Embedding | PerceptualFeatures | None = None
    if on and options.perceptual_weight > 0:
        if options.perceptual.path is None:
            perceptual = PerceptualFeatures(pretrained=pretrained)
        else:
            perceptual = load_embedding(options.perceptual)
    return Judges(
        expression=load_embedding(options.expression)
        if on and options.expression_weight > 0
        else None,
        identity=load_embedding(options.identity) if on and options.identity_weight > 0 else None,
        perceptual=perceptual,
    )


def build_players(config: NormalizationConfig, points: Tensor) -> Players:
    """The players that the weights ask for; the landmark network starts at points (K, 2)."""
    options: UnpairedConfig = config.unpaired
    on = config.unpaired_share > 0
    landmarks = None
    if on and options.needs_landmarks:
        landmarks = LandmarkNetwork()
        landmarks.start_from(points)
    discriminator = None
    if on and options.adversarial_weight > 0:
        discriminator = PatchDiscriminator(spectral=options.spectral)
    return Players(discriminator=discriminator, landmarks=landmarks)


def small_views(image: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures turned, scaled and shifted a little at random, so that no judge is gamed by pixels.

    Args:
        image: (B, 3, S, S).

    Returns:
        the views, and the maps (B, 2, 3) from positions in them to positions in the image, -1 to 1
        each.
    """
    count, device = len(image), image.device
    u = torch.rand(4, count, device=device) * 2 - 1
    angle, scale = 0.12 * u[0], 1.0 + 0.07 * u[1]
    cos, sin = scale * angle.cos(), scale * angle.sin()
    theta = torch.stack(
        [torch.stack([cos, -sin, 0.08 * u[2]], 1), torch.stack([sin, cos, 0.08 * u[3]], 1)], 1
    )
    grid = nn.functional.affine_grid(theta, list(image.shape), align_corners=False)
    views = nn.functional.grid_sample(
        image, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return views, theta


def coarse(image: Tensor) -> Tensor:
    """Pictures (B, 3, S, S) without their finest detail and with noise, at random for each.

    Fine strokes that fool a judge are mostly gone after this, a mouth that opens is not.
    """
    soft = nn.functional.avg_pool2d(image, 3, stride=1, padding=1, count_include_pad=False)
    softer = nn.functional.avg_pool2d(soft, 3, stride=1, padding=1, count_include_pad=False)
    share = torch.rand(len(image), 1, 1, 1, device=image.device)
    return soft + share * (softer - soft) + 0.04 * torch.randn_like(image)


def seen_in(points: Tensor, theta: Tensor) -> Tensor:
    """Points (B, K, 2), as shares of the pictures, where they lie in views under `small_views`."""
    offset = (points * 2 - 1) - theta[:, None, :, 2]
    seen: Tensor = torch.linalg.solve(theta[:, None, :, :2], offset[..., None])[..., 0]
    return (seen + 1) / 2
