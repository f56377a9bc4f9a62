"""How much of the readings of the ablation is the person, with and without normalization.

    python benchmarks/ablation.py --root synfacs --normalization F_NOR --out results/ablation
    python benchmarks/ablation_people.py --root synfacs --runs results/ablation

Only the test split's pictures that vary everything at once count (8 of each person): the others
repeat four expressions of each person, and what is common to repeated expressions would pass for
the person. Intensities; for each seed the rows stand beside *original* on the same draws of people.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from norface import facs
from norface.data.sample import DataSet
from norface.data.synfacs import SynfacsFaces, load_synfacs
from norface.evaluation.people import mean_shares
from norface.evaluation.people_compared import WAYS, People, people_of
from norface.evaluation.predictions import Predictions

FACTORS = ("pose", "light", "occlusion", "resolution")
FIRST = "original"


def people(labels: SynfacsFaces, runs: Path, rows: list[str], seed: int) -> People:
    """The person in the readings of one seed, as read and with the quantile baseline subtracted."""
    wild = np.all([labels.strata[factor] == "" for factor in FACTORS], axis=0)
    read = {}
    for row in rows:
        with np.load(runs / f"{row}_{seed}.npz", allow_pickle=False) as content:
            intensity = content["intensity"].astype(np.float64)
        read[row] = Predictions.of(
            "intensity",
            facs.ACTION_UNIT_NAMES,
            truth=labels.intensity[wild, :, 0],
            score=intensity[wild],
            path=np.flatnonzero(wild).astype(str),
            subject=np.char.add("person ", labels.person[wild].astype(str)),
        )
    return people_of(read, ("quantile",), DataSet(name="", root=Path(), samples=()))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of synfacs-v1")
    parser.add_argument("--runs", type=Path, required=True, help="OUT of benchmarks/ablation.py")
    parser.add_argument("--cache", type=Path, help="that benchmark's; default: RUNS/cache")
    parser.add_argument("--rows", nargs="+", default=[FIRST, "normalized", "both"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    labels = load_synfacs(options.root, "test", options.cache or options.runs / "cache")
    found = [people(labels, options.runs, options.rows, seed) for seed in options.seeds]
    print("| F_cla reads | expression | person | baseline subtracted | person, less original's |")
    print("|---|---|---|---|---|")
    for row in options.rows:
        less = f"{row}, {WAYS['quantile']}"
        cells = [
            ", ".join(f"{mean_shares(each.shares[row]).expression:.1%}" for each in found),
            ", ".join(f"{each.mean[row].value:.1%}" for each in found),
            ", ".join(f"{each.mean[less].value:.1%}" for each in found),
            "; ".join(
                f"{100 * f.value:+.1f} ({100 * f.low:+.1f}, {100 * f.high:+.1f})"
                for each in found
                if (f := each.change.get(row))
            ),
        ]
        print(f"| {row} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
