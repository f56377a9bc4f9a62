"""Renders synfacs and packages the manifest against which everyone's rendering is compared.

Run once for each version of the benchmark, when the synthesis is final:

    python tools/freeze_synfacs.py FOLDER

A run that was cut off goes on where it stopped when it is started again. The 9,800 pictures
(about 1 GB) stay in FOLDER; what is to be committed is src/norface/synthesis/assets/synfacs_v1.npz.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from norface.synthesis.benchmark.build import build
from norface.synthesis.benchmark.design import SYNFACS_V1

ASSETS = Path(__file__).parents[1] / "src" / "norface" / "synthesis" / "assets"
LIMIT = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int)
    arguments = parser.parse_args()
    _, made = build(SYNFACS_V1, arguments.folder, manifest=None, workers=arguments.workers)
    path = ASSETS / f"{SYNFACS_V1.name.replace('-', '_')}.npz"
    made.save(path)
    size = path.stat().st_size
    print(f"{len(made.hashes)} pictures -> {path} ({size / 1e6:.2f} MB)")
    if size > LIMIT:
        raise SystemExit("The manifest is larger than a megabyte.")


if __name__ == "__main__":
    main()
