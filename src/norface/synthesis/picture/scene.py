"""A person, an expression, a light and a camera, to a picture with its exact truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from norface.results import Pose
from norface.synthesis.body.canvas import canvas
from norface.synthesis.body.eyes import shade_eyes
from norface.synthesis.body.head import head_model
from norface.synthesis.body.lashes import lash_surfaces
from norface.synthesis.body.mouth import tuck_tongue
from norface.synthesis.body.rims import inner_places
from norface.synthesis.body.surface import Surface, head_surface, vertex_normals
from norface.synthesis.expressions.units import action_unit_intensities
from norface.synthesis.painting import paint
from norface.synthesis.people import Person
from norface.synthesis.picture.backgrounds import random_background
from norface.synthesis.picture.camera import (
    Camera,
    develop,
    focal_length,
    project,
    rotation,
    turned,
)
from norface.synthesis.picture.lights import random_lights
from norface.synthesis.picture.occlusion import ambient_occlusion
from norface.synthesis.picture.rasterize import Lights, Mesh, render
from norface.synthesis.picture.sensor import CLEAN, Sensor, random_sensor
from norface.synthesis.worn.dressing import dressed_surfaces

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """Everything about a picture except the person and the expression.

    Attributes:
        pose: turn of the head.
        lights: the light; its ``name`` is the kind, a negative ``softness`` stops cast shadows.
        camera: where it stands.
        exposure: brightness that the camera gives the face, linear.
        background: (H, W, 3) linear RGB; the picture has its size.
        sensor: flaws of lens, sensor and file.
        bump: how strongly the paint's height tilts the skin; 0 for smooth.
    """

    pose: Pose
    lights: Lights
    camera: Camera
    exposure: float
    background: Array = field(repr=False)
    sensor: Sensor = CLEAN
    bump: float = 1.0


@dataclass(frozen=True)
class Picture:
    """A rendered picture and its truth.

    Attributes:
        image: (H, W, 3) uint8 sRGB.
        parts: (H, W) uint8 segmentation, indices into ``PARTS``.
        vertices: (V, 2) x, y in pixels of every vertex of the head.
        intensity: (A, 3) action-unit intensities, 0 to 5: whole, left, right.
        neutral, points: (V, 3) the head at rest and with the expression, before it is turned.
    """

    image: NDArray[np.uint8]
    parts: NDArray[np.uint8]
    vertices: Array
    intensity: Array
    neutral: Array = field(repr=False)
    points: Array = field(repr=False)


def random_scene(
    random: np.random.Generator,
    size: int,
    *,
    yaw: float = 30.0,
    face_height: float = 0.6,
    light: str | None = None,
) -> Scene:
    """A scene by chance: any light, background and camera.

    Args:
        random: source of chance.
        size: side of the picture in pixels.
        yaw: largest turn of the head, degrees.
        face_height: share of the picture from chin to hairline, on average.
        light: kind of light, one of ``lights.KINDS``; by chance when None.
    """
    turn = float(np.clip(random.normal(0, 0.5), -1, 1) * yaw)
    pose = Pose(
        pitch=float(np.clip(random.normal(0, 0.4), -1, 1) * 0.7 * yaw),
        yaw=turn,
        roll=float(np.clip(random.normal(0, 0.35), -1, 1) * 25),
    )
    camera = Camera(
        distance=float(random.uniform(4.5, 16)),
        face_height=face_height * float(random.uniform(0.88, 1.1)),
        centre=(0.5 + float(random.normal(0, 0.02)), 0.5 + float(random.normal(0, 0.02))),
    )
    lights = random_lights(random, light)
    dim = lights.name == "dim"
    exposure = float(random.uniform(0.08, 0.25) if dim else random.uniform(0.26, 0.6))
    brightness = 2.2 if lights.name == "back" else 0.5 if dim else 0.75
    background = random_background(random, size) * np.float32(brightness)
    sensor = random_sensor(random, size, noise=2.0 if dim else 1.0)
    return Scene(pose, lights, camera, exposure, background, sensor)


def render_face(
    person: Person, actions: Array, scene: Scene, *, supersample: int = 2, detail: int | None = None
) -> Picture:
    """Render a person making an expression.

    Args:
        person: who.
        actions: (52,) facial actions, 0 to 1.
        scene: pose, light, camera, background; the picture has the background's size.
        supersample: samples along each side of a pixel.
        detail: texels along the skin's side; chosen from the picture's size when None.
    """
    head = head_model()
    height, width = scene.background.shape[:2]
    sheet = canvas(detail or (256 if height <= 200 else 512))
    neutral = head.neutral(person.shape)
    points = tuck_tongue(head.express(neutral, actions), person.mouth)
    normal = vertex_normals(points, head.faces)
    occlusion = ambient_occlusion(head, points, normal)
    colours = paint(sheet, person, actions)
    shade_eyes(colours, sheet, points, person.eyes)

    surfaces = [
        head_surface(head, inner_places(sheet.size), points),
        *lash_surfaces(sheet, points, person.eyes),
        *dressed_surfaces(head, sheet, points, person),
    ]
    turn = rotation(scene.pose)
    scale = focal_length(scene.camera, neutral, height)
    mesh = _mesh(surfaces, occlusion, scene.camera, scale, turn, width, height)
    linear, parts = render(
        mesh,
        colours,
        scene.lights,
        scene.background,
        supersample=supersample,
        lips=sheet.lips,
        bump=scene.bump,
    )
    placed = mesh.position[: len(points)]
    image = develop(linear, placed[head.vertices_of("skin")], scene.exposure, scene.sensor)
    vertices = placed[:, :2].astype(np.float32)
    intensity = action_unit_intensities(actions, head.lip_gap(points))
    return Picture(image, parts, vertices, intensity, neutral, points)


def _mesh(
    surfaces: list[Surface],
    occlusion: Array,
    camera: Camera,
    scale: float,
    turn: Array,
    width: int,
    height: int,
) -> Mesh:
    """All surfaces in the camera's space; the first is the head, whose hollows are dark."""
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in Mesh.__dataclass_fields__}
    first = 0
    for surface in surfaces:
        where = surface.points
        if surface.moves:
            where = turned(where, turn)
        count = len(surface.faces)
        for name, values in {
            "position": project(where, camera, scale, turn, width, height),
            "point": where,
            "normal": vertex_normals(where, surface.faces),
            "uv": surface.uv,
            "occlusion": occlusion if first == 0 else np.ones(len(where), np.float32),
            "faces": surface.faces + np.int32(first),
            "two_sided": np.full(count, surface.two_sided),
            "cutout": np.full(count, surface.cutout),
            "part": np.broadcast_to(surface.part_indices, count),
        }.items():
            columns[name].append(values)
        first += len(where)
    return Mesh(**{name: np.concatenate(values) for name, values in columns.items()})
