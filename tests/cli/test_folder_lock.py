"""One run at a time in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from norface.cli import folder_lock
from norface.cli.console import CommandError
from norface.cli.folder_lock import FolderLock
from norface.cli.results_folder import ResultsFolder
from norface.cli.work import engine
from norface.cli.work.units import WorkSettings


def test_a_folder_is_held_by_one_run(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.hold()
    with pytest.raises(CommandError, match="Another run is writing"):
        second.hold()
    assert (first.is_held, second.is_held) == (True, False)
    first.release()
    second.hold()
    assert second.is_held
    second.release()


def test_workers_that_outlive_their_run_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_lock, "_ORPHANS_SECONDS", 0.1)
    workers = [FolderLock(tmp_path), FolderLock(tmp_path)]
    for worker in workers:
        worker.join_in()
    with pytest.raises(CommandError, match="Processes of an earlier run"):
        FolderLock(tmp_path).hold()
    for worker in workers:
        worker.release()
    run = FolderLock(tmp_path)
    run.hold()
    run.release()


def test_a_worker_of_an_analysis_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_lock, "_ORPHANS_SECONDS", 0.1)
    monkeypatch.setattr(engine, "analyzer", lambda settings: None)
    results = ResultsFolder(tmp_path)
    results.work.mkdir()
    worker = engine.Analysis(WorkSettings(results=results))
    worker.begin()
    assert worker.lock is not None
    with pytest.raises(CommandError, match="Processes of an earlier run"):
        FolderLock(results.work).hold()
    worker.lock.release()
