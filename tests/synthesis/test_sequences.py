"""Faces over time: smooth, with blinks, and with events that say what the frames show."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from norface.facs import ACTION_INDEX, ACTION_UNIT_NAMES, FACIAL_ACTIONS
from norface.synthesis.expressions.sequences import (
    BLINK,
    BLINKS_A_MINUTE,
    FAINTEST,
    Sequence,
    ramp,
    random_sequence,
)
from norface.synthesis.expressions.units import action_unit_intensities
from norface.synthesis.generate_sequences import generate_sequences, random_film

FPS = 50.0


@pytest.fixture(scope="module")
def sequences() -> list[Sequence]:
    return [random_sequence(np.random.default_rng(seed), 20, FPS) for seed in range(30)]


def test_a_sequence_has_its_length_and_range(sequences: list[Sequence]) -> None:
    for sequence in sequences:
        assert sequence.actions.shape == (1000, len(FACIAL_ACTIONS))
        assert len(sequence.poses) == len(sequence.emotions) == 1000
        assert 0 <= sequence.actions.min() <= sequence.actions.max() <= 1
        assert sequence.times[50] == pytest.approx(1.0)
    assert len(random_sequence(np.random.default_rng(0), 0.1, 10).actions) == 1


def test_the_same_seed_gives_the_same_sequence(sequences: list[Sequence]) -> None:
    again = random_sequence(np.random.default_rng(3), 20, FPS)
    assert np.array_equal(again.actions, sequences[3].actions)
    assert again.events == sequences[3].events


def test_faces_and_heads_move_smoothly(sequences: list[Sequence]) -> None:
    slow = [i for i, name in enumerate(FACIAL_ACTIONS) if not name.startswith("eye")]
    for sequence in sequences:
        # Nothing but lids and gaze goes from rest to full within a tenth of a second.
        assert np.abs(np.diff(sequence.actions[:, slow], axis=0)).max() < 0.2
        turns = np.array([(p.pitch, p.yaw, p.roll) for p in sequence.poses])
        assert np.abs(np.diff(turns, axis=0)).max() * FPS < 90  # degrees a second
        assert turns.std(axis=0).max() > 0.05


def test_people_blink_as_often_as_people_do(sequences: list[Sequence]) -> None:
    blinks = [e for sequence in sequences for e in sequence.events if e.unit == BLINK]
    rate = len(blinks) / (30 * 20 / 60)
    assert rate == pytest.approx(BLINKS_A_MINUTE, abs=4)
    lengths = np.array([e.end - e.onset for e in blinks if e.end < 1000]) / FPS
    assert lengths.min() >= 0.12
    assert lengths.max() <= 0.34


def test_events_say_what_the_frames_show(sequences: list[Sequence]) -> None:
    counted = 0
    for sequence in sequences[:6]:
        units = np.stack([action_unit_intensities(a, 0.0)[:, 0] for a in sequence.actions])
        for event in sequence.events:
            assert 0 <= event.onset <= event.apex <= event.offset <= event.end <= 1000
            assert max(event.peak[1:]) >= FAINTEST
            if event.unit == BLINK or event.apex >= event.offset:
                continue
            if event.unit == "AU28" or (event.unit.startswith("AU6") and event.unit != "AU06"):
                continue
            counted += 1
            shown = units[event.apex : event.offset, ACTION_UNIT_NAMES.index(event.unit)]
            # Talking and blinking come on top; nothing takes away but a blink from a wide eye.
            if event.unit != "AU05":
                assert shown.min() > event.peak[0] - 0.15, event
            before = units[max(event.onset - 1, 0), ACTION_UNIT_NAMES.index(event.unit)]
            assert event.onset == 0 or before < event.peak[0] + 5
    assert counted > 60


def test_neutral_is_a_face_at_rest(sequences: list[Sequence]) -> None:
    slow = [i for i, name in enumerate(FACIAL_ACTIONS) if not name.startswith("eye")]
    emotions = np.concatenate([s.emotions for s in sequences])
    strongest = np.concatenate([s.actions[:, slow].max(axis=1) for s in sequences])
    assert (strongest[emotions == 0] <= 0.12).all()
    assert (emotions == 0).mean() > 0.05
    assert len(set(emotions[emotions > 0])) > 4


def test_ramps_rise_smoothly() -> None:
    rise = ramp(np.linspace(0, 1, 101), 0.2, 0.8)
    assert rise[20] == 0
    assert rise[50] == pytest.approx(0.5)
    assert rise[80] == pytest.approx(1)
    assert (np.diff(rise) >= 0).all()


def test_gaze_jumps_and_rests(sequences: list[Sequence]) -> None:
    looks = np.concatenate([s.actions[:, ACTION_INDEX["eyeLookOutLeft"]] for s in sequences])
    still = np.abs(np.diff(looks)) < 1e-6
    assert still.mean() > 0.8
    assert looks.max() > 0.4


@pytest.mark.usefixtures("in_this_process")
def test_generate_sequences_writes_frames_and_tables(tmp_path: Path) -> None:
    table = generate_sequences(
        count=1, seed=2, size=48, seconds=0.5, fps=10, video=True, out=tmp_path
    )
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["input"] for row in rows] == [f"seq_000000/frame_{i:04d}.png" for i in range(5)]
    assert [float(row["time"]) for row in rows] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert len({row["age"] for row in rows}) == 1
    assert all((tmp_path / row["input"]).exists() for row in rows)
    assert (tmp_path / "seq_000000.mp4").stat().st_size > 500
    film = random_film(2, 0, 48, 0.5, 10)
    events = list(csv.DictReader((tmp_path / "events.csv").read_text().splitlines()))
    assert [e["action_unit"] for e in events] == [e.unit for e in film.sequence.events]
    assert float(rows[2]["jawOpen"]) == pytest.approx(
        film.sequence.actions[2, ACTION_INDEX["jawOpen"]], abs=1e-3
    )
    with pytest.raises(FileExistsError, match="overwrite"):
        generate_sequences(count=1, seed=2, size=48, out=tmp_path)
    with pytest.raises(ValueError, match="fps"):
        generate_sequences(count=1, seed=2, size=48, fps=0.5, out=tmp_path / "other")
