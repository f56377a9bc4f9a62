"""Options of the training of the normalization network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from norface.data.augment import AugmentationConfig
from norface.losses.adversarial import KINDS, Kind
from norface.models.embeddings import EncoderSpec
from norface.training.config import RunConfig
from norface.training.fold_config import FoldConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class UnpairedConfig:
    """The unpaired regime. A weight of 0 switches a loss off, and its network is not built.

    Attributes:
        own_share: share of the unpaired samples whose target is the face itself.
        disturbance: how far the expression of such a target is disturbed, so that copying it is
            not the answer; 0 is the plain reconstruction.
        photo_target_share: share of the other unpaired samples whose target is another face of the
            data, instead of a neutral target face.
        expression: encoder of the expression; a checkpoint of `norface train expression`.
        identity: encoder of the identity; a face recognizer, or a checkpoint of
            `norface train expression --subject identity`.
        perceptual: encoder of perceptual features; without a path EfficientNet-Lite0 of ImageNet.
        reconstruction_weight: weight of the difference from the face itself.
        perceptual_weight: weight of the same in perceptual features.
        expression_weight: weight of the distance from the original's expression.
        contrast_weight: weight of being nearer to the own original's expression than to others';
            off with the weight before.
        identity_weight: weight of the distance from the target's identity.
        pose_weight: weight of the distance from the target's yaw and pitch.
        landmark_weight: weight of the distance from the target's rigid landmarks.
        opening_weight: weight of the distance from the original's openings of lids and lips.
        background_weight: weight of the difference from the target's background.
        painting_weight: weight of what the decoder paints instead of moving it.
        adversarial_weight: weight of the discriminator's doubt.
        adversarial: the game that is played, non-saturating or hinge.
        spectral: spectral normalization of the discriminator.
        r1_weight: weight of the discriminator's squared gradient at real pictures.
        r1_interval: steps between two of its computations, for it is dear; it then weighs as much
            more.
        player_rate: learning rate of the discriminator and of the landmark network, as a share of
            the generator's peak.
        ramp: steps over which the weights of the losses that networks judge (all but
            reconstruction, perceptual, background and painting) grow from 0: the generator learns
            to move faces first, and landmarks and discriminator learn to read them.
        held_out: unpaired samples (with all others of the same identities) kept for validation.
    """

    own_share: float = 0.4
    disturbance: float = 1.0
    photo_target_share: float = 0.15
    expression: EncoderSpec = field(default_factory=EncoderSpec)
    identity: EncoderSpec = field(default_factory=EncoderSpec)
    perceptual: EncoderSpec = field(default_factory=EncoderSpec)
    reconstruction_weight: float = 4.0
    perceptual_weight: float = 0.2
    expression_weight: float = 0.2
    contrast_weight: float = 0.4
    identity_weight: float = 0.3
    pose_weight: float = 0.3
    landmark_weight: float = 3.0
    opening_weight: float = 3.0
    background_weight: float = 2.0
    painting_weight: float = 4.0
    adversarial_weight: float = 0.03
    adversarial: Kind = "non-saturating"
    spectral: bool = True
    r1_weight: float = 0.1
    r1_interval: int = 8
    player_rate: float = 0.5
    ramp: int = 300
    held_out: int = 32

    def __post_init__(self) -> None:
        for name in ("own_share", "photo_target_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in 0..1, not {getattr(self, name)}")
        for name in self.__slots__:
            if name.endswith("_weight") and getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, but is {getattr(self, name)}")
        if self.adversarial not in KINDS:
            raise ValueError(f"adversarial must be one of {', '.join(KINDS)}")
        for name in ("r1_interval", "player_rate", "ramp"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, not {getattr(self, name)}")

    @property
    def needs_landmarks(self) -> bool:
        """Whether any loss reads landmarks."""
        return max(self.pose_weight, self.landmark_weight, self.opening_weight) > 0

    def check_encoders(self) -> None:
        """Whether each loss that is on has its encoder.

        Raises:
            ValueError: one has not; says how to get it.
        """
        for name, subject in (("expression", "actions"), ("identity", "identity")):
            if getattr(self, f"{name}_weight") > 0 and getattr(self, name).path is None:
                raise ValueError(
                    f"the unpaired regime needs an encoder of {name}: give unpaired.{name}.path, "
                    f"train one with `norface train expression --subject {subject}`, or set "
                    f"unpaired.{name}_weight to 0"
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class NormalizationConfig(RunConfig):
    """Training of the normalization network F_nor, paired, unpaired, or both in one batch.

    Attributes:
        data: folders of shards whose rendered targets are the truth, see `norface.data.shards`.
        limit: read at most so many samples of each folder.
        start: checkpoint whose weights a new run starts from, as far as names and shapes agree.
        groups: draws of a target a batch; few distinct targets are cheap: each is encoded once.
        real_share: share of the paired samples that is photos, when there are any.
        encoder_rate: learning rate of the encoder relative to the rest.
        frozen_blocks: encoder blocks that stay as ImageNet left them: what they see (edges,
            colours) is the same in photos and renders, and their backward pass is the dearest.
        freeze_reading: train merging and decoder alone, on a `start` that reads faces already.
        freeze_batch_norm: keep the encoder's normalization statistics.
        square_weight: weight of the squared pixel loss beside the absolute one.
        edge_weight: weight of the loss on image gradients.
        action_weight: weight of the loss on the facial actions read from the merged tokens.
        flow_weight: weight of the roughness of the decoder's flow, in both regimes.
        motion_floor: pixel weight where the target face never moves, relative to the mean.
        held_out: samples (with all others of the same identities) kept for validation.
        augmentation: of the originals.
        unpaired_share: share of the batch that is unpaired, without any rendered truth.
        unpaired_data: folders of shards of which the unpaired samples take the originals, their
            landmarks and the neutral target faces alone; by default those of `data`.
        fold: the training part of a data set, for the unpaired regime; its labels are not used.
        unpaired: options of the unpaired regime.
    """

    data: tuple[Path, ...] = ()
    limit: int | None = None
    start: Path | None = None
    groups: int = 4
    real_share: float = 0.15
    encoder_rate: float = 0.5
    frozen_blocks: int = 3
    freeze_reading: bool = False
    freeze_batch_norm: bool = True
    square_weight: float = 5.0
    edge_weight: float = 0.5
    action_weight: float = 0.1
    flow_weight: float = 0.5
    motion_floor: float = 0.2
    held_out: int = 192
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    unpaired_share: float = 0.0
    unpaired_data: tuple[Path, ...] = ()
    fold: FoldConfig = field(default_factory=FoldConfig)
    unpaired: UnpairedConfig = field(default_factory=UnpairedConfig)

    def __post_init__(self) -> None:
        # Zero-argument super() does not work in a dataclass with slots.
        RunConfig.__post_init__(self)
        for name in ("real_share", "unpaired_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in 0..1, not {getattr(self, name)}")
        if self.groups < 1:
            raise ValueError(f"groups must be positive, not {self.groups}")
        if not self.data and self.unpaired_share < 1.0:
            raise ValueError("data needs at least one folder, unless unpaired_share is 1")
        if self.fold and self.unpaired_share == 0.0:
            raise ValueError("a fold is for the unpaired regime: give unpaired_share")
        if self.unpaired_share == 0.0:
            return
        if not self.data and not self.unpaired_data and not self.fold:
            raise ValueError("unpaired_data needs at least one folder, or fold a data set")
        self.unpaired.check_encoders()
