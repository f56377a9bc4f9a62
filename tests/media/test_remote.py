from __future__ import annotations

import errno
import pickle
import tempfile
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from norface.media import video_source
from norface.media.images import SUFFIXES
from norface.media.remote import (
    RemoteError,
    UnavailableError,
    fetched,
    is_remote,
    list_remote,
    shown,
)

SECRET = "pa55/w0rd"


class Leaky(MemoryFileSystem):
    """Tells in its errors what it was opened with."""

    protocol = "leaky"
    store: dict = {}  # noqa: RUF012  Apart from that of memory://.
    said = OSError

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("leaky://").rpartition("@")[2].partition("?")[0].strip("/")

    def get_file(self, rpath: str, lpath: str, **kwargs: object) -> None:
        Path(lpath).write_bytes(b"half")
        raise self.said(f"GET https://me:{SECRET}@host/x?sig=S1GN failed for {rpath}")


class Locked(LocalFileSystem):
    """Lists no folder called locked."""

    protocol = "locked"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.removeprefix("locked://").rstrip("/")

    def ls(self, path: str, detail: bool = False, **kwargs: object) -> list:
        if path.rstrip("/").endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return super().ls(path, detail=detail, **kwargs)


fsspec.register_implementation("leaky", Leaky, clobber=True)
fsspec.register_implementation("locked", Locked, clobber=True)


@pytest.fixture
def memory() -> MemoryFileSystem:
    system = MemoryFileSystem()
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    return system


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("s3://bucket/x.jpg", True),
        ("GS://bucket/x", True),
        ("sftp://host/x", True),
        ("http://host/x.mp4", False),
        ("RTSP://host/x", False),
        ("file:///x.mp4", False),
        ("udp://@:1234", False),
        ("C:/x.jpg", False),
        ("x.jpg", False),
    ],
)
def test_what_ffmpeg_reads_itself_stays_a_stream(text: str, answer: bool) -> None:
    assert is_remote(text) is answer
    assert video_source.is_address(text) is ("://" in text)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("s3://bucket/a/b.jpg", "s3://bucket/a/b.jpg"),
        ("S3://bucket/", "s3://bucket/"),
        ("sftp://me:secret@host:22/me@home.jpg", "sftp://host:22/me@home.jpg"),
        ("sftp://token@host/x", "sftp://host/x"),
        ("sftp://me:sec@ret@host/x", "sftp://host/x"),
        ("s3://KEY:SEC/RET@bucket/x", "s3://bucket/x"),
        ("sftp://host:22/me@home.jpg", "sftp://host:22/me@home.jpg"),
        ("az://box/x.jpg?sig=secret", "az://box/x.jpg"),
        ("abfs://box@account.net/x", "abfs://box@account.net/x"),
        ("abfs://box:secret@account.net/x", "abfs://account.net/x"),
    ],
)
def test_secrets_are_not_shown(address: str, name: str) -> None:
    assert shown(address) == name


def test_a_folder_is_listed_as_one_on_a_disk_is(memory: MemoryFileSystem) -> None:
    wanted = ["B.JPG", "a.jpg", "a/b.jpg", "a/c/x.png", "a b#1?.jpg"]
    for name in (*wanted, ".hidden/x.jpg", "a/.x.jpg", "notes.txt", "a/../../up.jpg"):
        memory.store["/bucket/in/" + name] = fsspec.implementations.memory.MemoryFile(
            memory, name, b"12345"
        )
    listing = list_remote("memory://bucket/in/", SUFFIXES)
    order = sorted(wanted, key=lambda name: Path(name).parts)
    assert [str(file.below) for file in listing.files] == order
    assert [file.name for file in listing.files] == [f"memory://bucket/in/{n}" for n in order]
    assert (listing.is_folder, listing.folder) == (True, "in")
    assert {file.size for file in listing.files} == {5}
    assert all(file.version for file in listing.files)


def test_all_of_a_file_system_is_listed(memory: MemoryFileSystem) -> None:
    memory.pipe("/in/x.jpg", b"1")
    listing = list_remote("memory://", SUFFIXES)
    assert [(file.name, str(file.below)) for file in listing.files] == [
        ("memory://in/x.jpg", "in/x.jpg")
    ]


def test_a_file_is_taken_whatever_its_name(memory: MemoryFileSystem) -> None:
    memory.pipe("/bucket/in/x.dat", b"1")
    listing = list_remote("memory://bucket/in/x.dat", SUFFIXES)
    assert [(file.name, str(file.below)) for file in listing.files] == [
        ("memory://bucket/in/x.dat", "x.dat")
    ]
    assert (listing.is_folder, listing.folder) == (False, "in")


def test_what_changed_has_another_version(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(b"1")
    (before,) = list_remote(f"local://{path}", SUFFIXES).files
    path.write_bytes(b"2")
    (after,) = list_remote(f"local://{path}", SUFFIXES).files
    assert before.size == after.size
    assert before.version != after.version


def test_what_is_not_there_or_cannot_be_listed_is_told(
    memory: MemoryFileSystem, tmp_path: Path
) -> None:
    with pytest.raises(RemoteError, match="There is no such file or folder"):
        list_remote("memory://nowhere/x", SUFFIXES)
    with pytest.raises(RemoteError, match="::"):
        list_remote("zip://x.jpg::memory://x.zip", SUFFIXES)
    (tmp_path / "in" / "locked").mkdir(parents=True)
    (tmp_path / "in" / "x.jpg").touch()
    # As of a local folder: not half of what is there.
    with pytest.raises(RemoteError, match="not permitted"):
        list_remote(f"locked://{tmp_path}/in", SUFFIXES)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.registry import known_implementations

    missing = {"class": "nowhere_to_be.Found", "err": "Install nowhere to use it"}
    monkeypatch.setitem(known_implementations, "nowhere", missing)
    with pytest.raises(UnavailableError, match="Install nowhere"):
        list_remote("nowhere://x", SUFFIXES)
    with pytest.raises(UnavailableError, match="neither a stream nor"):
        list_remote("unheard-of://x", SUFFIXES)
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(UnavailableError, match=r"norface\[remote\]"):
        list_remote("s3://x", SUFFIXES)


def test_a_file_is_there_as_long_as_it_is_needed(memory: MemoryFileSystem) -> None:
    memory.pipe("/bucket/x.jpg", b"content")
    (file,) = list_remote("memory://bucket/x.jpg", SUFFIXES).files
    with fetched(pickle.loads(pickle.dumps(file))) as path:
        assert path.read_bytes() == b"content"
        assert path.suffix == ".jpg"
    assert not path.exists()
    memory.rm("/bucket/x.jpg")
    with pytest.raises(RemoteError, match="not there any more"), fetched(file):
        pass
    assert not list(Path(tempfile.gettempdir()).iterdir())


def test_no_room_for_a_file_is_told(
    memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    memory.pipe("/bucket/x.jpg", b"content")
    (file,) = list_remote("memory://bucket/x.jpg", SUFFIXES).files
    monkeypatch.setattr(MemoryFileSystem, "get_file", full)
    with pytest.raises(RemoteError, match="TMPDIR"), fetched(file):
        pass


@pytest.mark.parametrize("error", [OSError, PermissionError, ConnectionResetError, TimeoutError])
def test_no_reason_holds_a_secret(error: type[OSError], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Leaky, "said", error)
    Leaky().pipe("/host/x.jpg", b"1")
    for address in (f"leaky://me:{SECRET}@host/x.jpg?sig=S1GN", "leaky://host/x.jpg"):
        (file,) = list_remote(address, SUFFIXES).files
        assert file.name == "leaky://host/x.jpg"
        with (
            pytest.raises(RemoteError, match="cannot be fetched") as told,
            fetched(file),
        ):
            pass
        said = f"{told.value!r} {file!r}"
        assert "S1GN" not in said
        assert SECRET not in said
    assert not list(Path(tempfile.gettempdir()).iterdir())
