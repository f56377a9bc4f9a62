"""``norface synth --sequences``: faces over time, as folders of pictures and two tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from norface.media.images import write_image
from norface.results import Pose
from norface.synthesis.expressions.sequences import Event, Sequence, random_sequence
from norface.synthesis.generate import TABLE, begin, check_ranges
from norface.synthesis.parallel import in_processes
from norface.synthesis.parts import write_rows
from norface.synthesis.people import Person, random_person
from norface.synthesis.picture.scene import Picture, Scene, random_scene, render_face
from norface.synthesis.samples import person_seed
from norface.synthesis.truth import emotion_name, face_truth, person_truth, scene_truth

EVENTS: Final = "events.csv"
EVENT_COLUMNS: Final = (
    "sequence", "action_unit", "onset", "apex", "offset", "end",
    "peak", "peak_left", "peak_right",
)  # fmt: skip

# Keeps the people and scenes of sequences apart from those of pictures with the same seed.
_STREAM = 5


@dataclass(frozen=True)
class Film:
    """One numbered random sequence: the same number gives the same one.

    Attributes:
        index, seed: what gives it again.
        person: who.
        scene: the first frame's; later frames differ in pose and noise only.
        sequence: what the face does.
    """

    index: int
    seed: int
    person: Person
    scene: Scene
    sequence: Sequence

    def frames(self) -> Iterator[tuple[Scene, Picture]]:
        """Render frame after frame."""
        sensor = self.scene.sensor
        for i, (actions, pose) in enumerate(
            zip(self.sequence.actions, self.sequence.poses, strict=True)
        ):
            scene = replace(
                self.scene,
                pose=_sum(self.scene.pose, pose),
                # Noise changes from frame to frame.
                sensor=replace(sensor, seed=sensor.seed + i),
            )
            yield scene, render_face(self.person, actions, scene)


@dataclass(frozen=True)
class _Job:
    seed: int
    index: int
    size: int
    yaw: float
    seconds: float
    fps: float
    video: bool
    out: Path
    rows: Path
    events: Path


def random_film(
    seed: int, index: int, size: int, seconds: float, fps: float, *, yaw: float = 30.0
) -> Film:
    """Film ``index`` of the series ``seed``.

    Args:
        seed: the series; people of different series differ.
        index: which film of the series; each shows another person.
        size: side of the frames in pixels.
        seconds: length.
        fps: frames a second.
        yaw: largest turn in which the head is held, degrees; it moves about that.
    """
    random = np.random.default_rng([seed, index, _STREAM])
    sequence = random_sequence(random, seconds, fps)
    scene = random_scene(random, size, yaw=yaw)
    return Film(index, seed, random_person(person_seed(seed, index)), scene, sequence)


def generate_sequences(
    *,
    count: int,
    seed: int,
    size: int,
    out: Path,
    seconds: float = 4.0,
    fps: float = 25.0,
    yaw: float = 30.0,
    video: bool = False,
    overwrite: bool = False,
    workers: int | None = None,
) -> Path:
    """Render ``count`` sequences of different people into ``out`` and write their truth.

    A run that was cut off goes on with the sequences that are missing when it is called again.

    Args:
        count: how many sequences.
        seed: the same seed gives the same sequences; different seeds give different people.
        size: side of the frames in pixels, 32 to 2048.
        out: folder; gets ``seq_000000/frame_0000.png`` and so on, ``truth.csv`` with a row a frame
            and ``events.csv`` with a row for each coming and going of an action unit.
        seconds: length of each, 0.1 to 600.
        fps: frames a second, 1 to 240.
        yaw: largest turn in which the head is held, degrees, 0 to 60.
        video: also write ``seq_000000.mp4`` (MPEG-4).
        overwrite: replace earlier tables and their pictures.
        workers: processes; the machine's cores when None.

    Returns:
        Path of ``truth.csv``.

    Raises:
        ValueError: an argument is out of its range.
        FileExistsError: ``out`` holds a finished table, or an unfinished run with other settings,
            and ``overwrite`` is off.
    """
    check_ranges(count, seed, size, yaw)
    if not 0.1 <= seconds <= 600:
        raise ValueError(f"seconds is {seconds}; it must lie between 0.1 and 600")
    if not 1 <= fps <= 240:
        raise ValueError(f"fps is {fps}; it must lie between 1 and 240")
    table = out / TABLE
    settings: dict[str, object] = {
        "kind": "sequences", "seed": seed, "size": size, "yaw": yaw, "seconds": seconds,
        "fps": fps, "video": video,
    }  # fmt: skip
    parts = begin(table, settings, overwrite=overwrite)
    jobs = [
        _Job(
            seed, index, size, yaw, seconds, fps, video, out,
            parts.path(f"rows_{index:06d}.csv"), parts.path(f"events_{index:06d}.csv"),
        )
        for index in range(count)
    ]  # fmt: skip
    missing = [job for job in jobs if not job.rows.exists()]
    for _ in in_processes(_render, missing, "rendering", workers):
        pass
    parts.join_tables([job.events.name for job in jobs], out / EVENTS)
    parts.join_tables([job.rows.name for job in jobs], table)
    parts.remove()
    return table


def _render(job: _Job) -> None:
    film = random_film(job.seed, job.index, job.size, job.seconds, job.fps, yaw=job.yaw)
    name = f"seq_{job.index:06d}"
    folder = job.out / name
    folder.mkdir(exist_ok=True)
    known = {"seed": film.seed, "index": film.index, **person_truth(film.person)}
    known |= scene_truth(film.scene)
    writer = None
    if job.video:
        code = cv2.VideoWriter.fourcc(*"mp4v")
        path = str(job.out / f"{name}.mp4")
        writer = cv2.VideoWriter(path, code, job.fps, (job.size, job.size))
    rows: list[dict[str, Any]] = []
    sequence = film.sequence
    for i, (scene, picture) in enumerate(film.frames()):
        file = f"{name}/frame_{i:04d}.png"
        write_image(job.out / file, picture.image)
        if writer is not None:
            writer.write(np.ascontiguousarray(picture.image[..., ::-1]))
        rows.append(
            {
                "input": file,
                "sequence": name,
                "frame": i,
                "time": round(i / sequence.fps, 4),
                "emotion": emotion_name(int(sequence.emotions[i])),
                **known,
                **face_truth(sequence.actions[i], picture, scene.pose),
            }
        )
    if writer is not None:
        writer.release()
    write_rows(job.events, [_event_row(name, e) for e in sequence.events], EVENT_COLUMNS)
    # The table last: with it the sequence counts as finished.
    write_rows(job.rows, rows)


def _event_row(name: str, event: Event) -> dict[str, Any]:
    values = (name, event.unit, event.onset, event.apex, event.offset, event.end)
    peaks = (round(peak, 3) for peak in event.peak)
    return dict(zip(EVENT_COLUMNS, (*values, *peaks), strict=True))


def _sum(one: Pose, other: Pose) -> Pose:
    return Pose(one.pitch + other.pitch, one.yaw + other.yaw, one.roll + other.roll)
