"""Options of the training of the classification network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from norface.data.augment import AugmentationConfig
from norface.training.config import RunConfig
from norface.training.fold_config import FoldConfig

_PAPERS_SIZES: Final = ("small", "base", "large")
PRESENCE_RATE: Final = 1e-4
"""The paper's base learning rates, for a batch of 256 (stated)."""
INTENSITY_RATE: Final = 1e-3
EMOTION_RATE: Final = 2e-5
TINY_RATE: Final = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassificationConfig(RunConfig):
    """Training of the classification network F_cla.

    At the presets `small`, `base` and `large` the paper's recipe is the default: images, end to
    end, 40 epochs, and its base learning rates times ``batch / 256``.

    Attributes:
        data: folders of shards, see `norface.data.shards`.
        fold: the training part of a data set instead.
        normalization: checkpoint of F_nor; not needed for images without the normalized face.
        heads: what is learned: action_units, emotions, or both at once.
        reads: tokens of F_nor's encoder, which stays as it is (computed once and kept on disk), or
            images, by an encoder of the network's own that learns with it; by default tokens, at
            `small`, `base` and `large` images.
        encoder: what the own encoder starts from: a checkpoint of `norface train pretraining` or
            any other with an encoder of that size, or a published MAE file; by default ImageNet
            where the encoder is convolutional.
        start: checkpoint of F_cla whose weights a new run starts from, as far as they fit.
        target: which of the targets the faces are normalized to.
        cache: folder of the cached tokens; by default ``out/tokens``.
        limit: read at most so many samples of each folder.
        copies: versions of each sample, the first plain, the others augmented: of those whose
            tokens are kept, and of those that are validated on. Images are varied anew each time.
        mirror: probability of a mirrored face; images only.
        use_original: whether the original is read.
        use_normalized: whether the normalized face is read.
        input_moe: off, a single expert takes the place of the mixture (Input MoE).
        output_moe: the same for every head (Output MoE).
        drop_path: share of a transformer encoder's branches left out in training; by default 0.1
            at `small` and `base`, 0.2 at `large` (as in the MAE recipe), else 0.
        learning_rate: 0 is by preset: 1e-3, but from `small` on the paper's rate of what is learned
            (1e-4 presence, 1e-3 intensity, 2e-5 emotions) times ``batch / 256``; of several the
            smallest (ours).
        layer_decay: factor of the learning rate from each of the encoder's blocks to the one
            before it; by default 0.75 from `small` on (ours; 0.65 and 0.75 in the MAE recipe),
            else 1, which is off.
        real_share: share of the batch that is photos, when there are photos and renders.
        presence: loss of presence: cross-entropy with weights against rarity, or the asymmetric
            loss (see `norface.losses.presence`).
        gamma_positive: of the asymmetric loss.
        gamma_negative: of the asymmetric loss.
        margin: of the asymmetric loss.
        balance_emotions: weight emotions by the root of their rarity.
        distributions: learn the shares of the votes on the emotions where a set has them (FER+,
            some tables), not the emotion of the majority alone. What is chosen and scored by stays
            the majority.
        smoothing: share of an emotion's label given to all emotions alike.
        intensity_weight: weight of the squared error of intensities.
        agreement_weight: weight of the concordance of intensities.
        presence_weight: weight of the presence loss.
        emotion_weight: weight of the emotion loss.
        importance_weight: of the experts' importance balancing (0.001 in the paper).
        load_weight: of the experts' load balancing (0.001 in the paper).
        held_out: share of the people on whom thresholds are chosen; of a fold of those that it
            trains on.
    """

    data: tuple[Path, ...] = ()
    fold: FoldConfig = field(default_factory=FoldConfig)
    normalization: Path | None = None
    heads: tuple[Literal["action_units", "emotions"], ...] = ("action_units",)
    reads: Literal["tokens", "images"] | None = None
    encoder: Path | None = None
    start: Path | None = None
    target: int = 0
    cache: Path | None = None
    limit: int | None = None
    copies: int = 2
    mirror: float = 0.0
    use_original: bool = True
    use_normalized: bool = True
    input_moe: bool = True
    output_moe: bool = True
    drop_path: float | None = None
    learning_rate: float = 0.0
    layer_decay: float | None = None
    real_share: float = 0.1
    presence: Literal["weighted", "asymmetric"] = "weighted"
    gamma_positive: float = 0.0
    gamma_negative: float = 4.0
    margin: float = 0.05
    balance_emotions: bool = False
    distributions: bool = False
    smoothing: float = 0.1
    intensity_weight: float = 0.2
    agreement_weight: float = 0.3
    presence_weight: float = 0.5
    emotion_weight: float = 1.0
    importance_weight: float = 0.001
    load_weight: float = 0.001
    held_out: float = 0.08
    batch: int = 128
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)

    def __post_init__(self) -> None:
        self._choose_by_preset()
        RunConfig.__post_init__(self)
        if bool(self.data) == bool(self.fold):
            raise ValueError("give folders of shards (data) or a fold of a data set (fold)")
        if self.fold.normalized and (self.reads == "tokens" or not self.use_normalized):
            raise ValueError("fold.normalized is for images with the normalized face")
        if not self.heads:
            raise ValueError("heads needs action_units, emotions or both")
        if self.copies < 1:
            raise ValueError(f"copies must be at least 1, not {self.copies}")
        if not (self.use_original or self.use_normalized):
            raise ValueError("use_original and use_normalized cannot both be off")
        if self.normalization is None and (self.reads == "tokens" or self.use_normalized):
            raise ValueError("normalization is needed for tokens and for the normalized face")
        if self.reads == "tokens":
            given = [n for n in ("encoder", "mirror", "drop_path") if getattr(self, n)]
            if given:
                raise ValueError(f"{', '.join(given)}: for reads images only")
        for name in ("real_share", "mirror", "margin"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in 0..1, not {getattr(self, name)}")
        for name in ("gamma_positive", "gamma_negative"):
            if 0.0 < getattr(self, name) < 1.0 or getattr(self, name) < 0.0:
                raise ValueError(f"{name} must be 0 or at least 1, not {getattr(self, name)}")
        if self.layer_decay is None or not 0.0 < self.layer_decay <= 1.0:
            raise ValueError(f"layer_decay must be above 0 and at most 1, not {self.layer_decay}")
        if not 0.0 <= self.smoothing < 1.0:
            raise ValueError(f"smoothing must lie in 0..1, not {self.smoothing}")
        if not 0.0 < self.held_out < 1.0:
            raise ValueError(f"held_out must lie in 0..1, not {self.held_out}")

    def _choose_by_preset(self) -> None:
        """Put values where none is given."""
        papers = self.preset in _PAPERS_SIZES

        def choose(name: str, value: object) -> None:
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

        choose("reads", "images" if papers else "tokens")
        choose("layer_decay", 0.75 if papers else 1.0)
        share = {"small": 0.1, "base": 0.1, "large": 0.2}.get(self.preset, 0.0)
        choose("drop_path", share if self.reads == "images" else 0.0)
        if papers and self.minutes is None and self.steps is None:
            choose("epochs", 40.0)
        if self.learning_rate == 0.0:
            rate = self._papers_rate() * self.batch / 256 if papers else TINY_RATE
            object.__setattr__(self, "learning_rate", rate)

    def _papers_rate(self) -> float:
        rates = {"emotions": EMOTION_RATE}
        if self.presence_weight > 0.0:
            rates["action_units"] = PRESENCE_RATE
        else:
            rates["action_units"] = INTENSITY_RATE
        return min(rates[head] for head in self.heads)
