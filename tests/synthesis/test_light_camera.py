"""Light, shadows, bumps, cut-outs and the camera's flaws."""

from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from norface.facs import ACTION_INDEX, FACIAL_ACTIONS
from norface.results import Pose
from norface.synthesis.body.surface import PARTS
from norface.synthesis.common_face import common_person
from norface.synthesis.picture import lights as kinds_of_light
from norface.synthesis.picture.backgrounds import KINDS, random_background
from norface.synthesis.picture.camera import Camera
from norface.synthesis.picture.filters import blur, enlarge, shrink
from norface.synthesis.picture.lights import random_lights
from norface.synthesis.picture.rasterize import Lights, Mesh, render
from norface.synthesis.picture.scene import Scene, random_scene, render_face
from norface.synthesis.picture.sensor import CLEAN, Sensor, random_sensor
from norface.synthesis.picture.visibility import visible_vertices

SIZE = 48
NEUTRAL = np.zeros(len(FACIAL_ACTIONS), np.float32)
ABOVE = Lights(
    directions=np.array([(0.0, 0.6, 0.8)], np.float32),
    colours=np.ones((1, 3), np.float32),
    sky=np.zeros(3, np.float32),
    ground=np.zeros(3, np.float32),
)


def square(side: float, z: float, part: str, *, cutout: bool = False, y: float = 0.0) -> Mesh:
    """A square that faces the camera, a decimetre to 24 pixels."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32) * side / 2
    corners[:, 1] += y
    point = np.column_stack([corners, np.full(4, z)]).astype(np.float32)
    position = np.column_stack([24 + 24 * corners[:, 0], 24 - 24 * corners[:, 1], point[:, 2]])
    return Mesh(
        position=position.astype(np.float32),
        point=point,
        normal=np.tile(np.array((0, 0, 1), np.float32), (4, 1)),
        uv=(32 + 24 * corners * (1, -1)).astype(np.float32),
        occlusion=np.ones(4, np.float32),
        faces=np.array([(0, 1, 2), (0, 2, 3)], np.int32),
        two_sided=np.ones(2, np.bool_),
        cutout=np.full(2, cutout),
        part=np.full(2, PARTS.index(part), np.uint8),
    )


def together(one: Mesh, other: Mesh) -> Mesh:
    shifted = replace(other, faces=other.faces + np.int32(len(one.point)))
    return Mesh(**{
        name: np.concatenate([getattr(one, name), getattr(shifted, name)])
        for name in Mesh.__dataclass_fields__
    })  # fmt: skip


def plain_paint() -> np.ndarray:
    paint = np.zeros((64, 64, 6), np.float32)
    paint[..., :3], paint[..., 5] = 0.5, 1
    return paint


def drawn(mesh: Mesh, paint: np.ndarray, lights: Lights = ABOVE, **options: float) -> np.ndarray:
    background = np.zeros((SIZE, SIZE, 3), np.float32)
    return render(mesh, paint, lights, background, **options)[0]  # type: ignore[arg-type]


def test_slopes_of_the_paint_catch_the_light_and_both_hands_agree() -> None:
    paint = plain_paint()
    paint[..., 4] = (np.arange(64) * 0.01)[:, None]
    mesh = square(1.6, 0.0, "skin")
    flat = drawn(mesh, paint, bump=0.0)[24, 24, 1]
    # Height grows downwards, so the surface faces up, towards the light.
    assert drawn(mesh, paint)[24, 24, 1] > 1.05 * flat
    mirrored = replace(mesh, uv=(mesh.uv - (32, 0)) * np.float32((-1, 1)) + np.float32((32, 0)))
    mirrored = replace(mirrored, uv=mirrored.uv.astype(np.float32))
    assert np.allclose(drawn(mirrored, paint)[24, 24], drawn(mesh, paint)[24, 24], atol=1e-3)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_half_transparent_paint_covers_half(alpha: float) -> None:
    paint = plain_paint()
    paint[..., 5] = alpha
    whole = drawn(square(1.6, 0.0, "hair"), paint)[10:38, 10:38].mean(dtype=float)
    cut = drawn(square(1.6, 0.0, "hair", cutout=True), paint)[10:38, 10:38].mean(dtype=float)
    assert cut == pytest.approx(alpha * whole, abs=0.06 * float(whole))


def test_what_stands_in_the_light_casts_a_shadow() -> None:
    wall = square(1.8, 0.0, "skin")
    scene = together(wall, square(0.4, 0.5, "cloth", y=0.4))
    paint = plain_paint()
    open_wall, shaded = drawn(wall, paint), drawn(scene, paint)
    # The light falls 0.6 down for 0.8 back.
    assert shaded[25, 24, 1] < 0.4 * open_wall[25, 24, 1]
    assert shaded[40, 24, 1] == pytest.approx(open_wall[40, 24, 1], rel=0.1)
    unshadowed = drawn(scene, paint, shadows=False)
    assert unshadowed[25, 24, 1] == pytest.approx(drawn(wall, paint, shadows=False)[25, 24, 1])


def studio(lights: Lights, sensor: Sensor = CLEAN) -> Scene:
    background = np.full((96, 96, 3), 0.3, np.float32)
    return Scene(Pose(0, 0, 0), lights, Camera(), 0.4, background, sensor)


def test_every_kind_of_light_looks_its_own_way() -> None:
    pictures = []
    for kind in kinds_of_light.KINDS:
        lights = random_lights(np.random.default_rng(4), kind)
        assert lights.name == kind
        assert np.allclose(np.linalg.norm(lights.directions, axis=1), 1, atol=1e-5)
        picture = render_face(common_person(), NEUTRAL, studio(lights)).image
        assert picture.std() > 5
        pictures.append(picture.astype(float))
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            assert np.abs(one - other).mean() > 2
    with pytest.raises(ValueError, match="unknown kind of light"):
        random_lights(np.random.default_rng(4), "moon")


def test_a_scene_of_a_chosen_light() -> None:
    assert random_scene(np.random.default_rng(1), 64, light="back").lights.name == "back"


def test_lips_lie_between_skin_and_mouth() -> None:
    lights = random_lights(np.random.default_rng(4), "even")
    actions = NEUTRAL.copy()
    actions[ACTION_INDEX["jawOpen"]] = 0.7
    parts = render_face(common_person(), actions, studio(lights)).parts
    middle = [PARTS[v] for v in parts[:, 48]]
    below = middle[middle.index("lips") :]
    order = [name for i, name in enumerate(below) if i == 0 or name != below[i - 1]]
    assert order[:4] == ["lips", "mouth", "lips", "skin"]


def test_backgrounds_of_every_kind() -> None:
    for kind in KINDS:
        one, again = (random_background(np.random.default_rng(2), 64, kind) for _ in range(2))
        assert one.shape == (64, 64, 3)
        assert one.dtype == np.float32
        assert np.isfinite(one).all()
        assert one.min() >= 0
        assert np.array_equal(one, again)


def test_each_flaw_of_the_camera_shows_and_repeats() -> None:
    lights = random_lights(np.random.default_rng(4), "even")
    clean = render_face(common_person(), NEUTRAL, studio(lights)).image
    assert np.array_equal(clean, render_face(common_person(), NEUTRAL, studio(lights)).image)
    for flaw in (
        {"white_balance": (1.2, 1.0, 0.8)}, {"vignette": 0.5}, {"defocus": 1.5},
        {"motion": (4.0, 2.0)}, {"fringe": 0.02}, {"contrast": 0.5}, {"shot": 0.05, "seed": 3},
        {"read": 0.05}, {"sharpen": 0.8}, {"resolution": 0.5}, {"jpeg": 30},
    ):  # fmt: skip
        scene = studio(lights, Sensor(**flaw))  # type: ignore[arg-type]
        one, two = (render_face(common_person(), NEUTRAL, scene).image for _ in range(2))
        assert np.array_equal(one, two), flaw
        assert np.abs(one.astype(float) - clean).mean() > 0.2, flaw
    noise = [
        render_face(common_person(), NEUTRAL, studio(lights, Sensor(shot=0.05, seed=s))).image
        for s in (1, 2)
    ]
    assert not np.array_equal(*noise)


def test_random_sensors_stay_in_range() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        sensor = random_sensor(random, 128)
        assert 0 < sensor.resolution <= 1
        assert sensor.jpeg == 0 or 25 <= sensor.jpeg <= 100
        assert 0 <= sensor.shot < 0.1


def test_filters_keep_the_light() -> None:
    picture = np.random.default_rng(0).random((20, 30, 3), np.float32)
    flat = np.full((20, 30, 3), 0.4, np.float32)
    for sigma in (0.3, 0.7, 2.0):
        assert np.allclose(blur(flat, sigma), 0.4, atol=1e-5)
        assert blur(picture, sigma).std() < picture.std()
    assert np.allclose(enlarge(flat, 50, 40), 0.4)
    assert np.allclose(shrink(picture, 10, 15).mean(), picture.mean(), atol=1e-5)


def test_vertices_behind_others_are_not_visible() -> None:
    scene = together(square(1.8, 0.0, "skin"), square(0.4, 0.5, "cloth"))
    inner = square(0.2, 0.0, "skin")
    scene = together(scene, inner)
    seen = visible_vertices(scene.position, scene.faces, scene.two_sided, SIZE, SIZE, slack=0.1)
    assert seen[:8].all()
    assert not seen[8:].any()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="withholds instructions of x86")
def test_an_older_processor_paints_the_same_bytes() -> None:
    check = Path(__file__).parents[2] / "tools/check_determinism.py"
    command = [sys.executable, str(check), "4", "64", "libraries"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
