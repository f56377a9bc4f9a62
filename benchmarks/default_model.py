"""The figures of the default model, from the ONNX files that users get.

    python benchmarks/default_model.py --out results/figures \
        --test SHARDS --train SHARDS --portraits DIR... --identity MobileFaceNet.onnx

Each part needs its own data and is left out without them:
--test       shards (see norface.data.shards) of people never trained on: F1 and ICC of each unit
--train      training shards: the judge of the facial actions in normalized faces is fitted to them
--portraits  folders of photos of people never trained on: smiles, privacy, the contact sheet
--identity   the identity embedding for the privacy figures: the portraits under two augmentations,
             and synthetic people with two independent expressions
--ablation   NAME=CHECKPOINT of action unit networks, with --normalization, their F_nor:
             the same table for each, from the checkpoints
For emotions see `norface evaluate --protocol fer2013-7-public`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from norface import facs
from norface.data.shards import load_shards
from norface.evaluation import evaluate as ev
from norface.evaluation.identity import IdentityEncoder, identity_figures, verification_auc
from norface.evaluation.judge import ActionReader, read_back
from norface.evaluation.metrics import accuracy
from norface.faces.align import align, geometry
from norface.faces.find import FaceFinder
from norface.media.images import write_image
from norface.synthesis.expressions.sampling import random_expression
from norface.synthesis.people import random_person
from norface.synthesis.picture.scene import random_scene, render_face
from norface.synthesis.samples import person_seed


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("results/figures"))
    parser.add_argument("--weights", type=Path, help="a folder of weights; default: embedded")
    parser.add_argument("--test", type=Path)
    parser.add_argument("--train", type=Path)
    parser.add_argument("--portraits", type=Path, nargs="+", default=[])
    parser.add_argument("--identity", type=Path)
    parser.add_argument("--normalization", type=Path)
    parser.add_argument("--ablation", nargs="+", default=[])
    parser.add_argument("--count", type=int, default=500, help="faces of --test")
    parser.add_argument("--people", type=int, default=200, help="synthetic people seen twice")
    parser.add_argument("--sheet", type=int, default=20, help="faces of the contact sheet")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    networks = ev.Networks.load(options.weights)
    figures: dict[str, Any] = {}

    if options.test is not None:
        shards = load_shards([options.test], limit=options.count)
        print(f"{len(shards)} synthetic faces of new people")
        reading = ev.read_crops(networks, ev.shard_crops(shards), shards.geometry)
        truth = shards.intensity[:, :, 0].astype(np.float64)
        scores = ev.unit_scores(truth, reading.intensity, reading.probability, networks.thresholds)
        figures["action_units"] = scores
        tables = {"default": scores}
        if options.ablation:
            from norface.evaluation.ablation import score_checkpoint

            for item in options.ablation:
                name, _, path = item.partition("=")
                tables[name] = score_checkpoint(options.normalization, Path(path), shards)
            figures["ablation"] = {name: table["mean"] for name, table in tables.items()}
        print(_table(tables))
        known = shards.emotion >= 0
        if reading.emotion is not None and known.any():
            said = reading.emotion[known].argmax(axis=1)
            figures["synthetic_emotion_accuracy"] = accuracy(shards.emotion[known], said)
        if options.train is not None:
            judge = ActionReader(load_shards([options.train], limit=10000))
            own = shards.target_id == 0
            figures["read_back"] = read_back(judge, reading.normalized, shards.actions)
            figures["read_back_of_truth"] = read_back(
                judge, shards.target[own], shards.actions[own]
            )["mean"]
            print(
                f"facial actions read back from normalized faces: "
                f"r = {figures['read_back']['mean']:.3f} "
                f"(from true renders {figures['read_back_of_truth']:.3f})"
            )
    if options.portraits:
        portraits = ev.find_portraits(options.portraits)
        print(f"{len(portraits)} portraits")
        figures["smile"] = ev.smile_figures(networks, portraits)
        print(_line("smile", figures["smile"]))
        if options.identity is not None:
            encoder = IdentityEncoder(options.identity, networks.normalizer.target)
            figures["identity"] = identity_figures(networks, encoder, portraits)
            print(_line("identity", figures["identity"]))
            twice = _people_twice(options.people)
            normalized = [ev.read_crops(networks, *view).normalized for view in twice]
            figures["identity_across_expressions"] = {
                "people": float(len(twice[0][0])),
                "original_auc": verification_auc(*(encoder(view[0]) for view in twice)),
                "normalized_auc": verification_auc(*(encoder(view) for view in normalized)),
            }
            print(_line("synthetic people", figures["identity_across_expressions"]))
        step = max(len(portraits) // options.sheet, 1)
        chosen = [p.path for p in portraits[::step]][: options.sheet]
        sheet = ev.contact_sheet(ev.analyze_portraits(chosen, weights=options.weights))
        write_image(options.out / "contact_sheet.png", sheet)
        print(f"contact sheet: {options.out / 'contact_sheet.png'}")
    (options.out / "figures.json").write_text(json.dumps(_plain(figures), indent=1) + "\n")
    print(f"figures: {options.out / 'figures.json'}")
    return 0


def _people_twice(count: int, series: int = 10) -> list[tuple[np.ndarray, np.ndarray]]:
    """Two pictures each of synthetic people, with independent expressions, poses and lights.

    Returns:
        for the first and the second pictures, aligned crops (N, 128, 128, 3) and geometry.
    """
    views: tuple[list[tuple[np.ndarray, np.ndarray]], ...] = ([], [])
    with FaceFinder() as finder:
        for number in range(count):
            person = random_person(person_seed(series, number))
            found = []
            for view in range(2):
                random = np.random.default_rng([series, number, view])
                actions, _ = random_expression(random)
                scene = random_scene(random, 256, yaw=30, face_height=0.62)
                picture = render_face(person, actions, scene).image
                face = finder.landmark_crop(picture)
                if face is not None:
                    found.append((align(picture, face.points, 128).image, geometry(face.points)))
            if len(found) == 2:
                for pictures, one in zip(views, found, strict=True):
                    pictures.append(one)
    return [tuple(np.stack(part) for part in zip(*view, strict=True)) for view in views]


def _table(tables: dict[str, dict[str, dict[str, float]]]) -> str:
    """Markdown: a row for each unit, F1 and ICC of each network."""
    names = list(tables)
    head = " | ".join(f"F1 {n} | ICC {n}" for n in names)
    lines = [f"| unit | {head} |", "|---" * (1 + 2 * len(names)) + "|"]
    for unit in (*facs.ACTION_UNIT_NAMES, "mean"):
        cells = [f"{tables[n][unit][key]:.2f}" for n in names for key in ("f1", "icc")]
        lines.append(f"| {unit} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _line(name: str, values: dict[str, float]) -> str:
    return f"{name}: " + "  ".join(f"{k} {v:.3f}" for k, v in values.items())


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value


if __name__ == "__main__":
    sys.exit(main())
