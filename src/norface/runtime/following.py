"""Who is where in each frame of a video: faces followed, cuts seen, people numbered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import numpy as np

from norface.faces.find import FaceFinder
from norface.faces.identity import Embedder
from norface.faces.landmarks import FaceLandmarks
from norface.faces.shots import ShotDetector
from norface.faces.track import Tracker
from norface.media.video import Frame

People = Literal["track", "link", "none"]
"""Whose numbers the faces of a video get: people followed within a shot; people linked across cuts
and absences as well, by identity, which is biometric; or just the faces' numbers in their frame."""

PEOPLE: Final[tuple[str, ...]] = get_args(People)


class Follower:
    """Finds the faces of a video's frames, one after the other, and numbers the people.

    Args:
        finder: used for this video alone, as long as it lasts.
        people: what the numbers mean.
        embedder: knows people again; needed for ``link`` alone.
    """

    def __init__(
        self, *, finder: FaceFinder, people: People = "track", embedder: Embedder | None = None
    ) -> None:
        if people not in PEOPLE:
            raise ValueError(f"people must be {', '.join(PEOPLE)}: {people}")
        if (people == "link") != (embedder is not None):
            raise ValueError("an embedder is needed to link people, and for nothing else")
        self._finder = finder
        self._finder.take_up()
        self._shots = ShotDetector()
        self._tracker = None if people == "none" else Tracker(embedder=embedder)
        self._faces: list[FaceLandmarks] = []

    def follow(self, frame: Frame) -> tuple[list[FaceLandmarks], list[int]]:
        """The faces of the next frame, and the number of each."""
        cut = self._shots.cut(frame.image)
        self._faces = self._finder.follow(frame.image, [] if cut else self._faces)
        if self._tracker is None:
            faces = sorted(self._faces, key=lambda face: -face.box.width * face.box.height)
            return faces, list(range(len(faces)))
        numbers = self._tracker.update(frame.time, self._faces, frame.image, cut=cut)
        order = np.argsort(numbers, kind="stable")
        return [self._faces[i] for i in order], [numbers[i] for i in order]

    def state(self) -> dict[str, Any]:
        """What another follower needs to go on with the next frame; plain values, for JSON.

        Where people are linked, it holds the embeddings of their faces.
        """
        return {
            "faces": [
                {
                    "points": face.points.tolist(),
                    "blendshapes": [None if x != x else x for x in face.blendshapes.tolist()],
                    "confidence": face.confidence,
                }
                for face in self._faces
            ],
            "pace": self._finder.pace,
            "shots": self._shots.state(),
            "tracker": None if self._tracker is None else self._tracker.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the follower whose `state` this was, which had the same settings."""
        self._faces = [
            FaceLandmarks.from_points(
                np.array(face["points"], np.float32),
                np.array([np.nan if x is None else x for x in face["blendshapes"]], np.float32),
                float(face["confidence"]),
            )
            for face in state["faces"]
        ]
        between, until = state["pace"]
        self._finder.take_up((int(between), int(until)))
        self._shots.restore(state["shots"])
        if self._tracker is not None:
            self._tracker.restore(state["tracker"])
