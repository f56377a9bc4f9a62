from __future__ import annotations

import numpy as np
import pytest

from norface.evaluation.predictions import Predictions
from norface.evaluation.worst import worst_frames


def test_intensity() -> None:
    p = Predictions.of(
        "intensity", ["AU01", "AU12"],
        truth=[[0, 5], [1, 1], [np.nan, 3], [0, 0]],
        score=[[0.5, 1], [1, 1], [2, 1.5], [np.nan, np.nan]],
        path=list("abcd"),
    )  # fmt: skip
    found = worst_frames(p, 10)
    assert [w.row for w in found] == [0, 2, 1]
    assert [w.loss for w in found] == pytest.approx([2.25, 1.5, 0])
    assert found[0].words == ("AU12 5, read 1.0", "AU01 0, read 0.5")
    assert found[1].words == ("AU12 3, read 1.5",)
    assert len(worst_frames(p, 1)) == 1


def test_one_of_a_clip() -> None:
    p = Predictions.of(
        "presence", ["AU12"], truth=np.ones((6, 1)), score=[[0.1], [0.05], [0.3], [0], [0.2], [1]],
        path=["v.mp4", "v.mp4", "v.mp4", "w.mp4", "w.mp4", "x.png"], frame=[0, 1, 2, 0, 1, -1],
        subject=["S"] * 6, sequence=["T1", "T1", "T2", "", "", ""],
    )  # fmt: skip
    found = worst_frames(p, 10)
    assert [w.row for w in found] == [3, 1, 2, 5]
    assert found[1].words == ("AU12 present, given 0.05",)
    assert found[1].loss == pytest.approx(-np.log(0.05))


def test_emotion() -> None:
    p = Predictions.of(
        "emotion", ["fear", "anger"], truth=[[1, 0], [0, 1]], score=[[0.1, 0.9], [0.4, 0.6]],
        path=["a", "b"],
    )  # fmt: skip
    first = worst_frames(p, 2)[0]
    assert first.words == ("fear, given 0.10", "read as anger, 0.90")
    assert first.loss == pytest.approx(-np.log(0.1))
