"""Training of the small classification network for emotions alone, on a data set such as FER2013.

Its faces, and renders of the emotions' prototypes. First without the normalized face, then, from
that network on, with it (`EmotionsConfig.start`): so most of the training can be done before F_nor
is. For emotions at the paper's scale, or together with action units, see `train_classification`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor, nn

from norface import facs
from norface.data.augment import augment, centre, geometry_noise
from norface.data.mirror import mirror_geometry
from norface.evaluation.metrics import accuracy, mean_recall
from norface.losses.balance import balance_losses
from norface.losses.emotion import emotion_loss, smoothed
from norface.models.checkpoint import Recipe, load_classification
from norface.models.classification import ClassificationNetwork, ClassificationOutput
from norface.models.grey_face_encoder import GreyFaceEncoder
from norface.training.average import WeightAverage
from norface.training.batches import Part
from norface.training.emotion_faces import Faces, enlarged, load_photos, load_renders
from norface.training.emotions_config import EmotionsConfig
from norface.training.fold import open_fold
from norface.training.optimizers import parameter_groups
from norface.training.pictures import to_images
from norface.training.router_load import RouterLoad
from norface.training.run import Run, TrainingError
from norface.training.sampling import in_epochs
from norface.training.speed import lay_channels_last, speed_up_depthwise

CHECKPOINT = "emotions.safetensors"
CONTEMPT = facs.EMOTIONS.index("contempt")


class Batch(NamedTuple):
    """B faces.

    Attributes:
        original: (B, 3, S, S) in 0..1.
        normalized: (B, 3, S', S') in 0..1, or None.
        geometry: (B, 478, 3).
        label: (B, 8), probabilities.
        allowed: (B, 8) bool, emotions that the label could have been.
    """

    original: Tensor
    normalized: Tensor | None
    geometry: Tensor
    label: Tensor
    allowed: Tensor


class Sizes(NamedTuple):
    """Width of the images that the network reads."""

    original: int
    normalized: int


def train_emotions(config: EmotionsConfig, console: Console | None = None) -> Path:
    """Train F_cla for emotions, or go on where an earlier run in the same folder stopped.

    Writes to ``config.out``, beside what every `Run` writes: ``emotions.safetensors`` (the averaged
    weights), its best version by accuracy on the samples to choose by, and pictures of which expert
    takes which emotion. Nothing of the test part is read.

    Returns:
        The checkpoint.

    Raises:
        DataError: the data set is not as it was delivered.
        FaceFolderError: its faces, or their normalized ones, are not prepared.
        LeakError: a checkpoint that is built on learned from people who are tested on.
        CheckpointError: a checkpoint cannot be read.
        TrainingError: the training cannot go on.
    """
    run = Run(config, checkpoint=CHECKPOINT, console=console)
    config = run.config
    fold = open_fold(config.fold, held_out=config.held_out, seed=config.seed)
    if fold.protocol.task != "emotion":
        raise TrainingError(f"{fold.protocol.name} is about {fold.protocol.task}, not emotions")
    run.record.say(fold.said)
    people = fold.learned_from(config.normalization, *config.start)
    normalize = config.use_normalized and config.normalization is not None
    torch.manual_seed(config.seed)
    recipe = Recipe(
        kind="emotions",
        preset=config.preset,
        options={
            "use_original": config.use_original,
            "use_normalized": normalize,
            "input_moe": config.input_moe,
            "output_moe": config.output_moe,
        },
    )
    network = recipe.build()
    assert isinstance(network, ClassificationNetwork)
    if config.face_weights is not None and isinstance(network.encoder, GreyFaceEncoder):
        network.encoder.trunk.load_published(config.face_weights)
    for path in config.start:
        take_over(network, load_classification(path)[0], heads=config.start_heads)
    sizes = sizes_of(network)
    photos, held = load_photos(run, fold, size=sizes.original, normalize=normalize)
    renders = load_renders(run, size=sizes.original, normalize=normalize)
    run.record.say(
        f"{len(photos)} photos and {0 if renders is None else len(renders)} renders to learn from, "
        f"{len(held)} photos to choose by"
    )
    if config.freeze_encoder and isinstance(network.encoder, GreyFaceEncoder):
        network.encoder.freeze()
    lay_channels_last(network)
    average = WeightAverage(network, config.average)
    speed_up_depthwise(network)
    rate = config.learning_rate
    parts: dict[str, tuple[nn.Module, float]] = {"rest": (network, rate)}
    if network.encoder is not None and not config.freeze_encoder:
        parts = {"encoder": (network.encoder, rate * config.encoder_rate), **parts}
    optimizer = torch.optim.AdamW(parameter_groups(parts, config.weight_decay), betas=(0.9, 0.98))
    run.begin(
        recipe=recipe,
        networks={"network": network},
        averages={"network": average},
        optimizers={"network": optimizer},
        epoch_samples=len(photos),
        notes={**fold.notes, "samples": len(photos), "learned_from": people},
    )

    def check() -> None:
        router = RouterLoad(facs.EMOTIONS)
        said = read_emotions(average.network, held, sizes, run.device, router).argmax(1)
        figures = {
            "accuracy": accuracy(held.emotion, said),
            "mean_recall": mean_recall(held.emotion, said),
        }
        run.record.write("router", run.schedule, router.figures())
        picture = router.picture()
        run.validated(
            figures,
            best=figures["accuracy"],
            pictures={} if picture is None else {"router": picture},
            notes={"figures": figures},
        )

    for batch in run.batches(batch_maker(photos, renders, config, sizes)):
        with run.autocast():
            out = run.wrapped["network"](batch.original, batch.normalized, batch.geometry)
        losses = loss_terms(out, batch, config)
        run.descend("network", losses["loss"])
        run.end_step(losses, samples=len(batch.label))
        if run.validation_due():
            check()
    if not run.stopped:
        check()
    return run.finish()


def loss_terms(
    out: ClassificationOutput, batch: Batch, config: EmotionsConfig
) -> dict[str, Tensor]:
    """The losses of a batch: each by itself, and ``loss``, their weighted sum."""
    assert out.emotion is not None
    losses = {"emotion": emotion_loss(out.emotion, batch.label, allowed=batch.allowed)}
    loss = losses["emotion"]
    for name, value in balance_losses(out.routings.values()).items():
        loss = loss + getattr(config, f"{name}_weight") * value
        losses[name] = value
    return {"loss": loss, **losses}


def take_over(
    network: ClassificationNetwork, source: ClassificationNetwork, *, heads: bool = True
) -> None:
    """Copy what two emotion networks share; inputs that only one of them has stay as they are.

    Args:
        network: to be changed.
        source: to copy from.
        heads: off, only the encoders are copied.
    """
    own = network.state_dict()
    for key, value in source.state_dict().items():
        if not heads and not key.startswith(("encoder.", "normalized_encoder.")):
            continue
        if key in own and own[key].shape == value.shape:
            own[key] = value
        elif key == "kinds":
            own[key][: len(value)] = value[: len(own[key])]
    network.load_state_dict(own)


def batch_maker(
    photos: Faces, renders: Faces | None, config: EmotionsConfig, sizes: Sizes
) -> Callable[[int, Part], Batch]:
    """A function from the number of a step and a part of it to its batch."""
    cv2.setNumThreads(0)
    count = round(config.synthetic_share * config.batch) if renders is not None else 0
    every = np.arange(len(photos))

    def make(step: int, part: Part) -> Batch:
        rng = np.random.default_rng((config.seed, 5, step))
        numbers = in_epochs(every, count=config.batch - count, step=step, seed=config.seed)
        chosen = [(photos, int(i)) for i in numbers]
        if renders is not None:
            chosen += [(renders, int(i)) for i in rng.integers(0, len(renders), count)]
        images, normalized, shapes, labels, contempt = [], [], [], [], []
        for place in part.of(np.arange(config.batch)):
            faces, i = chosen[place]
            # A generator for each place, so that a batch does not depend on how it is parted.
            rng = np.random.default_rng((config.seed, 5, step, int(place)))
            flip = bool(rng.random() < 0.5)
            image = augment(faces.picture(i), rng, config.augmentation, size=sizes.original)
            images.append(image[:, ::-1] if flip else image)
            shape = geometry_noise(faces.geometry[i], rng)
            shapes.append(mirror_geometry(shape) if flip else shape)
            if faces.normalized is not None:
                face = faces.normalized[i]
                normalized.append(face[:, ::-1] if flip else face)
            labels.append(faces.label[i])
            contempt.append(faces.contempt)
        allowed = torch.ones(len(images), len(facs.EMOTIONS), dtype=torch.bool)
        allowed[:, CONTEMPT] = torch.tensor(contempt)
        label = smoothed(torch.from_numpy(np.stack(labels)), config.smoothing, allowed)
        batch = Batch(
            to_images(np.stack(images)),
            enlarged(np.stack(normalized), sizes.normalized) if normalized else None,
            torch.from_numpy(np.stack(shapes)),
            label,
            allowed,
        )
        mixing = np.random.default_rng((config.seed, 8, step, part.number))
        return _mixed(batch, mixing, config.mixup) if config.mixup > 0 else batch

    return make


def _mixed(batch: Batch, rng: np.random.Generator, alpha: float) -> Batch:
    """Each face blended with another of the batch, label included (Zhang et al., 2018)."""
    share = float(rng.beta(alpha, alpha))
    share = max(share, 1.0 - share)
    other = torch.from_numpy(rng.permutation(len(batch.label)))

    def blend(x: Tensor) -> Tensor:
        return share * x + (1.0 - share) * x[other]

    return Batch(
        blend(batch.original),
        None if batch.normalized is None else blend(batch.normalized),
        # Landmarks of two faces have no meaningful mean: those of the stronger stay.
        batch.geometry,
        blend(batch.label),
        batch.allowed | batch.allowed[other],
    )


@torch.no_grad()
def read_emotions(
    network: ClassificationNetwork,
    faces: Faces,
    sizes: Sizes,
    device: torch.device,
    router: RouterLoad,
) -> NDArray[np.float32]:
    """Logits (N, 8) of plain faces, minus infinity where a label was not on offer."""
    network.eval()
    out = []
    for part in np.array_split(np.arange(len(faces)), max(len(faces) // 128, 1)):
        images = np.stack([centre(faces.picture(int(i)), sizes.original) for i in part])
        normalized = None
        if faces.normalized is not None:
            normalized = enlarged(faces.normalized[part], sizes.normalized).to(device)
        geometry = torch.from_numpy(faces.geometry[part].astype(np.float32)).to(device)
        read = network(to_images(images).to(device), normalized, geometry)
        label = torch.from_numpy(faces.emotion[part])
        router.add(read.routings, nn.functional.one_hot(label, len(facs.EMOTIONS)) > 0)
        out.append(read.emotion.cpu().numpy())
    logits = np.concatenate(out)
    if not faces.contempt:
        logits[:, CONTEMPT] = -np.inf
    return logits


def sizes_of(network: ClassificationNetwork) -> Sizes:
    """Of the images that an emotion network reads."""
    reader = network.normalized_encoder or network.encoder
    first = network.encoder or reader
    assert first is not None
    assert reader is not None
    return Sizes(first.image_size, reader.image_size)
