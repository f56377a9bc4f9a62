"""Training of the classification network F_cla for emotions, on images.

Faces of FER2013 and renders of the emotions' prototypes. First without the normalized face, then,
from that network on, with it (`EmotionsConfig.start`): so most of the training can be done before
F_nor is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from norface import facs
from norface.data.augment import augment, centre, geometry_noise
from norface.data.fer2013 import EmotionFaces
from norface.data.shards import load_shards, load_targets
from norface.evaluation.metrics import accuracy, mean_recall
from norface.faces.bundle import canonical_face
from norface.models.checkpoint import (
    Recipe,
    load_classification,
    load_normalization,
    load_state,
    save_network,
    save_state,
)
from norface.models.classification import ClassificationNetwork
from norface.training.classification import balance
from norface.training.emotions_config import EmotionsConfig
from norface.training.normalization import SIZE, to_images
from norface.training.speed import speed_up_depthwise
from norface.training.state import (
    Record,
    Schedule,
    StopRequest,
    WeightAverage,
    ahead,
    parameter_groups,
)
from norface.training.tokens import normalize_tokens

STATE = "state.safetensors"
CHECKPOINT = "emotions.safetensors"
CONTEMPT = facs.EMOTIONS.index("contempt")
_READER_SIZE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """N labelled faces.

    Attributes:
        image: (N, S, S) uint8 grey or (N, S, S, 3) uint8 RGB.
        geometry: (N, 478, 3).
        emotion: (N,) index into `norface.facs.EMOTIONS`.
        normalized: (2, N, 64, 64, 3) uint8, of the faces and of their mirror images; None
            without F_nor.
        contempt: whether contempt was among the labels one could give.
    """

    image: NDArray[np.uint8]
    geometry: NDArray[np.floating]
    emotion: NDArray[np.int8]
    normalized: NDArray[np.uint8] | None
    contempt: bool

    def __len__(self) -> int:
        return len(self.emotion)

    def picture(self, index: int) -> NDArray[np.uint8]:
        """(S, S, 3) uint8."""
        image = self.image[index]
        return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)


class Batch(NamedTuple):
    """B faces.

    Attributes:
        original: (B, 3, S, S) in 0..1.
        normalized: (B, 3, 128, 128) in 0..1, or None.
        geometry: (B, 478, 3).
        label: (B, 8), probabilities.
        allowed: (B, 8) bool, emotions that the label could have been.
    """

    original: Tensor
    normalized: Tensor | None
    geometry: Tensor
    label: Tensor
    allowed: Tensor


def train_emotions(config: EmotionsConfig, console: Console | None = None) -> Path:
    """Train F_cla for emotions, or go on where an earlier run in the same folder stopped.

    Writes to ``config.out``: ``emotions.safetensors`` (the averaged weights), its state, and
    ``log.jsonl``.

    Returns:
        The checkpoint.

    Raises:
        FileNotFoundError: the faces are missing.
        CheckpointError: a checkpoint cannot be read.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    record = Record(config.out, console or Console())
    use_normalized = config.use_normalized and config.normalization is not None
    real, held, test = _load_faces(config, record, use_normalized)
    renders = _load_renders(config, record, use_normalized)
    record.say(
        f"{len(real)} photos and {0 if renders is None else len(renders)} renders to train on, "
        f"{len(held)} photos to validate"
    )
    torch.manual_seed(config.seed)
    recipe = Recipe(
        kind="emotions",
        preset=config.preset,
        options={
            "use_original": config.use_original,
            "use_normalized": use_normalized,
            "input_moe": config.input_moe,
            "output_moe": config.output_moe,
        },
    )
    network = recipe.build(pretrained=True)
    assert isinstance(network, ClassificationNetwork)
    if config.start is not None:
        take_over(network, load_classification(config.start)[0])
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = WeightAverage(network, config.average)
    speed_up_depthwise(network)
    rate = config.learning_rate
    parts: dict[str, tuple[torch.nn.Module, float]] = {"rest": (network, rate)}
    if network.encoder is not None:
        parts = {"encoder": (network.encoder, rate * config.encoder_rate), **parts}
    optimizer = torch.optim.AdamW(parameter_groups(parts, config.weight_decay), betas=(0.9, 0.98))
    schedule = Schedule(config)
    modules = {"network": network, "average": average.network}
    state = config.out / STATE
    if state.exists():
        values = load_state(state, modules=modules, optimizers={"optimizer": optimizer})
        schedule.start(values["step"], values["seconds"])
        record.say(f"going on from step {schedule.step}")
    else:
        schedule.start()

    def save(**notes: object) -> None:
        save_state(
            state,
            modules=modules,
            optimizers={"optimizer": optimizer},
            values={"step": schedule.step, "seconds": schedule.seconds, "seed": config.seed},
        )
        about = {"config": config.to_json(), "steps": schedule.step, "samples": len(real)}
        save_network(config.out / CHECKPOINT, average.network, recipe, notes=about | notes)

    size = SIZE if network.encoder is None else network.encoder.image_size
    saved = schedule.seconds
    network.train()
    make = batch_maker(real, renders, config, size)
    with StopRequest() as stop, ahead(make, schedule.step) as batches:
        for batch in batches:
            if schedule.done or stop.asked:
                break
            torch.manual_seed(config.seed * 1_000_003 + schedule.step)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * schedule.rate
            losses = loss_terms(network, batch, config)
            optimizer.zero_grad(set_to_none=True)
            losses["loss"].backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimizer.step()
            schedule.advance()
            average.update(schedule.step)
            record.add(len(batch.label), **{k: float(v.detach()) for k, v in losses.items()})
            record.report(schedule)
            if schedule.seconds - saved > 60.0 * config.save_minutes:
                saved = schedule.seconds
                save()
                _report(average.network, record, schedule, size, held=held)
    record.report(schedule, force=True)
    figures = _report(average.network, record, schedule, size, held=held, public_test=test)
    save(figures=figures)
    return config.out / CHECKPOINT


def loss_terms(
    network: ClassificationNetwork, batch: Batch, config: EmotionsConfig
) -> dict[str, Tensor]:
    """The losses of a batch: each by itself, and ``loss``, their weighted sum."""
    original = batch.original.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        out = network(original, batch.normalized, batch.geometry)
    assert out.emotion is not None
    # A label that was not on offer is no evidence against it.
    logits = out.emotion.masked_fill(~batch.allowed, -1e4)
    emotion = -(batch.label * logits.log_softmax(-1)).sum(-1).mean()
    importance, load = balance(out.routings)
    loss = emotion + config.importance_weight * importance + config.load_weight * load
    return {"loss": loss, "emotion": emotion, "importance": importance, "load": load}


def take_over(network: ClassificationNetwork, source: ClassificationNetwork) -> None:
    """Copy what two emotion networks share; inputs that only one of them has stay as they are."""
    own = network.state_dict()
    for key, value in source.state_dict().items():
        if key in own and own[key].shape == value.shape:
            own[key] = value
        elif key == "kinds":
            own[key][: len(value)] = value[: len(own[key])]
    network.load_state_dict(own)


@cache
def mirrored_landmarks() -> NDArray[np.int64]:
    """(478,): the landmark that takes each one's place in the mirror image."""
    face = canonical_face()
    mirrored = face * (-1.0, 1.0, 1.0)
    distance = np.linalg.norm(face[:, None] - mirrored[None], axis=2)
    return np.asarray(distance.argmin(axis=0), np.int64)


def mirror(geometry: NDArray[np.floating]) -> NDArray[np.float32]:
    """Geometry (..., 478, 3) of the mirror image."""
    return np.asarray(geometry[..., mirrored_landmarks(), :] * np.array([-1, 1, 1]), np.float32)


def batch_maker(
    real: Faces, renders: Faces | None, config: EmotionsConfig, size: int
) -> Callable[[int], Batch]:
    """A function from the number of a step to its batch, equal for equal numbers."""
    cv2.setNumThreads(0)
    count = round(config.synthetic_share * config.batch) if renders is not None else 0

    def make(step: int) -> Batch:
        rng = np.random.default_rng((config.seed, 5, step))
        chosen = [(real, int(i)) for i in _in_epochs(len(real), config, step, count)]
        if renders is not None:
            chosen += [(renders, int(i)) for i in rng.integers(0, len(renders), count)]
        flips = rng.random(len(chosen)) < 0.5
        images, normalized, shapes = [], [], []
        labels = np.zeros((len(chosen), len(facs.EMOTIONS)), np.float32)
        allowed = np.ones(labels.shape, bool)
        for row, ((faces, i), flip) in enumerate(zip(chosen, flips, strict=True)):
            image = augment(faces.picture(i), rng, config.augmentation, size=size)
            images.append(image[:, ::-1] if flip else image)
            shape = geometry_noise(faces.geometry[i], rng)
            shapes.append(mirror(shape) if flip else shape)
            if faces.normalized is not None:
                normalized.append(faces.normalized[int(flip), i])
            allowed[row, CONTEMPT] = faces.contempt
            labels[row] = config.smoothing * allowed[row] / allowed[row].sum()
            labels[row, faces.emotion[i]] += 1.0 - config.smoothing
        batch = Batch(
            to_images(np.stack(images)),
            _enlarged(to_images(np.stack(normalized))) if normalized else None,
            torch.from_numpy(np.stack(shapes)),
            torch.from_numpy(labels),
            torch.from_numpy(allowed),
        )
        return _mixed(batch, rng, config.mixup) if config.mixup > 0 else batch

    return make


def _in_epochs(total: int, config: EmotionsConfig, step: int, others: int) -> NDArray[np.int64]:
    """The step's photos: each once before any twice."""
    size = config.batch - others
    out = []
    for position in range(step * size, (step + 1) * size):
        epoch, place = divmod(position, total)
        out.append(_order(total, config.seed, epoch)[place])
    return np.array(out, np.int64)


@cache
def _order(total: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, 6, epoch)).permutation(total)


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


def _enlarged(images: Tensor) -> Tensor:
    """(N, 3, 64, 64) -> (N, 3, 128, 128); the reader averages it back to 64."""
    return images.repeat_interleave(SIZE // _READER_SIZE, 2).repeat_interleave(
        SIZE // _READER_SIZE, 3
    )


@torch.no_grad()
def read_emotions(network: ClassificationNetwork, faces: Faces, size: int) -> NDArray[np.float32]:
    """Logits (N, 8) of plain faces."""
    network.eval()
    out = []
    for part in np.array_split(np.arange(len(faces)), max(len(faces) // 128, 1)):
        images = np.stack([centre(faces.picture(int(i)), size) for i in part])
        normalized = None
        if faces.normalized is not None:
            normalized = _enlarged(to_images(faces.normalized[0, part]))
        geometry = torch.from_numpy(faces.geometry[part].astype(np.float32))
        emotion = network(to_images(images), normalized, geometry).emotion
        out.append(emotion.numpy())
    return np.concatenate(out)


def _report(
    network: ClassificationNetwork, record: Record, schedule: Schedule, size: int, **sets: Faces
) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, faces in sets.items():
        if len(faces) == 0:
            continue
        logits = read_emotions(network, faces, size)
        if not faces.contempt:
            logits[:, CONTEMPT] = -np.inf
        figures[f"{name}_accuracy"] = accuracy(faces.emotion, logits.argmax(1))
        figures[f"{name}_mean_recall"] = mean_recall(faces.emotion, logits.argmax(1))
    record.write(step=schedule.step, **figures)
    record.say("       " + "  ".join(f"{k} {v:.4f}" for k, v in figures.items()))
    return figures


def _load_faces(
    config: EmotionsConfig, record: Record, use_normalized: bool
) -> tuple[Faces, Faces, Faces]:
    """FER2013: to train on, to validate, and PublicTest."""
    every = EmotionFaces.load(config.faces)
    normalized = None
    if use_normalized:
        normalized = _normalized(
            config, record, config.out / "normalized_photos.npy", every.image, every.geometry
        )
    training = np.random.default_rng((config.seed, 9)).permutation(np.flatnonzero(~every.test))
    parts = training[config.held_out :], training[: config.held_out], np.flatnonzero(every.test)

    def faces(part: NDArray[np.int64]) -> Faces:
        return Faces(
            every.image[part],
            every.geometry[part],
            every.emotion[part],
            None if normalized is None else np.asarray(normalized[:, part]),
            contempt=False,
        )

    return faces(parts[0]), faces(parts[1]), faces(parts[2])


def _load_renders(config: EmotionsConfig, record: Record, use_normalized: bool) -> Faces | None:
    if not config.data:
        return None
    shards = load_shards(config.data)
    chosen = np.flatnonzero((shards.emotion >= 0) & ~shards.real)
    image, geometry = shards.original[chosen], shards.geometry[chosen]
    normalized = None
    if use_normalized:
        normalized = _normalized(
            config, record, config.out / "normalized_renders.npy", image, geometry
        )
    return Faces(image, geometry, shards.emotion[chosen], normalized, contempt=True)


def _normalized(
    config: EmotionsConfig,
    record: Record,
    path: Path,
    images: NDArray[np.uint8],
    geometry: NDArray[np.floating],
) -> NDArray[np.uint8]:
    """Normalized faces (2, N, 64, 64, 3) of images and mirror images, kept in a file."""
    if path.exists():
        return np.asarray(np.load(path))
    assert config.normalization is not None
    network, _ = load_normalization(config.normalization)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    target = to_images(load_targets(config.data)[:1])
    with torch.no_grad():
        target_tokens = network.encoder(network.shrink(target))
    out = np.empty((2, len(images), _READER_SIZE, _READER_SIZE, 3), np.uint8)
    step = 96
    for flip in (0, 1):
        for start in range(0, len(images), step):
            part = slice(start, min(start + step, len(images)))
            pictures = images[part]
            if pictures.ndim == 3:
                pictures = np.repeat(pictures[..., None], 3, axis=3)
            shapes = geometry[part].astype(np.float32)
            if flip:
                pictures, shapes = pictures[:, :, ::-1], mirror(shapes)
            crops = np.stack([centre(np.ascontiguousarray(p), SIZE) for p in pictures])
            _, _, faces = normalize_tokens(network, crops, shapes, target, target_tokens)
            small = torch.nn.functional.avg_pool2d(faces, faces.shape[-1] // _READER_SIZE)
            grey = small.permute(0, 2, 3, 1).mul(255).round().clamp(0, 255)
            out[flip, part] = grey.byte().numpy()
            if start // step % 60 == 59:
                record.say(f"normalized {flip * len(images) + part.stop} of {2 * len(images)}")
    temporary = path.with_suffix(".tmp.npy")
    np.save(temporary, out)
    temporary.replace(path)
    return out
