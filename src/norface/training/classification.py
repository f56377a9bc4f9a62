"""Training of the classification network F_cla: action units, emotions, or both at once.

On cached tokens of F_nor's encoder, or end to end on images. Where a label is not known, no loss
is taken and no gradient flows; so data sets that know different things can be mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import nn

from norface import facs
from norface.data.labelled_samples import ChosenRows
from norface.data.shards import Shards, load_shards
from norface.models.checkpoint import (
    Recipe,
    learned_from,
    load_matching,
    load_normalization,
)
from norface.models.classification import ClassificationNetwork
from norface.training.average import WeightAverage
from norface.training.batches import Part
from norface.training.classification_config import ClassificationConfig
from norface.training.classification_faces import (
    FaceSource,
    ImageFaces,
    LabelledFaces,
    TokenFaces,
)
from norface.training.classification_losses import label_weights, loss_terms
from norface.training.classification_validation import validate
from norface.training.encoder_start import start_encoder
from norface.training.fold import Fold, open_fold
from norface.training.frozen_normalizer import FrozenNormalizer
from norface.training.layer_decay import layer_parts
from norface.training.normalized_faces import kept_normalized
from norface.training.optimizers import parameter_groups
from norface.training.run import Run, TrainingError
from norface.training.samples import Samples
from norface.training.sampling import in_epochs
from norface.training.speed import lay_channels_last, speed_up_depthwise
from norface.training.tokens import cache_tokens

CHECKPOINT = "classification.safetensors"
_DRY_SAMPLES = 64


def train_classification(config: ClassificationConfig, console: Console | None = None) -> Path:
    """Train F_cla, or go on where an earlier run in the same folder stopped.

    Writes to ``config.out``, beside what every `Run` writes: ``classification.safetensors`` (the
    averaged weights; its notes hold ``thresholds``), its best version, the tokens, and pictures of
    which expert takes which label.

    Returns:
        The checkpoint (which does not exist yet if a signal stopped the making of the tokens).

    Raises:
        ShardError: the data are missing or broken.
        CheckpointError: F_nor, the encoder or a state in the folder cannot be read.
        TrainingError: the training cannot go on.
    """
    run = Run(config, checkpoint=CHECKPOINT, console=console)
    config = run.config
    found = _find(run)
    samples, training, validation = found.samples, found.training, found.validation
    torch.manual_seed(config.seed)
    recipe = make_recipe(config, samples.units)
    network = recipe.build(pretrained=config.encoder is None)
    assert isinstance(network, ClassificationNetwork)
    if config.encoder is not None and network.encoder is not None:
        run.record.say(start_encoder(config.encoder, network.encoder))
    if config.start is not None:
        loaded, total = load_matching(config.start, network)
        run.record.say(f"{loaded} of {total} tensors start from {config.start}")
    source = _source(run, network, found)
    if source is None:
        return config.out / CHECKPOINT

    lay_channels_last(network)
    average = WeightAverage(network, config.average)
    speed_up_depthwise(network)
    parts: dict[str, tuple[nn.Module, float]] = {"network": (network, config.learning_rate)}
    if network.encoder is not None:
        assert config.layer_decay is not None
        parts = layer_parts(network.encoder, config.learning_rate, config.layer_decay) | parts
    optimizer = torch.optim.AdamW(parameter_groups(parts, config.weight_decay), betas=(0.9, 0.98))
    run.begin(
        recipe=recipe,
        networks={"network": network},
        averages={"network": average},
        optimizers={"network": optimizer},
        epoch_samples=len(training),
        notes={"samples": len(training), **found.notes},
    )

    def check() -> None:
        seen = validate(average.network, source, validation, run.device)
        run.record.write("router", run.schedule, seen.router.figures())
        picture = seen.router.picture()
        by_intensity = "action_units" in config.heads and config.presence_weight == 0.0
        run.validated(
            seen.figures,
            best=seen.figures["icc"] if by_intensity else seen.score,
            pictures={} if picture is None else {"router": picture},
            notes={"thresholds": seen.thresholds, "validation": seen.figures},
        )

    weights = label_weights(samples, training, config, run.device)
    for batch in run.batches(batch_maker(source, samples, training, config)):
        batch = source.completed(batch)
        with run.autocast():
            out = run.wrapped["network"](batch.original, batch.normalized, batch.geometry)
        losses = loss_terms(out, batch, weights, config)
        run.descend("network", losses["loss"])
        run.end_step(losses, samples=len(batch.original))
        if run.validation_due():
            check()
    if not run.stopped:
        check()
    return run.finish()


class _Found(NamedTuple):
    """The samples, which of them are learned from and chosen by, and what the checkpoint says."""

    samples: Samples
    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    fold: Fold | None
    notes: dict[str, Any]


def _find(run: Run[ClassificationConfig]) -> _Found:
    config = run.config
    limit = _DRY_SAMPLES if config.dry_run else config.limit
    if not config.fold:
        run.record.say(f"reading {', '.join(map(str, config.data))}")
        shards = load_shards(config.data, limit=limit)
        training, validation = split_identities(shards, config.held_out, config.seed)
        run.record.say(
            f"{len(training)} samples to train on, {len(validation)} to choose thresholds"
        )
        people = learned_from(config.normalization, config.encoder, config.start)
        return _Found(shards, training, validation, None, {"learned_from": people})
    fold = open_fold(config.fold, held_out=config.held_out, seed=config.seed)
    needed = "emotions" if fold.protocol.task == "emotion" else "action_units"
    if fold.protocol.task == "affect" or config.heads != (needed,):
        raise TrainingError(
            f"{fold.protocol.name} has labels for {fold.protocol.task}: "
            + (
                "norface has no head for it."
                if fold.protocol.task == "affect"
                else f"give --heads {needed}."
            )
        )
    run.record.say(fold.said)
    people = fold.learned_from(config.normalization, config.encoder, config.start)
    notes = {**fold.notes, "learned_from": people}
    return _Found(fold.labelled(), fold.training[:limit], fold.validation[:limit], fold, notes)


def make_recipe(
    config: ClassificationConfig, units: Sequence[str] = facs.ACTION_UNIT_NAMES
) -> Recipe:
    """How to build the network that the options ask for, to read these units."""
    options: dict[str, object] = {
        "heads": list(config.heads),
        "reads": config.reads,
        "use_original": config.use_original,
        "use_normalized": config.use_normalized,
        "input_moe": config.input_moe,
        "output_moe": config.output_moe,
    }
    if tuple(units) != facs.ACTION_UNIT_NAMES:
        options["units"] = list(units)
    if config.drop_path:
        options["drop_path"] = config.drop_path
    return Recipe(kind="classification", preset=config.preset, options=options)


def split_identities(
    shards: Shards, share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Training and validation samples; no person is in both.

    Where there are renders, whose labels are exact, they alone validate and all photos train.
    """
    candidates = ~shards.real if (~shards.real).any() else shards.real
    people = np.unique(shards.identity[candidates])
    count = max(round(share * len(people)), 1)
    aside = np.random.default_rng((seed, 11)).choice(people, count, replace=False)
    held = np.isin(shards.identity, aside) & candidates
    return np.flatnonzero(~held), np.flatnonzero(held)


def batch_maker(
    source: FaceSource,
    samples: Samples,
    training: NDArray[np.int64],
    config: ClassificationConfig,
) -> Callable[[int, Part], LabelledFaces]:
    """A function from the number of a step and a part of it to its batch."""
    photos = training[samples.real[training]]
    renders = training[~samples.real[training]]
    share = config.real_share if len(photos) and len(renders) else float(len(renders) == 0)
    count = round(share * config.batch)

    def make(step: int, part: Part) -> LabelledFaces:
        chosen = np.concatenate(
            [
                in_epochs(photos, count=count, step=step, seed=config.seed),
                in_epochs(renders, count=config.batch - count, step=step, seed=config.seed),
            ]
        )
        # A generator for each place, so that the parts of a batch do not depend on their number.
        places = part.of(np.arange(config.batch))
        rngs = [np.random.default_rng((config.seed, 3, step, int(place))) for place in places]
        return source.varied(chosen[places], rngs)

    return make


def _source(
    run: Run[ClassificationConfig], network: ClassificationNetwork, found: _Found
) -> FaceSource | None:
    """The faces as the network reads them; None if a signal stopped the making of the tokens."""
    config, samples = run.config, found.samples
    normalizer = None
    if config.normalization is not None and (config.use_normalized or network.encoder is None):
        face = samples.targets[config.target]
        normalizer = FrozenNormalizer(load_normalization(config.normalization)[0], face, run.device)
    if network.encoder is not None:
        if found.fold is not None and found.fold.faces.crop < network.encoder.image_size:
            run.record.say(
                f"[yellow]{config.fold.faces} holds faces for networks of {found.fold.faces.crop} "
                f"pixels, which are enlarged to {network.encoder.image_size}: better prepare them "
                "with another --crop[/]"
            )
        normalized = None
        if config.fold.normalized and found.fold is not None:
            assert config.normalization is not None
            rows = kept_normalized(found.fold.faces.folder, config.normalization)
            normalized = ChosenRows(rows, found.fold.rows)
        return ImageFaces(
            samples,
            size=network.encoder.image_size,
            normalizer=normalizer,
            normalized=normalized,
            augmentation=config.augmentation,
            mirror=config.mirror,
            views=config.copies,
            seed=config.seed,
        )
    assert normalizer is not None
    assert config.normalization is not None
    cache = cache_tokens(
        config.cache or config.out / "tokens",
        normalizer,
        samples,
        checkpoint=config.normalization,
        target=config.target,
        copies=config.copies,
        augmentation=config.augmentation,
        seed=config.seed,
        record=run.record,
        write=run.main,
    )
    return None if cache is None else TokenFaces(samples, cache)
