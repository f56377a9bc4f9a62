"""Who is where in each frame of a video: faces followed, cuts seen, people numbered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from norface.faces.continuity import Look, view
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


_NEAR: Final = 0.6
"""Widths of a face within which it may be one of the frame before; as far as the tracker links."""

_CROWDED: Final = 1.3
"""Sides of a face; what is nearer may hide it, and its landmarks slide over."""


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
        self._looks: list[Look] = []
        self._numbers: list[int] = []

    def follow(self, frame: Frame) -> tuple[list[FaceLandmarks], list[int]]:
        """The faces of the next frame, and the number of each."""
        cut, gone = self._look(frame.image)
        if self._tracker is None:
            faces = sorted(self._faces, key=lambda face: -face.box.width * face.box.height)
            return faces, list(range(len(faces)))
        numbers = self._tracker.update(frame.time, self._faces, frame.image, cut=cut, gone=gone)
        self._numbers = numbers
        order = np.argsort(numbers, kind="stable")
        return [self._faces[i] for i in order], [numbers[i] for i in order]

    def _look(self, image: NDArray[np.uint8]) -> tuple[bool, list[int]]:
        """Follow the faces into the next frame.

        Returns:
            Whether a new shot starts with it, and the numbers of people in whose place is another.
        """
        cut = self._shots.cut(image)
        faces = self._finder.follow(image, self._faces)
        before = [_before(face, self._faces) for face in faces]
        looks = [
            Look(view(image, face.points))
            if i is None
            else self._looks[i].next(image, face.points, self._faces[i].points)
            for face, i in zip(faces, before, strict=True)
        ]
        known = [i is not None for i in before]
        # A light from one side changes the frame as a cut does, but not the faces.
        cut = cut and not any(k and look.is_same for k, look in zip(known, looks, strict=True))
        goes_on = [
            i is None or not (cut or (look.is_another and not _crowded(i, self._faces)))
            for i, look in zip(before, looks, strict=True)
        ]
        gone = [
            self._numbers[i]
            for i, same in zip(before, goes_on, strict=True)
            if i is not None and not same and self._numbers
        ]
        if cut or not all(goes_on):
            # What was followed from another face lies badly, and others may have come with it.
            kept = [] if cut else [n for n, same in enumerate(goes_on) if same]
            followed = [faces[n] for n in kept]
            self._finder.take_up((1, 0))
            faces = self._finder.follow(image, followed)
            places = [_before(face, followed) for face in faces]
            looks = [
                Look(view(image, face.points)) if i is None else looks[kept[i]]
                for face, i in zip(faces, places, strict=True)
            ]
        self._faces, self._looks = faces, looks
        return cut, gone

    def state(self) -> dict[str, Any]:
        """What another follower needs to go on with the next frame; plain values, for JSON.

        It holds a small grey view of each face in sight and, where people are linked, the
        embeddings of their faces.
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
            "looks": [look.state() for look in self._looks],
            "numbers": self._numbers,
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
        self._looks = [Look.restored(look) for look in state["looks"]]
        self._numbers = [int(number) for number in state["numbers"]]
        between, until = state["pace"]
        self._finder.take_up((int(between), int(until)))
        self._shots.restore(state["shots"])
        if self._tracker is not None:
            self._tracker.restore(state["tracker"])


def _crowded(i: int, faces: Sequence[FaceLandmarks]) -> bool:
    """Whether another face is so near face ``i`` that it may come before it."""
    middles = [face.points[:, :2].mean(axis=0) for face in faces]
    reach = _CROWDED * max(faces[i].box.width, faces[i].box.height)
    return any(
        j != i and float(np.hypot(*(middle - middles[i]))) < reach
        for j, middle in enumerate(middles)
    )


def _before(face: FaceLandmarks, earlier: Sequence[FaceLandmarks]) -> int | None:
    """Which of the faces of the frame before lies nearest, if one lies near."""
    apart = [
        float(np.abs(face.points[:, :2] - other.points[:, :2]).mean())
        / max(face.box.width, other.box.width)
        for other in earlier
    ]
    nearest = int(np.argmin(apart)) if apart else None
    return nearest if nearest is not None and apart[nearest] < _NEAR else None
