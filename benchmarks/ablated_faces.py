"""Shards of synthetic faces that lack one addition, to see what each is worth.

    python benchmarks/ablated_faces.py --without folds --count 2432 --seed 21 --out DIR

The same seed gives the same people, expressions, lights and backgrounds, so that two folders
differ in that one addition alone. `benchmarks/realism.py` reads the folders. ``--without nothing``
gives the faces as they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from norface.faces.align import align
from norface.faces.find import FaceFinder
from norface.synthesis.expressions.sampling import random_expression
from norface.synthesis.parallel import in_processes
from norface.synthesis.people import Person, random_person
from norface.synthesis.picture.backgrounds import random_background
from norface.synthesis.picture.scene import Scene, random_scene, render_face
from norface.synthesis.picture.sensor import CLEAN
from norface.synthesis.samples import person_seed, with_photo_skin

CHUNK, SIZE, CROP = 64, 192, 160
_Change = Callable[[Person, Scene], tuple[Person, Scene]]


def _skin(**fields: Any) -> _Change:
    return lambda person, scene: (replace(person, skin=replace(person.skin, **fields)), scene)


def _eyes_and_mouth(person: Person, scene: Scene) -> tuple[Person, Scene]:
    eyes = replace(person.eyes, lid_shade=0.0, wet=0.0, lashes=0.0, veins=0.0, ring_amount=0.0)
    mouth = replace(person.mouth, seam=0.0, tucked=0.0, crooked=0.0, gap=0.0)
    return replace(person, eyes=eyes, mouth=mouth), scene


def _background(person: Person, scene: Scene) -> tuple[Person, Scene]:
    random = np.random.default_rng(person.seed)
    size = scene.background.shape[0]
    return person, replace(scene, background=random_background(random, size, "wall"))


def _hair(person: Person, scene: Scene) -> tuple[Person, Scene]:
    bald = person.hair.scalp == 0
    style = person.hair.style if bald else "crop"
    plain = {"curl": 0.0, "fringe": 0.0, "length": 0.0, "wisps": 0.0, "recede": 0.0}
    return replace(person, hair=replace(person.hair, style=style, **plain)), scene


WITHOUT: dict[str, _Change] = {
    "nothing": lambda person, scene: (person, scene),
    "folds": _skin(creases=0.0, wrinkles=0.0, lid_crease=0.0),
    "relief": lambda person, scene: (person, replace(scene, bump=0.0)),
    "make-up, moles": _skin(
        lipstick=0.0, eye_shadow=0.0, rouge=0.0, foundation=0.0, freckles=0.0, moles=0.0,
        age_spots=0.0, scar=0.0,
    ),
    "eyes and mouth": _eyes_and_mouth,
    "hair styles": _hair,
    "worn": lambda person, scene: (replace(person, glasses=None, covering=None), scene),
    "shadows": lambda person, scene: (
        person,
        replace(scene, lights=replace(scene.lights, softness=-1.0)),
    ),
    "backgrounds": _background,
    "sensor": lambda person, scene: (person, replace(scene, sensor=CLEAN)),
}  # fmt: skip


@dataclass(frozen=True)
class _Job:
    without: str
    seed: int
    indices: range
    skins: Path | None


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--without", choices=list(WITHOUT), default="nothing")
    parser.add_argument("--count", type=int, default=2432)
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--skins", type=Path, help="skins of photos for half of the people")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    jobs = [
        _Job(options.without, options.seed, range(i, min(i + CHUNK, options.count)), options.skins)
        for i in range(0, options.count, CHUNK)
    ]
    rows = [row for chunk in in_processes(_render, jobs, "rendering") for row in chunk]
    options.out.mkdir(parents=True, exist_ok=True)
    np.savez(
        options.out / "shard_0000.npz",
        **{key: np.stack([row[key] for row in rows]) for key in rows[0]},
    )
    print(f"{len(rows)} of {options.count} faces found -> {options.out}")
    return 0


def _render(job: _Job) -> list[dict[str, Any]]:
    rows = []
    with FaceFinder() as finder:
        for index in job.indices:
            random = np.random.default_rng([job.seed, index])
            actions, emotion = random_expression(random)
            scene = random_scene(random, SIZE, yaw=35.0, face_height=0.62)
            person = random_person(person_seed(job.seed, index))
            if job.skins is not None and random.random() < 0.5:
                person = with_photo_skin(random, person, actions, job.skins)
            person, scene = WITHOUT[job.without](person, scene)
            picture = render_face(person, actions, scene)
            face = finder.landmark_crop(picture.image)
            if face is not None:
                rows.append(
                    {
                        "original": align(picture.image, face.points, CROP).image,
                        "actions": actions,
                        "intensity": picture.intensity,
                        "emotion": np.int8(emotion),
                    }
                )
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
