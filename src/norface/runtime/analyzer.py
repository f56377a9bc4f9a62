"""From a picture to everything that norface reads from the faces in it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from os import PathLike
from types import TracebackType

import numpy as np

from norface.faces.align import align
from norface.faces.find import FaceFinder
from norface.faces.identity import IdentityEmbedder
from norface.faces.smoothing import Mode
from norface.media.images import ImageError
from norface.media.video import Video
from norface.results import FaceAnalysis, FrameAnalysis, UInt8Image
from norface.runtime.corrections import BaselineMode, Corrections, Rest, corrected
from norface.runtime.following import Follower, People
from norface.runtime.networks import FaceNetworks
from norface.runtime.normalizer import Normalizer
from norface.runtime.picture_reading import (
    Outcome,
    Picture,
    ToCome,
    read_picture,
    read_pictures,
)
from norface.runtime.providers import Device
from norface.runtime.reader import load_readers
from norface.runtime.sessions import Weights
from norface.runtime.video_reading import Checkpoint, Selection, read_video


class Norface:
    """Finds, normalizes and reads faces. Use as a context manager, or call `close`.

    Not for several threads at once: give each its own.
    """

    def __init__(self, *, finder: FaceFinder, networks: FaceNetworks) -> None:
        """Compose an analyzer; `load` is what one usually wants.

        Args:
            finder: finds the faces; closed with the analyzer.
            networks: read them.
        """
        self._finder = finder
        self._networks = networks
        self._followers: list[FaceFinder] = []
        self._embedder: IdentityEmbedder | None = None

    @classmethod
    def load(
        cls,
        *,
        weights: str | PathLike[str] | None = None,
        target: Picture | None = None,
        minimum_confidence: float = 0.5,
        minimum_face_width: float = 32.0,
        threads: int | None = None,
        scores: bool = True,
        device: Device = "auto",
    ) -> Norface:
        """Load the networks.

        Args:
            weights: a folder of weights, or a name: ``"default"``, or that of a folder in
                `norface.runtime.places.user_weights`; None for those that come with norface.
            target: a picture of the face that the normalized faces show; None for the common
                face. Scores do not depend on it: they are always read from the common face.
            minimum_confidence: of the finder, 0 to 1, for a face to count.
            minimum_face_width: in pixels; smaller faces are left out.
            threads: how many the networks may use; None for every core.
            scores: whether to read action units and emotions; normalizing alone is quicker.
            device: what they run on: ``auto``, ``cpu``, ``cuda``, ``openvino`` or ``coreml``. Faces
                are always found on the processor.

        Raises:
            WeightsError: the weights are missing or damaged.
            DeviceError: the device cannot be used.
            ImageError: the target cannot be read, or shows no face.
            ValueError: an option is out of its range.
        """
        opened = Weights(weights, device=device)
        normalizer = Normalizer.load(opened, threads=threads)
        readers = load_readers(opened) if scores else []
        units = opened.manifest.units
        thresholds = [opened.manifest.thresholds.get(unit, 0.5) for unit in units]
        finder = FaceFinder(
            minimum_confidence=minimum_confidence,
            minimum_face_width=minimum_face_width,
            threads=threads,
        )
        try:
            # Loads what the finder would otherwise load at the first face.
            finder.landmark_crop(np.zeros((64, 64, 3), np.uint8))
            finder.find(np.zeros((64, 64, 3), np.uint8))
            renderer = None
            if target is not None:
                renderer = normalizer.with_target(_target_face(target, finder, normalizer))
        except BaseException:
            finder.close()
            raise
        networks = FaceNetworks(
            normalizer=normalizer,
            readers=readers,
            thresholds=np.array(thresholds, np.float32),
            units=units,
            renderer=renderer,
        )
        return cls(finder=finder, networks=networks)

    @property
    def target(self) -> UInt8Image:
        """The face that the normalized faces show: (256, 256, 3) uint8 RGB."""
        return self._networks.target

    @property
    def reads_action_units(self) -> bool:
        """Whether the weights hold a network for action units; else faces have none."""
        return self._networks.reads_action_units

    @property
    def action_units(self) -> tuple[str, ...]:
        """The action units of the weights, in the order of a table's columns."""
        return self._networks.action_units

    @property
    def thresholds(self) -> dict[str, float]:
        """By action unit, the probability from which it is called present."""
        return self._networks.thresholds

    @property
    def reads_emotions(self) -> bool:
        """Whether the weights hold a network for emotions; else faces have none."""
        return self._networks.reads_emotions

    def analyze(self, picture: Picture) -> list[FaceAnalysis]:
        """Every face of a picture, the largest first; an empty list when there is none.

        Args:
            picture: a file's path, an (H, W), (H, W, 3) or (H, W, 4) array in RGB order, or a
                PIL image.

        Raises:
            ImageError: the picture cannot be read; the message says why.
        """
        image = read_picture(picture)
        return self._networks.read(self._networks.crops(image, self._finder.find(image)))

    def analyze_batch(self, pictures: Iterable[Picture]) -> Iterator[list[FaceAnalysis]]:
        """What `analyze` gives for each of many pictures, to the bit, in less time.

        Faces of several pictures are read together, while the next pictures are read and searched.

        Args:
            pictures: as for `analyze`; taken one by one, so there may be any number.

        Raises:
            ImageError: a picture cannot be read; what came before it was given.
        """
        with closing(self.outcomes(pictures)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome.faces, Exception):
                    raise outcome.faces
                yield list(outcome.faces)

    def outcomes(
        self, pictures: Iterable[Picture | ToCome], *, keep_images: bool = False
    ) -> Generator[Outcome, None, None]:
        """As `analyze_batch`, but a picture that fails gives its error and stops no other.

        Args:
            pictures: as for `analyze`; or functions that read them when their turn has come.
            keep_images: give the pictures back as well.
        """
        return read_pictures(pictures, self._finder, self._networks, keep_images=keep_images)

    def analyze_video(
        self,
        source: str | PathLike[str] | int,
        *,
        start: float | None = None,
        stop: float | None = None,
        every: int = 1,
        rate: float | None = None,
        people: People = "track",
        smoothing: Mode = "off",
        baseline: BaselineMode = "off",
        keep_images: bool = False,
    ) -> Iterator[FrameAnalysis]:
        """The frames of a video, each with its faces; a frame without a face as well.

        Decoding, finding and reading overlap, and what is in memory does not depend on how long
        the video is. The numbers of the faces (``face_id``) are those of people.

        Args:
            source: a file; an address (``rtsp://...``); the number of a camera.
            start: seconds; earlier frames are left out.
            stop: seconds; this and later frames are left out.
            every: of n frames one.
            rate: at most so many frames a second.
            people: ``track`` within a shot, ``link`` across cuts and absences as well (biometric;
                needs the extra ``people``), or ``none``: faces are numbered in each frame anew.
            smoothing: ``off``; ``causal``, from the past alone; or ``centred``.
            baseline: a person's resting readings are taken away: ``off``; ``running``, those of
                the frames so far; or ``file``, those of the whole file, which is read twice.
            keep_images: give the frames themselves as well.

        Raises:
            VideoError: the source cannot be read; the message says why.
            ValueError: an option is out of its range.
            MissingExtraError: what links people is not installed.
        """
        selection = Selection(start=start, stop=stop, every=every, rate=rate)
        corrections = Corrections(
            smoothing=smoothing, baseline=baseline, thresholds=self.thresholds
        )

        def frames(images: bool) -> Generator[FrameAnalysis, None, None]:
            with (
                Video.open(source) as video,
                closing(self.segments(video, selection, people, keep_images=images)) as items,
            ):
                if video.live and baseline == "file":
                    raise ValueError(f"{video.name} has no whole file: take the baseline running")
                yield from (item for item in items if isinstance(item, FrameAnalysis))

        def result() -> Iterator[FrameAnalysis]:
            rest = None
            if baseline == "file":
                rest = Rest()
                for frame in frames(False):
                    rest.observe(frame)
            with closing(frames(keep_images)) as read:
                yield from corrected(read, corrections, rest)

        return result()

    def segments(
        self,
        video: Video,
        selection: Selection,
        people: People = "track",
        *,
        after: Checkpoint | None = None,
        keep_images: bool = False,
    ) -> Generator[FrameAnalysis | Checkpoint, None, None]:
        """As `analyze_video`, uncorrected, with the places from which to go on another time.

        See `norface.runtime.video_reading.read_video` for the arguments.
        """
        embedder = None
        if people == "link":
            embedder = self._embedder = self._embedder or IdentityEmbedder()
        # A finder of its own: pictures may be analyzed while a video is.
        finder = self._followers.pop() if self._followers else self._finder.another()
        try:
            follower = Follower(finder=finder, people=people, embedder=embedder)
            with closing(
                read_video(
                    video,
                    self._networks,
                    follower,
                    selection,
                    after=after,
                    keep_images=keep_images,
                )
            ) as items:
                yield from items
        finally:
            self._followers.append(finder)

    def close(self) -> None:
        """Free what the face finder holds. The analyzer cannot be used afterwards."""
        self._finder.close()
        for finder in self._followers:
            finder.close()

    def __enter__(self) -> Norface:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _target_face(picture: Picture, finder: FaceFinder, normalizer: Normalizer) -> UInt8Image:
    image = read_picture(picture)
    faces = finder.find(image)
    if not faces:
        raise ImageError(
            "No face was found in the target picture. Take one that shows a face from the front."
        )
    return align(image, faces[0].points, size=normalizer.target.shape[0]).image
