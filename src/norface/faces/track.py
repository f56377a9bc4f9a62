"""Which face of a video is whose: the same number for the same person, frame after frame."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from norface.faces.identity import Embedder
from norface.faces.landmarks import FaceLandmarks

_REACH: Final = 0.6
"""Widths of the face that it may be away from where it is expected, from one frame to the next."""

_REACH_PER_SECOND: Final = 2.0
_FARTHEST: Final = 1.5
_GROWTH: Final = 0.6
"""Largest change of size from one frame to the next, as a power of two."""

_GROWTH_PER_SECOND: Final = 0.5
_LARGEST_GROWTH: Final = 1.0

_STEADY: Final = 0.3
"""Seconds for which a motion is taken to go on; later the face is expected to have stopped."""

_ABSENT: Final = 0.3
"""Seconds out of sight from which a face that comes back is compared with the persons known."""

_SEEN_OF_EACH: Final = 8
"""Embeddings that are kept of a person, of different moments."""

_CLEAR_SIDE: Final = 40.0
_CLEAR_YAW: Final = 40.0
_CLEAR_PITCH: Final = 30.0
"""Smaller faces (pixels) and heads that are turned farther (degrees) are embedded badly."""

_NOWHERE: Final = -1
"""The shot of a person whose place turned out to be another's."""

_Place = tuple[float, float, float]  # x and y of the middle, and the side, in pixels


@dataclass(slots=True, eq=False)
class _Person:
    number: int
    place: _Place
    time: float
    motion: tuple[float, float] = (0.0, 0.0)  # pixels a second
    shot: int = 0
    looked: float = -np.inf  # when an embedding was taken last
    seen: list[NDArray[np.float32]] = field(default_factory=list)


class Tracker:
    """Gives each face of a video the number of its person. One for each file.

    Within a shot faces are linked by place, size and motion. A face that was gone for less than
    ``memory`` seconds is taken up again where it may have got to. With an ``embedder`` people are
    known again after any absence and across cuts, and an embedding a second guards against
    swaps; without one, a person has a new number after each cut and each longer absence. Faces
    that are small, turned away or cut by the border are not embedded; who comes in like this has
    a new number until the face is seen clearly.

    The same frames give the same numbers. No two faces of a frame have the same.
    """

    def __init__(
        self, *, embedder: Embedder | None = None, memory: float = 2.0, look_every: float = 1.0
    ) -> None:
        """Start with nobody.

        Args:
            embedder: what knows people again, `identity.IdentityEmbedder`; biometric, so none
                unless the user wants it.
            memory: seconds for which a face out of sight is remembered by its place alone.
            look_every: seconds between two embeddings of one person in sight.
        """
        if memory < 0 or look_every <= 0:
            raise ValueError("memory must not be negative, and look_every must be above 0")
        self._embedder = embedder
        self._memory = memory
        self._look_every = look_every
        self._people: list[_Person] = []
        self._next = 0
        self._shot = 0

    def update(
        self,
        time: float,
        faces: Sequence[FaceLandmarks],
        image: NDArray[np.uint8] | None = None,
        *,
        cut: bool = False,
        gone: Collection[int] = (),
    ) -> list[int]:
        """The person of each face of the next frame, numbered from 0 as they appear.

        Args:
            time: of the frame in seconds; must not go back.
            faces: of the frame, in any order.
            image: (H, W, 3) uint8 RGB, the frame; only an ``embedder`` needs it.
            cut: whether a new shot starts with this frame, as `shots.ShotDetector` says.
            gone: numbers of people in whose place is somebody else, as `continuity` says.

        Raises:
            ValueError: there is an embedder, and no image.
        """
        if self._embedder is not None and image is None and faces:
            raise ValueError("people are linked by identity, so update needs the frame's image")
        if cut:
            self._shot += 1
        latest = max((person.time for person in self._people), default=time)
        here = [person for person in self._people if person.shot == self._shot]
        # Who was hidden a moment ago may come out where another is seen: no cut.
        if not any(person.time < latest and time - person.time <= self._memory for person in here):
            for person in here:
                if person.number in gone:
                    person.shot = _NOWHERE
        self._forget(time)
        places = [_place(face) for face in faces]
        owners = self._by_place(time, places)
        if self._embedder is not None and image is not None:
            self._by_identity(self._embedder, time, image, faces, owners)
        numbers = []
        for place, found in zip(places, owners, strict=True):
            owner = found or self._newcomer(place, time)
            _move(owner, place, time, self._shot)
            numbers.append(owner.number)
        return numbers

    def state(self) -> dict[str, Any]:
        """All that is known of the people, as plain values."""
        people = [
            {
                "number": person.number,
                "place": person.place,
                "time": person.time,
                "motion": person.motion,
                "shot": person.shot,
                "looked": None if person.looked == -np.inf else person.looked,
                "seen": [look.tolist() for look in person.seen],
            }
            for person in self._people
        ]
        return {"next": self._next, "shot": self._shot, "people": people}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the tracker whose `state` this was."""
        self._next, self._shot = int(state["next"]), int(state["shot"])
        self._people = [_person(each) for each in state["people"]]

    def _newcomer(self, place: _Place, time: float) -> _Person:
        person = _Person(self._next, place, time, shot=self._shot)
        self._next += 1
        self._people.append(person)
        return person

    def _forget(self, time: float) -> None:
        """Drop whom nothing can bring back."""
        self._people = [
            person
            for person in self._people
            if person.seen or (person.shot == self._shot and time - person.time <= self._memory)
        ]

    def _by_place(self, time: float, places: Sequence[_Place]) -> list[_Person | None]:
        """Who may be where, the nearest pairs first."""
        pairs = []
        for p, person in enumerate(self._people):
            if person.shot == self._shot and time - person.time <= self._memory:
                for f, place in enumerate(places):
                    distance = _distance(person, place, time)
                    if distance is not None:
                        pairs.append((distance, p, f))
        owners: list[_Person | None] = [None] * len(places)
        taken: set[int] = set()
        for _, p, f in sorted(pairs):
            if p not in taken and owners[f] is None:
                owners[f] = self._people[p]
                taken.add(p)
        return owners

    def _by_identity(
        self,
        embedder: Embedder,
        time: float,
        image: NDArray[np.uint8],
        faces: Sequence[FaceLandmarks],
        owners: list[_Person | None],
    ) -> None:
        """Look at those who are new, back, or due; correct ``owners`` by what is seen."""
        looks: dict[int, NDArray[np.float32]] = {}
        unknown: dict[int, _Person] = {}  # in sight already, but never seen clearly before
        for f, owner in enumerate(owners):
            is_back = owner is None or time - owner.time > _ABSENT
            is_due = owner is None or not owner.seen or time - owner.looked >= self._look_every
            if not (is_back or is_due) or not _is_clear(faces[f], image):
                continue
            looks[f] = embedder(image, faces[f].points)
            # Somebody else may stand where a person was: nearness does not count for those who
            # come back.
            least = embedder.same if is_back else embedder.different
            if owner is not None and not owner.seen:
                unknown[f] = owner
                owners[f] = None
            elif owner is not None and _unlikeness(owner, looks[f]) > least:
                owner.shot = _NOWHERE
                owners[f] = None
        self._recognize(embedder.same, looks, owners)
        for f, look in looks.items():
            owner = owners[f]
            if owner is None:
                owner = unknown.get(f) or self._newcomer(_place(faces[f]), time)
                owners[f] = owner
            elif f in unknown:
                self._people.remove(unknown[f])
            owner.looked = time
            owner.seen = [*owner.seen, look][-_SEEN_OF_EACH:]

    def _recognize(
        self,
        most: float,
        looks: dict[int, NDArray[np.float32]],
        owners: list[_Person | None],
    ) -> None:
        """Give looks without an owner to the persons not in sight, the most alike first."""
        present = {owner.number for owner in owners if owner is not None}
        pairs = sorted(
            (_unlikeness(person, look), p, f)
            for f, look in looks.items()
            if owners[f] is None
            for p, person in enumerate(self._people)
            if person.number not in present
        )
        for unlikeness, p, f in pairs:
            person = self._people[p]
            if unlikeness > most:
                break
            if owners[f] is None and person.number not in present:
                owners[f] = person
                present.add(person.number)


def _person(state: Mapping[str, Any]) -> _Person:
    x, y, side = map(float, state["place"])
    across, down = map(float, state["motion"])
    return _Person(
        number=int(state["number"]),
        place=(x, y, side),
        time=float(state["time"]),
        motion=(across, down),
        shot=int(state["shot"]),
        looked=-np.inf if state["looked"] is None else float(state["looked"]),
        seen=[np.array(look, np.float32) for look in state["seen"]],
    )


def _place(face: FaceLandmarks) -> _Place:
    box = face.box
    return box.x + box.width / 2, box.y + box.height / 2, max(box.width, box.height, 1.0)


def _distance(person: _Person, place: _Place, time: float) -> float | None:
    """How far a face is from where a person should be, in its sides; None where too far."""
    gone = max(0.0, time - person.time)
    steady = min(gone, _STEADY)
    x = person.place[0] + steady * person.motion[0]
    y = person.place[1] + steady * person.motion[1]
    side = (place[2] + person.place[2]) / 2
    away = float(np.hypot(place[0] - x, place[1] - y)) / side
    growth = abs(float(np.log2(place[2] / person.place[2])))
    reach = min(_FARTHEST, _REACH + _REACH_PER_SECOND * gone)
    if away > reach or growth > min(_LARGEST_GROWTH, _GROWTH + _GROWTH_PER_SECOND * gone):
        return None
    return away + growth / 2


def _move(person: _Person, place: _Place, time: float, shot: int) -> None:
    """Put a person where it was seen."""
    gone = time - person.time
    if person.shot != shot or gone > _ABSENT:
        person.motion = (0.0, 0.0)
    elif gone > 0.0:
        # Half of the old motion: a single frame's is mostly noise.
        across, down = ((place[i] - person.place[i]) / gone for i in (0, 1))
        person.motion = (person.motion[0] + across) / 2, (person.motion[1] + down) / 2
    person.place, person.time, person.shot = place, time, shot


def _is_clear(face: FaceLandmarks, image: NDArray[np.uint8]) -> bool:
    """Whether a face is large, whole and straight enough to tell whose it is."""
    height, width = image.shape[:2]
    box = face.box
    return (
        max(box.width, box.height) >= _CLEAR_SIDE
        and min(box.x, box.y) >= 0
        and box.x + box.width <= width
        and box.y + box.height <= height
        and abs(face.pose.yaw) <= _CLEAR_YAW
        and abs(face.pose.pitch) <= _CLEAR_PITCH
    )


def _unlikeness(person: _Person, look: NDArray[np.float32]) -> float:
    """Distance to the most alike of what was seen of a person; infinite when nothing was."""
    return min((float(np.linalg.norm(seen - look)) for seen in person.seen), default=np.inf)
