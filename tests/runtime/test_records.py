"""What a file of readings keeps of the gaze."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from norface.results import Box, FaceAnalysis, FrameAnalysis, Gaze, Pose
from norface.runtime.records import load_record, save_record


def test_the_gaze_comes_back_as_it_was(tmp_path: Path) -> None:
    picture = np.zeros((1, 1, 3), np.uint8)
    left, right = (0.1, 0.2, -0.9746794344808963), (1 / 3, 0.0, -0.9428090415820634)
    gazes = [Gaze(left, right), Gaze(None, right), Gaze(left, None), None]
    faces = tuple(
        FaceAnalysis(
            face_id=i,
            confidence=1.0,
            box=Box(0.0, 0.0, 1.0, 1.0),
            pose=Pose(0.0, 0.0, 0.0),
            landmarks=np.zeros((478, 3), np.float32),
            action_units={},
            emotion=None,
            emotions={},
            normalized=picture,
            aligned=picture,
            gaze=gaze,
        )
        for i, gaze in enumerate(gazes)
    )
    path = tmp_path / "record.npz"
    save_record(path, [FrameAnalysis(0, 0.0, (8, 8), faces)], {}, landmarks=False)
    assert [face.gaze for face in load_record(path).frames[0].faces] == gazes
