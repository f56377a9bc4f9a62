"""A person, an expression, a light and a camera, to a picture with its exact truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from norface.results import Pose
from norface.synthesis.canvas import canvas
from norface.synthesis.expressions import action_unit_intensities
from norface.synthesis.hair import Surface, clothes, hair_cap, long_hair
from norface.synthesis.head import HeadModel, head_model
from norface.synthesis.painting import paint
from norface.synthesis.people import Person
from norface.synthesis.rasterize import Lights, Mesh, render, vertex_normals

Array = NDArray[np.float32]

_PIVOT = np.array((0.0, -0.75, -0.85), np.float32)
_FACE_CENTRE = np.array((0.0, -0.33, 0.1), np.float32)


@dataclass(frozen=True)
class Camera:
    """Where the camera stands.

    Attributes:
        distance: to the face, decimetres.
        face_height: share of the picture's height from chin to hairline.
        centre: x and y of the face's centre, shares of the picture's width and height.
        warp: (2, 3) affine map of the pixels, applied last; None for none.
    """

    distance: float = 9.0
    face_height: float = 0.6
    centre: tuple[float, float] = (0.5, 0.5)
    warp: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Scene:
    """Everything about a picture except the person and the expression."""

    pose: Pose
    lights: Lights
    camera: Camera
    exposure: float
    background: Array = field(repr=False)


@dataclass(frozen=True)
class Picture:
    """A rendered picture and its truth.

    Attributes:
        image: (H, W, 3) uint8 sRGB.
        mask: (H, W) where the person covers the background.
        vertices: (V, 2) x, y in pixels of every vertex of the head.
        intensity: (A, 3) action-unit intensities, 0 to 5: whole, left, right.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    vertices: Array
    intensity: Array


def rotation(pose: Pose) -> Array:
    """(3, 3) rotation of the head: pitch first, then yaw, then roll."""
    pitch, yaw, roll = np.deg2rad((-pose.pitch, pose.yaw, -pose.roll))
    cx, sx, cy, sy, cz, sz = (f(a) for a in (pitch, yaw, roll) for f in (np.cos, np.sin))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, np.float32)


def random_scene(
    random: np.random.Generator, size: int, *, yaw: float = 30.0, face_height: float = 0.6
) -> Scene:
    """A scene by chance: head turned by up to ``yaw`` degrees, any light, any background."""
    turn = float(np.clip(random.normal(0, 0.5), -1, 1) * yaw)
    pose = Pose(
        pitch=float(np.clip(random.normal(0, 0.4), -1, 1) * 0.7 * yaw),
        yaw=turn,
        roll=float(np.clip(random.normal(0, 0.35), -1, 1) * 25),
    )
    camera = Camera(
        distance=float(random.uniform(5.5, 14)),
        face_height=face_height * float(random.uniform(0.88, 1.1)),
        centre=(0.5 + float(random.normal(0, 0.02)), 0.5 + float(random.normal(0, 0.02))),
    )
    return Scene(
        pose, random_lights(random), camera, float(random.uniform(0.24, 0.55)),
        random_background(random, size),
    )  # fmt: skip


def random_lights(random: np.random.Generator) -> Lights:
    """One to three lights in front and an uneven glow around."""
    count = int(random.integers(1, 4))
    directions, colours = [], []
    for i in range(count):
        direction = np.array(
            (random.normal(0, 0.8), random.normal(0.45, 0.5), abs(random.normal(0.8, 0.5)) + 0.1)
        )
        if i == 2:
            direction[2] *= -1
        warmth = random.normal(0, 0.12)
        strength = random.uniform(0.4, 1.0) * (1.0, 0.5, 0.6)[i]
        directions.append(direction / np.linalg.norm(direction))
        colours.append(np.array((1 + warmth, 1, 1 - warmth)) * strength)
    glow = random.uniform(0.2, 0.9)
    tint = 1 + random.normal(0, 0.08, 3)
    return Lights(
        np.array(directions, np.float32),
        np.array(colours, np.float32),
        (glow * tint).astype(np.float32),
        (glow * random.uniform(0.3, 0.8) * tint[::-1]).astype(np.float32),
    )


def random_background(random: np.random.Generator, size: int) -> Array:
    """(size, size, 3) linear RGB: a wall with a gradient, and often blurred clutter."""
    corners = random.uniform(0.02, 0.6) * (1 + random.normal(0, 0.2, (2, 2, 3)))
    small = cv2.resize(np.clip(corners, 0, 1).astype(np.float32), (64, 64))
    if random.random() < 0.6:
        for _ in range(int(random.integers(3, 14))):
            grey = random.uniform(0.02, 0.7)
            colour = tuple(float(c) for c in grey * (1 + random.normal(0, 0.3, 3)).clip(0.2, 1.8))
            x, y = (int(v) for v in random.integers(-8, 72, 2))
            if random.random() < 0.6:
                w, h = (int(v) for v in random.integers(3, 30, 2))
                cv2.rectangle(small, (x, y), (x + w, y + h), colour, -1)
            else:
                cv2.circle(small, (x, y), int(random.integers(2, 14)), colour, -1)
        small = cv2.GaussianBlur(small, (0, 0), float(random.uniform(0.3, 3.0)))
    picture = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
    grain = random.standard_normal((size, size, 1)).astype(np.float32) * random.uniform(0, 0.02)
    return np.clip(picture + grain, 0, 1)


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
    points = head.express(neutral, actions)
    occlusion = _occlusion(head, points)
    colours = paint(sheet, person.look, actions)

    surfaces = [Surface(points, head.faces, sheet.uv, moves=True)]
    if person.look.scalp > 0:
        outward = vertex_normals(neutral, head.faces)
        surfaces.append(hair_cap(head, sheet, points, outward, person.style))
        if person.style.length > 0:
            surfaces.append(long_hair(sheet, neutral, person.style))
    surfaces.append(clothes(sheet, person.style))

    turn = rotation(scene.pose)
    scale = _focal_length(scene.camera, neutral, height)
    positions: list[Array] = []
    normals: list[Array] = []
    uvs: list[Array] = []
    faces: list[NDArray[np.int32]] = []
    two_sided: list[NDArray[np.bool_]] = []
    first = 0
    for i, surface in enumerate(surfaces):
        where = surface.points
        if surface.moves:
            where = np.asarray((where - _PIVOT) @ turn.T + _PIVOT, np.float32)
        positions.append(_project(where, scene.camera, scale, turn, width, height))
        normals.append(vertex_normals(where, surface.faces))
        uvs.append(surface.uv)
        faces.append(surface.faces + np.int32(first))
        two_sided.append(np.full(len(surface.faces), i > 0))
        first += len(where)
    shade = np.ones(first, np.float32)
    shade[: len(points)] = occlusion
    mesh = Mesh(
        np.concatenate(positions),
        np.concatenate(normals),
        np.concatenate(uvs),
        shade,
        np.concatenate(faces),
        np.concatenate(two_sided),
    )
    linear, mask = render(mesh, colours, scene.lights, scene.background, supersample=supersample)
    if person.style.glasses and scene.camera.warp is None:
        _draw_glasses(linear, person, points, turn, scene, scale)
    image = _develop(linear, positions[0][head.vertices_of("skin")], scene.exposure)
    vertices = positions[0][:, :2].astype(np.float32)
    intensity = action_unit_intensities(actions, head.lip_gap(points))
    return Picture(image, mask, vertices, intensity)


def _focal_length(camera: Camera, neutral: Array, height: int) -> float:
    """Pixels a decimetre at unit distance, so that chin to hairline spans ``face_height``."""
    chin = neutral[np.abs(neutral[:, 0]) < 0.1, 1]
    span = 0.62 - max(float(chin.min()), -1.25)
    return camera.face_height * height / span * camera.distance


def _project(
    points: Array, camera: Camera, scale: float, turn: Array, width: int, height: int
) -> Array:
    middle = (_FACE_CENTRE - _PIVOT) @ turn.T + _PIVOT
    # The camera looks straight ahead from the height of the face, as photographers do.
    inverse = 1.0 / (camera.distance + middle[2] - points[:, 2])
    x = camera.centre[0] * width + scale * (points[:, 0] - middle[0]) * inverse
    y = camera.centre[1] * height - scale * (points[:, 1] - middle[1]) * inverse
    if camera.warp is not None:
        matrix = camera.warp
        x, y = (matrix[i, 0] * x + matrix[i, 1] * y + matrix[i, 2] for i in (0, 1))
    return np.stack([x, y, inverse * 1000], axis=1).astype(np.float32)


def _occlusion(head: HeadModel, points: Array) -> Array:
    """(V,) light from around that reaches each vertex: less in hollows, and inside the mouth."""
    neighbour_sum = np.zeros_like(points)
    count = np.zeros(len(points), np.float32)
    a, b, c = head.faces.T
    for one, two in ((a, b), (b, c), (c, a), (b, a), (c, b), (a, c)):
        for k in range(3):
            neighbour_sum[:, k] += np.bincount(one, points[two, k], len(points))
        count += np.bincount(one, minlength=len(points))
    hollow = neighbour_sum / np.maximum(count, 1)[:, None] - points
    normal = vertex_normals(points, head.faces)
    depth = np.einsum("vc,vc->v", hollow, normal)
    shade: Array = np.clip(1 - 22 * np.maximum(depth, 0), 0.35, 1).astype(np.float32)
    lips_front = 0.22
    # Little light enters between lips that hardly part.
    opening = np.clip(head.lip_gap(points) / 0.08, 0.1, 1)
    for name in ("mouth", "tongue", "teeth"):
        inside = head.vertices_of(name)
        inward = np.clip((lips_front - points[inside, 2]) / 0.35, 0, 1)
        shade[inside] = np.minimum(shade[inside], 0.95 - 0.75 * inward) * opening
    for name in ("eye_left", "eye_right"):
        ball = head.vertices_of(name)
        shade[ball] = np.clip(0.95 - 3.2 * (points[ball, 1] - points[ball, 1].mean()), 0.35, 0.95)
    return shade


def _draw_glasses(
    linear: Array, person: Person, points: Array, turn: Array, scene: Scene, scale: float
) -> None:
    head = head_model()
    height, width = linear.shape[:2]
    thickness = max(1, round(height / (170 if person.style.glasses == 1 else 90)))
    half_width, half_height = person.style.frame
    angle = np.linspace(0, 2 * np.pi, 40)
    centres = [points[head.vertices_of(name)].mean(0) for name in ("eye_left", "eye_right")]
    shapes = []
    for centre in centres:
        rounded = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.7
        shapes.append(
            np.stack(
                [
                    centre[0] + half_width * rounded,
                    centre[1] - 0.03 + half_height * np.sin(angle),
                    np.full(40, 0.30) - 0.25 * (centre[0] + half_width * rounded) ** 2,
                ],
                axis=1,
            )
        )
    inner = [c[0] - np.sign(c[0]) * half_width for c in centres]
    bridge = np.array([[inner[0], 0.02, 0.34], [0.0, 0.05, 0.36], [inner[1], 0.02, 0.34]])
    for line in (*shapes, bridge):
        where = np.asarray((line - _PIVOT) @ turn.T + _PIVOT, np.float32)
        xy = _project(where, scene.camera, scale, turn, width, height)[:, :2]
        cv2.polylines(
            linear, [np.round(xy * 16).astype(np.int32)], False, person.style.frame_colour,
            thickness, cv2.LINE_AA, 4,
        )  # fmt: skip


def _develop(linear: Array, face: Array, exposure: float) -> NDArray[np.uint8]:
    """Expose for the face as a camera does, and encode as sRGB."""
    height, width = linear.shape[:2]
    x0, y0 = np.clip(np.quantile(face[:, :2], 0.3, axis=0), 0, (width - 2, height - 2)).astype(int)
    x1, y1 = np.clip(
        np.quantile(face[:, :2], 0.7, axis=0), (x0 + 1, y0 + 1), (width, height)
    ).astype(int)
    level = linear[y0:y1, x0:x1].mean() + 1e-4
    # Half way only: dark skin stays darker than light skin.
    gain = (exposure / level) ** 0.55 * exposure**0.45 / 0.35**0.45
    value = np.clip(linear * gain, 0, 1)
    value = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(value * 255), np.uint8)
