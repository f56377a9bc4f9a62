"""Draw docs/images/timelines.png: what norface reads from a rendered film of one person.

python docs/figures/timelines.py
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

from norface import Norface
from norface.cli import main as norface
from norface.media.images import read_image
from norface.tables.events import EventRule
from norface.tables.opening import open_table
from norface.tables.styles import FramePlace, style_columns, video_row
from norface.tables.timelines import draw_timelines, most_active
from norface.tables.tracks import read_tracks

ROOT = Path(__file__).parents[2]
SEED, SECONDS = 5, 10


def main() -> None:
    """Render the film, read each frame, write the table, draw it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = ["synth", "--sequences", "1", "--seconds", str(SECONDS), "--seed", str(SEED)]
        assert norface([*film, "--out", str(folder)]) == 0
        table = folder / "faces.csv"
        with (
            Norface.load() as reader,
            (folder / "truth.csv").open(newline="") as truth,
            open_table(table, style_columns("norface")) as rows,
        ):
            for row in csv.DictReader(truth):
                frame = int(row["frame"])
                image = read_image(folder / row["sequence"] / f"frame_{frame:04d}.png")
                height, width = image.shape[:2]
                place = FramePlace("film.mp4", frame, float(row["time"]), (width, height))
                for face in reader.analyze(image)[:1] or (None,):
                    rows.write(video_row("norface", place, face))
        tracks = read_tracks(table)
        units = most_active(tracks, EventRule(), 6)
        draw_timelines(tracks, ROOT / "docs" / "images" / "timelines.png", units=units)


if __name__ == "__main__":
    main()
