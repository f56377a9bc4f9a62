"""Does identity normalization help when few people are labelled? docs/ablation.md has the answer.

    norface synth --benchmark synfacs-v1 --out SYNFACS
    python benchmarks/ablation.py --root SYNFACS --normalization normalization.safetensors \
        --out results/ablation

F_cla learns action units from the ten labelled people of synfacs's track "few" and is scored on the
100 people of its test split. Rows, each with several seeds:

original    the original face alone
normalized  the face normalized by F_nor alone
both        both
input-moe   both, with the Input MoE
both-moe    both, with the Input MoE and the Output MoE: the paper's F_cla
common      in place of F_nor's result, the common face rendered with the true facial actions:
            what a perfect F_nor would give

Everything but the row is equal: steps, augmentation, regularization, sizes, starting weights. One
encoder reads both faces, as in the paper; landmarks and dense tokens (ours) are off.

--reads imagenet  an EfficientNet-Lite0 that saw ImageNet alone, its trunk frozen (seconds a run)
--reads trained   the same, trained end to end (minutes a run)
--reads normalizer  the frozen encoder of F_nor

A run that exists in --out is not run again. Presence is called at a probability of 0.5: ten people
are too few to choose thresholds from, and nobody else's labels are used.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from norface import facs
from norface.data.augment import AugmentationConfig, augment, centre, geometry_noise
from norface.data.synfacs import SynfacsFaces, load_synfacs
from norface.evaluation.synfacs.scores import resampled, sums_by_person
from norface.losses.balance import balance_losses
from norface.losses.intensity import agreement_loss, intensity_loss
from norface.losses.presence import presence_loss, presence_of
from norface.media.arrays import write_arrays
from norface.models.checkpoint import load_normalization
from norface.models.classification import ClassificationNetwork
from norface.models.encoder import ConvolutionalEncoder, EfficientNetLite0
from norface.models.label_head import LabelHead, LabelReadout, QueryPooling
from norface.models.moe import ExpertMlps, MixtureOfExperts, PlainExpert, TopKGate
from norface.models.normalization import NormalizationNetwork
from norface.synthesis.common_face import render_target
from norface.training.average import WeightAverage
from norface.training.classification_losses import positive_weights
from norface.training.frozen_normalizer import FrozenNormalizer
from norface.training.optimizers import parameter_groups
from norface.training.pictures import to_images
from norface.training.speed import speed_up_depthwise


class Row(NamedTuple):
    """Which faces F_cla reads, and which mixtures it has."""

    original: bool
    normalized: str
    input_moe: bool = False
    output_moe: bool = False


ROWS = {
    "original": Row(True, ""),
    "normalized": Row(False, "normalized"),
    "both": Row(True, "normalized"),
    "input-moe": Row(True, "normalized", input_moe=True),
    "both-moe": Row(True, "normalized", input_moe=True, output_moe=True),
    "common": Row(False, "common"),
}
SIZE, BLOCKS, FINE_BLOCKS = 128, 11, 5
WIDTH, HEADS, EXPERTS, TOP_K = 64, 4, 4, 2
STRATA = ("", "0", "15", "30", "45")
"""Of pose, in degrees; "" is the whole split."""

Pictures = NDArray[np.uint8]


class Faces(NamedTuple):
    """N faces in K variations.

    Attributes:
        labels: of the N faces.
        original, normalized, common: (K, N, 128, 128, 3) uint8, or their features (K, N, L, C)
            float16; `common` has K = 1, and is empty where no row reads it.
    """

    labels: SynfacsFaces
    original: NDArray[Any]
    normalized: NDArray[Any]
    common: NDArray[Any] = np.empty(0)


class FrozenFeatures(nn.Module):
    """What `ConvolutionalEncoder` does after its trunk, for features computed beforehand."""

    def __init__(self, *, features: int, places: int, width: int) -> None:
        super().__init__()
        self.projection = nn.Linear(features, width)
        self.norm = nn.LayerNorm(width)
        self.position = nn.Parameter(torch.zeros(places, width))
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (B, L, C) -> tokens (B, L, D)."""
        out: Tensor = self.norm(self.projection(x)) + self.position
        return out

    def shrink(self, x: Tensor) -> Tensor:
        """Features have one size."""
        return x


def build(row: Row, example: NDArray[Any], dropout: float) -> ClassificationNetwork:
    """F_cla of the row, for pictures (128, 128, 3) or for features (L, C)."""
    encoder: Any
    if example.dtype == np.uint8:
        trunk = EfficientNetLite0(blocks=BLOCKS)
        trunk.load_imagenet()
        encoder = ConvolutionalEncoder(trunk=trunk, width=WIDTH, fine_blocks=FINE_BLOCKS)
        encoder.freeze_batch_norm()
    else:
        encoder = FrozenFeatures(features=example.shape[1], places=example.shape[0], width=WIDTH)

    def mixture(moe: bool, experts: nn.Module) -> MixtureOfExperts | PlainExpert:
        if not moe:
            return PlainExpert(experts)
        gate = TopKGate(width=WIDTH, experts=EXPERTS, top_k=TOP_K)
        return MixtureOfExperts(gate=gate, experts=experts)

    units = len(facs.ACTION_UNITS)
    count_in, count_out = (EXPERTS if moe else 1 for moe in (row.input_moe, row.output_moe))
    return ClassificationNetwork(
        width=WIDTH,
        encoder=encoder,
        normalized_encoder=None,
        geometry=None,
        dense=None,
        input_moe=mixture(
            row.input_moe,
            ExpertMlps(experts=count_in, inputs=WIDTH, hidden=WIDTH, outputs=WIDTH),
        ),
        action_units=LabelHead(
            pooling=QueryPooling(labels=units, width=WIDTH, heads=HEADS, mlp_ratio=2.0),
            output_moe=mixture(
                row.output_moe,
                LabelReadout(experts=count_out, labels=units, width=WIDTH, outputs=4),
            ),
            dropout=dropout,
        ),
        emotions=None,
        use_original=row.original,
        use_normalized=bool(row.normalized),
    )


def train(
    faces: Faces, row: Row, seed: int, options: argparse.Namespace
) -> tuple[ClassificationNetwork, dict[str, float]]:
    """F_cla after `options.steps` steps: its averaged weights; and figures of the last step."""
    torch.manual_seed(seed)
    network = build(row, faces.original[0, 0], options.dropout)
    intensity = faces.labels.intensity
    start_at_the_mean(network, intensity)
    average = WeightAverage(network, 0.98)
    groups: dict[str, tuple[nn.Module, float]] = {"rest": (network, options.learning_rate)}
    if isinstance(network.encoder, ConvolutionalEncoder):
        speed_up_depthwise(network)
        trunk = (network.encoder.trunk, options.learning_rate * options.trunk_rate)
        groups = {"trunk": trunk, **groups}
    optimizer = torch.optim.AdamW(parameter_groups(groups, options.weight_decay), betas=(0.9, 0.98))
    present = presence_of(torch.from_numpy(intensity[..., 0].astype(np.float32)))
    weights = positive_weights(present.numpy())
    copies, count = faces.original.shape[:2]
    losses: dict[str, Tensor] = {}
    start = time.monotonic()
    network.train()
    for step in range(options.steps):
        progress = step / options.steps
        rate = min((progress + 1e-3) / 0.1, 0.5 * (1 + np.cos(np.pi * progress)))
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        rng = np.random.default_rng((seed, step))
        chosen, copy = rng.integers(0, count, options.batch), rng.integers(0, copies, options.batch)
        torch.manual_seed(seed * 1_000_003 + step)
        truth = torch.from_numpy(intensity[chosen].astype(np.float32))
        with torch.autocast("cpu", torch.bfloat16):
            out = network(*inputs(faces, row, chosen, copy), None)
        losses = {
            "intensity": intensity_loss(out.intensity, truth) / 5.0,
            "agreement": 0.3 * agreement_loss(out.intensity[..., 0], truth[..., 0]),
            "presence": 0.5
            * presence_loss(out.presence, presence_of(truth[..., 0]), positive_weight=weights),
        }
        for name, loss in balance_losses(out.routings.values()).items():
            losses[name] = 0.001 * loss
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average.update(step + 1)
    figures = {name: float(loss.detach()) for name, loss in losses.items()}
    return average.network, {**figures, "seconds": time.monotonic() - start}


def start_at_the_mean(network: ClassificationNetwork, intensity: NDArray[np.floating]) -> None:
    """Biases of the read-outs that say how strong and how frequent each unit is on average.

    Few steps are spent; without this the first hundreds go into finding that.
    """
    assert network.action_units is not None
    readout = next(m for m in network.action_units.modules() if isinstance(m, LabelReadout))
    known = intensity.astype(np.float32)
    level = known.mean(axis=0) / facs.MAXIMUM_INTENSITY
    share = (known[..., 0] >= facs.PRESENCE_INTENSITY).mean(axis=0)
    mean = np.clip(np.column_stack([level, share]), 0.01, 0.99)
    with torch.no_grad():
        readout.bias.copy_(torch.logit(torch.from_numpy(mean)))


def inputs(
    faces: Faces, row: Row, chosen: NDArray[Any], copy: NDArray[Any]
) -> tuple[Tensor | None, Tensor | None]:
    """The batch that a row reads."""
    original = tensor(faces.original[copy, chosen]) if row.original else None
    if not row.normalized:
        return original, None
    other = getattr(faces, row.normalized)
    return original, tensor(other[copy % len(other), chosen])


def tensor(values: NDArray[Any]) -> Tensor:
    """Pictures to images in 0..1, features to float32."""
    if values.dtype == np.uint8:
        return to_images(values)
    return torch.from_numpy(values.astype(np.float32))


@torch.no_grad()
def read(
    network: ClassificationNetwork, faces: Faces, row: Row
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Whole intensities and probabilities, (N, A) each, of the faces without variation."""
    network.eval()
    intensity, probability = [], []
    for part in np.array_split(np.arange(len(faces.labels)), len(faces.labels) // 128 + 1):
        with torch.autocast("cpu", torch.bfloat16):
            out = network(*inputs(faces, row, part, np.zeros_like(part)), None)
        intensity.append(out.intensity[..., 0].float().numpy())
        probability.append(out.presence.float().sigmoid().numpy())
    return np.concatenate(intensity), np.concatenate(probability)


class Preparation:
    """Makes the pictures and features of splits, and keeps them in a folder.

    Args:
        options: of the command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        network, _ = load_normalization(options.normalization)
        assert isinstance(network, NormalizationNetwork)
        neutral = render_target(0, np.zeros(len(facs.FACIAL_ACTIONS), np.float32), 256)
        self.normalizer = FrozenNormalizer(network, neutral, torch.device("cpu"))
        self.encoder = network.encoder
        self.trunk = EfficientNetLite0(blocks=BLOCKS)
        self.trunk.load_imagenet()
        self.trunk.eval()
        self.key = hashlib.sha256(options.normalization.read_bytes()).hexdigest()[:12]

    def faces(self, split: str, copies: int = 1) -> Faces:
        """The faces of a split ("few": the labelled ones), as the options say how to read them."""
        labels = load_synfacs(
            self.options.root, "train" if split == "few" else split, self.options.cache
        )
        if split == "few":
            labels = labels.chosen(labels.few)
        pictures = self._kept(f"{split}_{copies}_{self.key}", self._pictures, labels, copies)
        if "common" in self.options.rows:
            common = self._kept(f"{split}_common", self._common, labels)["common"]
            pictures["common"] = common[None]
        if self.options.reads == "trained":
            return Faces(labels, **pictures)
        features = {}
        for name, values in pictures.items():
            key = f"{split}_{len(values)}_{name}_{self.options.reads}"
            # What ImageNet's trunk says of originals and renders does not depend on F_nor.
            if self.options.reads == "normalizer" or name == "normalized":
                key += f"_{self.key}"
            features[name] = self._kept(key, self._features, values)["features"]
        return Faces(labels, **features)

    def _kept(self, name: str, make: Any, *arguments: Any) -> dict[str, NDArray[Any]]:
        path = self.options.cache / f"ablation_{name}.npz"
        if not path.exists():
            print(f"making {path.name}", flush=True)
            write_arrays(path, make(*arguments))
        with np.load(path, allow_pickle=False) as content:
            return {key: content[key] for key in content.files}

    def _pictures(self, labels: SynfacsFaces, copies: int) -> dict[str, NDArray[Any]]:
        """Originals, from the second copy on augmented, and what F_nor makes of each."""
        shape = (copies, len(labels), SIZE, SIZE, 3)
        original, normalized = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
        for copy in range(copies):
            for part in np.array_split(np.arange(len(labels)), len(labels) // 64 + 1):
                shapes = []
                for i in part:
                    rng = np.random.default_rng((17, copy, i))
                    picture, points = labels.original[i], labels.geometry[i].astype(np.float32)
                    if copy == 0:
                        original[copy, i] = centre(picture, SIZE)
                    else:
                        original[copy, i] = augment(picture, rng, AugmentationConfig(), size=SIZE)
                        points = geometry_noise(points, rng)
                    shapes.append(points)
                images = self.normalizer.render(
                    to_images(original[copy, part]), torch.from_numpy(np.stack(shapes))
                )
                small = F.avg_pool2d(images, images.shape[-1] // SIZE).permute(0, 2, 3, 1)
                normalized[copy, part] = (small * 255).round().byte().numpy()
        return {"original": original, "normalized": normalized}

    def _common(self, labels: SynfacsFaces) -> dict[str, NDArray[Any]]:
        """The common face with the true facial actions."""
        faces = [render_target(0, a.astype(np.float32), SIZE) for a in labels.actions]
        return {"common": np.stack(faces)}

    @torch.no_grad()
    def _features(self, pictures: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """(K, N, 128, 128, 3) -> (K, N, 64, C)."""
        flat = pictures.reshape(-1, SIZE, SIZE, 3)
        found = []
        for start in range(0, len(flat), 64):
            images = to_images(flat[start : start + 64])
            with torch.autocast("cpu", torch.bfloat16):
                if self.options.reads == "normalizer":
                    tokens = self.encoder(images)
                else:
                    early, late = self.trunk.both((images * 255.0 - 127.0) / 128.0, FINE_BLOCKS)
                    grid = torch.cat([late, F.pixel_unshuffle(early, 2)], 1)
                    tokens = grid.flatten(2).transpose(1, 2)
            found.append(tokens.half().numpy())
        features = np.concatenate(found)
        return {"features": features.reshape(*pictures.shape[:2], *features.shape[1:])}


def scores(
    labels: SynfacsFaces, intensity: NDArray[Any], called: NDArray[np.bool_], stratum: str
) -> dict[str, NDArray[np.float64]]:
    """Mean F1 and ICC(3,1) over the units, of the faces themselves (first) and of 1,000 resamples.

    The resamples draw people, the same in every call: differences of calls are paired.
    """
    rows = labels.strata["pose"] == stratum if stratum else np.ones(len(labels), bool)
    truth = labels.intensity[rows, :, 0].astype(np.float64)
    people = int(labels.person.max()) + 1
    sums = sums_by_person(
        truth,
        intensity[rows].astype(np.float64),
        called[rows].astype(np.float64),
        np.zeros(truth.shape, bool),
        labels.person[rows],
        people,
    )
    found = resampled(sums, seed=0)
    whole = resampled({k: v.sum(axis=0, keepdims=True) for k, v in sums.items()}, seed=0)
    return {m: np.concatenate([whole[m][:1], found[m]]) for m in ("f1", "icc")}


def report(labels: SynfacsFaces, options: argparse.Namespace) -> str:
    """Markdown of all runs in the folder: means and deviations over seeds, and differences."""
    # Only the test split compares poses.
    strata = [s for s in STRATA if not s or (labels.strata["pose"] == s).any()]
    table: dict[str, dict[str, NDArray[np.float64]]] = {}
    lines = ["| F_cla reads | seeds | " + " | ".join(
        f"{m} {'all' if not s else s + '°'}" for s in strata for m in ("F1", "ICC")) + " |",
        "|---" * (2 + 2 * len(strata)) + "|"]  # fmt: skip
    figures: dict[str, Any] = {}
    for name in options.rows:
        paths = sorted(options.out.glob(f"{name}_*.npz"))
        if not paths:
            continue
        runs: dict[str, list[NDArray[np.float64]]] = {}
        for path in paths:
            with np.load(path) as content:
                intensity, probability = content["intensity"], content["probability"]
            for stratum in strata:
                for metric, values in scores(
                    labels, intensity, probability >= 0.5, stratum
                ).items():
                    runs.setdefault(f"{metric}{stratum}", []).append(values)
        table[name] = {key: np.stack(values) for key, values in runs.items()}
        cells = []
        for key, values in table[name].items():
            each = values[:, 0]
            spread = each.std(ddof=1) if len(each) > 1 else float("nan")
            figures.setdefault(name, {})[key] = {
                "mean": each.mean(), "sd": spread, "seeds": each.tolist()
            }  # fmt: skip
            cells.append(f"{each.mean():.3f} ± {spread:.3f}")
        lines.append(f"| {name} | {len(paths)} | " + " | ".join(cells) + " |")
    compared = [s for s in ("", "45") if s in strata]
    keys = [f"{metric}{s}" for s in compared for metric in ("f1", "icc")]
    lines += ["", "Differences of the means over seeds; in brackets 95% of 1,000 resamples of the "
              "test people, paired.", "", "| | " + " | ".join(
        f"{m} {s + '°' if s else 'all'}" for s in compared for m in ("F1", "ICC")) + " |",
        "|---" * (1 + len(keys)) + "|"]  # fmt: skip
    for name, against in (
        ("normalized", "original"), ("both", "original"), ("both-moe", "original"),
        ("both", "normalized"), ("input-moe", "both"), ("both-moe", "input-moe"),
        ("both-moe", "both"), ("common", "normalized"),
    ):  # fmt: skip
        if name not in table or against not in table:
            continue
        cells = []
        for key in keys:
            change = table[name][key].mean(axis=0) - table[against][key].mean(axis=0)
            low, high = np.percentile(change[1:], (2.5, 97.5))
            figures.setdefault(f"{name} - {against}", {})[key] = [change[0], low, high]
            cells.append(f"{change[0]:+.3f} ({low:+.3f}, {high:+.3f})")
        lines.append(f"| {name} - {against} | " + " | ".join(cells) + " |")
    (options.out / "ablation.json").write_text(json.dumps(figures, indent=1) + "\n")
    text = "\n".join(lines) + "\n"
    (options.out / "ablation.md").write_text(text)
    return text


def main() -> None:
    """Run what is missing and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of synfacs-v1")
    parser.add_argument("--normalization", type=Path, required=True, help="checkpoint of F_nor")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="pictures and features; default: OUT/cache")
    parser.add_argument("--split", default="test", help="validation to choose the options below")
    parser.add_argument(
        "--reads", choices=("imagenet", "normalizer", "trained"), default="imagenet"
    )
    parser.add_argument("--rows", nargs="+", choices=tuple(ROWS), default=list(ROWS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--copies", type=int, default=8, help="augmented versions of a picture")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--trunk-rate", type=float, default=0.2, help="of --reads trained")
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    options.cache = options.cache or options.out / "cache"
    options.out.mkdir(parents=True, exist_ok=True)
    if options.threads:
        torch.set_num_threads(options.threads)
    preparation = Preparation(options)
    training, test = preparation.faces("few", options.copies), preparation.faces(options.split)
    print(f"{len(training.labels)} labelled faces, {len(test.labels)} to score", flush=True)
    for seed in options.seeds:
        for name in options.rows:
            path = options.out / f"{name}_{seed}.npz"
            if path.exists():
                continue
            network, figures = train(training, ROWS[name], seed, options)
            intensity, probability = read(network, test, ROWS[name])
            write_arrays(path, {"intensity": intensity, "probability": probability})
            score = scores(test.labels, intensity, probability >= 0.5, "")
            said = "  ".join(f"{k} {v:.3f}" for k, v in figures.items())
            print(
                f"{name} {seed}: F1 {score['f1'][0]:.3f}  ICC {score['icc'][0]:.3f}  ({said})",
                flush=True,
            )
    print(report(test.labels, options))


if __name__ == "__main__":
    main()
