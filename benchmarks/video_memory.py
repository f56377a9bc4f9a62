"""Peak memory of a long video beside a short one.

    python benchmarks/video_memory.py [--minutes 60] [--every 50] [--command]

One minute of the people of `examples/`, 320 x 240 at 10 frames a second, and the same minute again
and again, are each read by `Norface.analyze_video` in a process of its own; with `--command` by
`norface analyze`. Only one frame in `--every` is searched for faces, for the sake of time; all are
decoded. The longer one may take a tenth more.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
from video_speed import make_film, peak_memory, run_analyze

MOST_GROWTH = 1.1


def repeated(minute: Path, path: Path, times: int, seconds: float = 60) -> None:
    """The packets of a video, again and again, undecoded."""
    with av.open(str(path), "w") as out:
        stream = None
        for n in range(times):
            with av.open(str(minute)) as source:
                read = source.streams.video[0]
                if stream is None:
                    stream = out.add_stream_from_template(read)
                assert read.time_base is not None
                length = round(seconds / read.time_base)
                for packet in source.demux(read):
                    if packet.pts is None or packet.dts is None:
                        continue
                    packet.pts += n * length
                    packet.dts += n * length
                    packet.stream = stream
                    out.mux(packet)


def measure(video: Path, every: int, command: bool) -> dict[str, float]:
    """Read a video in this process."""
    started, frames, faces = time.process_time(), 0, 0
    if command:
        with tempfile.TemporaryDirectory() as folder:
            run_analyze(str(video), "--out", folder, "--every", str(every))
            (table,) = Path(folder).rglob("*.csv")
            with table.open() as rows:
                frames = faces = sum(1 for _ in rows) - 1
    else:
        from norface import Norface

        with Norface.load() as analyzer:
            for frame in analyzer.analyze_video(video, every=every):
                frames, faces = frames + 1, faces + len(frame.faces)
    return {
        "frames": frames, "faces": faces, "cpu": time.process_time() - started,
        "peak": peak_memory(),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--every", type=int, default=50)
    parser.add_argument("--command", action="store_true", help="norface analyze, not the API")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.every, arguments.command)))
        return 0
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        minute, long = Path(folder) / "minute.mp4", Path(folder) / "long.mp4"
        make_film(minute, 60, 320, 240, 10)
        repeated(minute, long, arguments.minutes)
        for label, video in (("1 minute", minute), (f"{arguments.minutes} minutes", long)):
            call = [sys.executable, __file__, "--measure", str(video)]
            call += ["--every", str(arguments.every), *(["--command"] * arguments.command)]
            done = subprocess.run(call, capture_output=True, text=True)
            if done.returncode:
                print(done.stderr)
                return 1
            result = json.loads(done.stdout.splitlines()[-1])
            peaks.append(result["peak"])
            print(
                f"{label:<12}{result['frames']:>7} frames{result['faces']:>7} faces"
                f"{result['cpu']:>8.1f} s CPU{result['peak'] / 1e6:>8.0f} MB",
                flush=True,
            )
    growth = peaks[1] / peaks[0]
    print(f"ratio {growth:.3f}, {'within' if growth <= MOST_GROWTH else 'ABOVE'} {MOST_GROWTH}")
    return int(growth > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
