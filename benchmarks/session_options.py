"""What each setting of ONNX Runtime costs: CPU time a face of each network, and memory.

    python benchmarks/session_options.py [--weights FOLDER ...] [--repeats 15]

Settings are timed in turn and the least time of each is shown, in milliseconds of CPU time (all
threads) a face: what else the machine does counts for all. Give several folders to compare
precisions (`norface export --precision`). Networks are fed noise. `memory` is what running all
networks of a folder on 8 faces adds to a fresh process, in megabytes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from video_speed import peak_memory

from norface.runtime.places import DEFAULT_WEIGHTS

LEVELS = ort.GraphOptimizationLevel
# What norface.runtime.sessions sets stands first; each other line changes one thing.
SETTINGS: dict[str, dict[str, Any]] = {
    "as norface sets it": {},
    "2 threads, not spinning": {"threads": 2},
    "2 threads, spinning": {"threads": 2, "spinning": "1"},
    "optimization: extended": {"level": LEVELS.ORT_ENABLE_EXTENDED},
    "optimization: basic": {"level": LEVELS.ORT_ENABLE_BASIC},
    "optimization: none": {"level": LEVELS.ORT_DISABLE_ALL},
    "no memory arena": {"arena": False},
    "no memory pattern": {"pattern": False},
    "weights not repacked": {"prepacking": "1"},
}
BATCHES = (1, 2, 4, 8, 16)


def session(
    path: Path,
    *,
    threads: int = 1,
    level: Any = LEVELS.ORT_ENABLE_ALL,
    spinning: str = "0",
    arena: bool = True,
    pattern: bool = True,
    prepacking: str = "0",
) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = level
    options.enable_cpu_mem_arena = arena
    options.enable_mem_pattern = pattern
    options.add_session_config_entry("session.intra_op.allow_spinning", spinning)
    options.add_session_config_entry("session.disable_prepacking", prepacking)
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def noise(opened: ort.InferenceSession, faces: int) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(0)
    feed = {}
    for node in opened.get_inputs():
        shape = [faces if isinstance(side, str) else side for side in node.shape]
        feed[node.name] = random.random(shape, np.float32)
    return feed


def cpu_ms(sessions: list[ort.InferenceSession], faces: int, repeats: int) -> list[float]:
    """Least CPU time a face of each, run in turn."""
    best = [np.inf] * len(sessions)
    feeds = [noise(opened, faces) for opened in sessions]
    for repeat in range(repeats + 1):
        for i, (opened, feed) in enumerate(zip(sessions, feeds, strict=True)):
            started = time.process_time()
            opened.run(None, feed)
            if repeat:
                best[i] = min(best[i], 1e3 * (time.process_time() - started) / faces)
    return best


def _added(folder: Path, setting: dict[str, Any]) -> float:
    before = peak_memory()
    opened = [session(path, **setting) for path in sorted(folder.glob("*.onnx"))]
    for each in opened:
        for _ in range(3):
            each.run(None, noise(each, 8))
    return (peak_memory() - before) / 1e6


def memory(folder: Path, setting: dict[str, Any]) -> float:
    """Megabytes that the networks add to a process of their own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_added, (folder, setting))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", nargs="+", type=Path, default=[DEFAULT_WEIGHTS])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--memory", action="store_true", help="measure memory as well")
    arguments = parser.parse_args()

    first = arguments.weights[0]
    names = sorted(path.name for path in first.glob("*.onnx"))
    print(f"CPU ms a face, one thread, by faces at once\n{'':<32}" + "".join(
        f"{faces:>8}" for faces in BATCHES
    ))  # fmt: skip
    for name in names:
        folders = [folder for folder in arguments.weights if (folder / name).is_file()]
        opened = [session(folder / name) for folder in folders]
        columns = [cpu_ms(opened, faces, arguments.repeats) for faces in BATCHES]
        for i, folder in enumerate(folders):
            values = "".join(f"{column[i]:>8.2f}" for column in columns)
            print(f"{name:<20}{folder.name:<12}{values}", flush=True)

    print(f"\nCPU ms a face, 8 faces at once, {first.name}\n{'':<26}" + "".join(
        f"{name.removesuffix('.onnx'):>14}" for name in names
    ) + f"{'memory' if arguments.memory else '':>8}")  # fmt: skip
    table = [
        cpu_ms([session(first / name, **s) for s in SETTINGS.values()], 8, arguments.repeats)
        for name in names
    ]
    for i, (label, setting) in enumerate(SETTINGS.items()):
        added = f"{memory(first, setting):>8.0f}" if arguments.memory else ""
        print(f"{label:<26}" + "".join(f"{row[i]:>14.2f}" for row in table) + added, flush=True)


if __name__ == "__main__":
    main()
