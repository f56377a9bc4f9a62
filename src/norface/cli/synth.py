"""``norface synth``: rendered faces and their truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from norface.cli.console import FAILURE, SUCCESS, WRONG_COMMAND, CommandError, messages, output
from norface.synthesis.benchmark.build import build
from norface.synthesis.benchmark.design import DESIGNS, RESERVED_SERIES
from norface.synthesis.benchmark.manifest import packaged_manifest
from norface.synthesis.generate import generate
from norface.synthesis.generate_sequences import generate_sequences
from norface.synthesis.shard_format import DEFAULT_CROP
from norface.synthesis.shards import write_training_shards

_Flag = Annotated[bool, tyro.conf.arg(help_behavior_hint="")]


def synth(
    *,
    out: Path,
    count: int = 0,
    sequences: int = 0,
    benchmark: Annotated[Literal["synfacs-v1"] | None, tyro.conf.arg(help_behavior_hint="")] = None,
    seed: int = 0,
    size: int = 256,
    yaw: float = 30.0,
    truth: Literal["table", "full"] = "table",
    seconds: float = 4.0,
    fps: float = 25.0,
    video: _Flag = False,
    overwrite: _Flag = False,
    shards: _Flag = False,
    crop: int = DEFAULT_CROP,
    skins: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="")] = None,
) -> int:
    """Render faces of people who do not exist, with the exact truth of each.

    Writes face_000000.png and so on, and truth.csv. With --sequences, faces over time: folders
    seq_000000 with frame_0000.png and so on, truth.csv and events.csv. With --benchmark, the fixed
    pictures of a published benchmark, each compared with the published one: exit code 1 when one
    differs. A run that was cut off goes on where it stopped when it is started again.

    Args:
        out: Folder for them.
        count: How many faces.
        sequences: How many sequences, instead of --count.
        benchmark: The benchmark, instead of --count; of the other options only --out counts.
        seed: The same seed gives the same faces, another seed other people.
        size: Side of the pictures in pixels.
        yaw: Largest turn of the head in degrees.
        truth: full also writes what each pixel shows, the common face with the same expression, and
            landmarks.npy.
        seconds: Length of each sequence.
        fps: Frames a second of the sequences.
        video: Also write each sequence as an MP4 file.
        overwrite: Replace an earlier truth.csv and its pictures.
        shards: Write shards to train on instead; those that exist are kept.
        crop: Side of the aligned faces in shards, in pixels: what the network to train reads,
            128 for the preset tiny and 256 for base.
        skins: Skins of portraits, made by `norface train prepare-skins`, for half of the people;
            only with --shards.
    """
    if (count > 0) + (sequences > 0) + (benchmark is not None) != 1:
        raise CommandError("Give one of --count, --sequences and --benchmark.", code=WRONG_COMMAND)
    if shards and not count:
        raise CommandError("--shards goes with --count.", code=WRONG_COMMAND)
    if skins is not None and not shards:
        raise CommandError("--skins goes with --shards.", code=WRONG_COMMAND)
    if skins is not None and not skins.is_file():
        raise CommandError(
            f"{skins} is missing: make it with `norface train prepare-skins`.", code=WRONG_COMMAND
        )
    if benchmark is not None:
        return _benchmark(benchmark, out)
    if seed in RESERVED_SERIES:
        raise CommandError(
            f"The people of seed {seed} belong to a benchmark. Choose another.", code=WRONG_COMMAND
        )
    try:
        if shards:
            found = write_training_shards(out, count, seed, yaw=yaw, crop=crop, skins=skins)
            output().print(f"{found} faces -> {out}", soft_wrap=True)
        elif sequences:
            table = generate_sequences(
                count=sequences, seed=seed, size=size, out=out, seconds=seconds, fps=fps, yaw=yaw,
                video=video, overwrite=overwrite,
            )  # fmt: skip
            output().print(f"{sequences} sequences -> {table}", soft_wrap=True)
        else:
            table = generate(
                count=count, seed=seed, size=size, out=out, yaw=yaw, truth_level=truth,
                overwrite=overwrite,
            )  # fmt: skip
            output().print(f"{count} faces -> {table}", soft_wrap=True)
    except (ValueError, FileExistsError) as error:
        raise CommandError(str(error), code=WRONG_COMMAND) from error
    return SUCCESS


def _benchmark(name: str, out: Path) -> int:
    try:
        verdict, made = build(DESIGNS[name], out, manifest=packaged_manifest(name))
    except KeyboardInterrupt:
        messages().print(f"What was rendered is kept in {out}; the same command goes on there.")
        raise
    except OSError as error:
        raise CommandError(str(error)) from error
    different = verdict.word == "different"
    output().print(f"{len(made.hashes)} pictures -> {out}", soft_wrap=True)
    output().print(
        f"{verdict.word}: {verdict.reason}",
        style="bold red" if different else "bold green",
        soft_wrap=True,
    )
    return FAILURE if different else SUCCESS
