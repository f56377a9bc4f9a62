"""The exact truth of a sample as one flat row of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from norface.facs import ACTION_UNITS, EMOTIONS, FACIAL_ACTIONS
from norface.results import Pose
from norface.synthesis.body.head import head_model
from norface.synthesis.gaze import gaze_angles
from norface.synthesis.landmarks import LANDMARK_NAMES, landmark_vertices, landmarks_478
from norface.synthesis.people import Person
from norface.synthesis.picture.scene import Picture, Scene
from norface.synthesis.samples import Sample

Array = NDArray[np.float32]


def truth(sample: Sample) -> dict[str, Any]:
    """One flat row of everything that is known of a sample; docs/synthesis.md lists the columns."""
    return {
        "seed": sample.seed,
        "index": sample.index,
        "emotion": emotion_name(sample.emotion),
        **person_truth(sample.person),
        **scene_truth(sample.scene),
        **face_truth(sample.actions, sample.picture, sample.scene.pose),
    }


def emotion_name(index: int) -> str:
    """The emotion's name, empty for an expression that is no prototype (-1)."""
    return EMOTIONS[index] if index >= 0 else ""


def person_truth(person: Person) -> dict[str, Any]:
    """Who is shown."""
    return {
        "age": round(person.shape.age, 2),
        "gender": round(person.shape.gender, 3),
        "muscle": round(person.shape.muscle, 3),
        "weight": round(person.shape.weight, 3),
        "african": round(person.shape.ancestry[0], 3),
        "asian": round(person.shape.ancestry[1], 3),
        "european": round(person.shape.ancestry[2], 3),
        "skin_tone": round(person.tone, 3),
        "hair": person.hair.name,
        "hair_style": person.hair.style,
        "long_hair": int(person.hair.length > 0),
        "glasses": int(person.glasses is not None),
        "glasses_rim": person.glasses.rim if person.glasses else "",
        "covering": person.covering.kind if person.covering else "",
        "occluder": person.occluder.kind if person.occluder else "",
        "beard": round(person.skin.beard, 3),
        "moustache": round(person.skin.moustache, 3),
        "goatee": round(person.skin.goatee, 3),
        "sideburns": round(person.skin.sideburns, 3),
    }


def scene_truth(scene: Scene) -> dict[str, Any]:
    """How the picture is taken."""
    return {
        "light": scene.lights.name,
        "exposure": round(scene.exposure, 4),
        "distance": round(scene.camera.distance, 3),
        "defocus": round(scene.sensor.defocus, 4),
        "noise": round(scene.sensor.read, 5),
        "resolution": round(scene.sensor.resolution, 4),
        "jpeg": scene.sensor.jpeg,
    }


def face_truth(actions: Array, picture: Picture, pose: Pose) -> dict[str, Any]:
    """What the face does and where its points lie."""
    row: dict[str, Any] = {name: round(getattr(pose, name), 3) for name in ("pitch", "yaw", "roll")}
    gaze = gaze_angles(head_model(), picture.neutral, picture.points)
    for side, (yaw, pitch) in zip(("left", "right"), gaze, strict=True):
        # Adding zero makes -0.0 plain.
        row[f"gaze_yaw_{side}"] = round(float(yaw), 2) + 0.0
        row[f"gaze_pitch_{side}"] = round(float(pitch), 2) + 0.0
    for unit, (whole, left, right) in zip(ACTION_UNITS, picture.intensity, strict=True):
        row[f"{unit.name}_r"] = round(float(whole), 3)
        if unit.has_sides:
            row[f"{unit.name}_left_r"] = round(float(left), 3)
            row[f"{unit.name}_right_r"] = round(float(right), 3)
    for name, value in zip(FACIAL_ACTIONS, actions, strict=True):
        row[name] = round(float(value), 4)
    points = picture.vertices[landmark_vertices()]
    for name, (x, y) in zip(LANDMARK_NAMES, np.asarray(points, float), strict=True):
        row[f"{name}_x"], row[f"{name}_y"] = round(x, 2), round(y, 2)
    return row


def sample_landmarks(sample: Sample) -> Array:
    """(478, 3) MediaPipe's landmarks of a sample, see ``landmarks_478``."""
    picture = sample.picture
    return landmarks_478(picture.vertices, picture.points, sample.scene.pose)
