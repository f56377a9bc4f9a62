"""Files that lie elsewhere (``s3://...``): listed, and fetched one by one, through fsspec."""

from __future__ import annotations

import errno
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote

from norface.media import images, video_source
from norface.media.private_folder import private_folder

_CONTAINER_FIRST: Final = frozenset({"abfs", "abfss"})
"""Protocols whose addresses name a container, not a user, before the @."""

_SECRET: Final = re.compile(r"[^/]*@|[^/:@]*:(?!\d*(?:/|$)).*@")
"""Who asks: up to the last @ of the host; or, where a secret holds a slash, of the address."""

_IN_TEXT: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s'\"<>]+")

_VERSIONS: Final = (
    # What object stores and file systems call it, the surest first.
    "ETag", "etag", "LastModified", "last_modified", "updated", "mtime", "modified", "created",
)  # fmt: skip
_PLAIN: Final = (
    # (what is in the name of an error, what that means); each protocol has errors of its own.
    ("Credential", "no credentials"),
    ("Timeout", "no answer in time"),
    ("Connect", "no connection"),
)
_LONGEST_REASON: Final = 300


class RemoteError(ValueError):
    """Something elsewhere cannot be listed or fetched; the message never holds a secret."""


class UnavailableError(ValueError):
    """A package is missing that a protocol needs; the message says which."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that lies elsewhere.

    Attributes:
        name: its address as tables and messages show it: without user, password and query.
        below: its place below the folder that was named, or its name.
        size: bytes; None where unknown.
        version: changes when the file does; None where unknown.
        address: what the user gave, secrets included.
        path: of the file in the file system that the address leads to.
    """

    name: str
    below: PurePosixPath
    size: int | None
    version: str | None
    address: str = field(repr=False)
    path: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """What an address comes to.

    Attributes:
        is_folder: whether it names a folder.
        folder: the name of that folder, or of the one that holds the file.
        files: those that lie there, in the order of their names.
    """

    is_folder: bool
    folder: str
    files: tuple[RemoteFile, ...]


def is_remote(text: str) -> bool:
    """Whether this is an address, and none that FFmpeg reads itself."""
    return video_source.is_address(text) and _protocol(text) not in video_source.PROTOCOLS


def shown(address: str) -> str:
    """An address without user, password and query."""
    protocol, _, rest = address.partition("://")
    rest = rest.partition("?")[0]
    found = _SECRET.match(rest)
    if found is None or (protocol.lower() in _CONTAINER_FIRST and ":" not in found[0]):
        return f"{protocol.lower()}://{rest}"
    return f"{protocol.lower()}://{rest[found.end() :]}"


def list_remote(address: str, suffixes: Collection[str]) -> Listing:
    """The files that an address names: one, or those of a folder and all below, but hidden ones.

    Args:
        address: of a file, taken whatever its name is, or of a folder.
        suffixes: what counts in a folder, in lower case.

    Raises:
        RemoteError: there is no such thing, or it cannot be listed.
        UnavailableError: fsspec is missing, or the package for the protocol.
    """
    name = shown(address)
    if "::" in address:
        raise RemoteError("Addresses inside addresses (::) are not read.")
    try:
        system, root = _system(address)
        # What was listed earlier in this process may be out of date.
        system.invalidate_cache()
        about = system.info(root)
        parts = _parts(name.partition("://")[2])
        if about["type"] != "directory" and not address.endswith("/"):
            below = PurePosixPath(parts[-1])
            file = RemoteFile(name, below, *_state(about), address, root)
            return Listing(False, parts[-2] if len(parts) > 1 else "root", (file,))
        found = []
        for path, each in _files_below(system, root).items():
            relative = path.removeprefix(root).removeprefix("/")
            below = PurePosixPath(*_parts(relative))
            hidden = any(part.startswith(".") for part in below.parts)
            if below.parts and not hidden and below.suffix.lower() in suffixes:
                named = f"{name}{'' if name.endswith('/') else '/'}{relative}"
                found.append(RemoteFile(named, below, *_state(each), address, path))
    except UnavailableError:
        raise
    except FileNotFoundError:
        raise RemoteError("There is no such file or folder.") from None
    except Exception as error:
        # Each protocol has errors of its own, whose causes may hold secrets.
        raise RemoteError(f"{name} cannot be listed ({_why(error, address)}).") from None
    found.sort(key=lambda file: file.below.parts)
    return Listing(True, parts[-1] if parts else "root", tuple(found))


@contextmanager
def fetched(file: RemoteFile) -> Iterator[Path]:
    """A copy of a file in a private folder, removed at the end.

    Raises:
        RemoteError: it cannot be fetched.
        UnavailableError: as `list_remote`.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(private_folder())
            suffix = file.below.suffix
            known = suffix.lower() in images.SUFFIXES | video_source.SUFFIXES
            path = folder / f"file{suffix if known else ''}"
            system, _ = _system(file.address)
            system.get_file(file.path, str(path))
            if not path.is_file():
                raise FileNotFoundError
        except UnavailableError:
            raise
        except Exception as error:
            why = _why(error, file.address)
            raise RemoteError(f"{file.name} cannot be fetched ({why}).") from None
        yield path


def check_available(address: str) -> None:
    """Whether this process has what an address needs.

    Raises:
        UnavailableError: it has not.
    """
    protocol = _protocol(address)
    try:
        from fsspec import get_filesystem_class
    except ImportError:
        raise UnavailableError(
            f'{protocol}://... needs an extra: pip install "norface[remote]".'
        ) from None
    try:
        get_filesystem_class(protocol)
    except ImportError as error:
        said = str(error).rstrip(".")
        raise UnavailableError(f"{protocol}://... needs another package: {said}.") from None
    except ValueError:
        raise UnavailableError(
            f"{protocol}://... is neither a stream nor a protocol that fsspec knows. Check the "
            "address."
        ) from None


def _protocol(address: str) -> str:
    return address.partition("://")[0].lower()


def _system(address: str) -> tuple[Any, str]:
    """The file system that an address leads to, and the path in it."""
    check_available(address)
    from fsspec.core import url_to_fs

    system, path = url_to_fs(f"{_protocol(address)}://{address.partition('://')[2]}")
    return system, path


def _files_below(system: Any, root: str) -> Mapping[str, Mapping[str, Any]]:
    """What lies below a folder, by path."""
    from fsspec import AbstractFileSystem
    from fsspec.asyn import AsyncFileSystem

    kind = type(system)
    if kind.find is AbstractFileSystem.find and (
        not system.async_impl or kind._find is AsyncFileSystem._find
    ):
        found = _walked(system, root)
    else:
        # Object stores list everything in one go.
        found = system.find(root, detail=True)
    # A name that ends in a slash marks an empty folder of an object store.
    return {
        path: each
        for path, each in found.items()
        if each["type"] != "directory" and not path.endswith("/")
    }


def _walked(system: Any, root: str) -> dict[str, Mapping[str, Any]]:
    """The same, folder by folder: fsspec leaves out what it cannot list, without a word."""
    found: dict[str, Mapping[str, Any]] = {}
    folders = [root]
    while folders:
        folder = folders.pop()
        for each in system.ls(folder, detail=True):
            path = each["name"].rstrip("/")
            name = path.rpartition("/")[2]
            if each["type"] != "directory":
                found[path] = each
            elif path != folder and not name.startswith(".") and not each.get("islink"):
                folders.append(path)
    return found


def _parts(path: str) -> list[str]:
    """The parts of a path from which names of files can be made: none is empty."""
    return [part.translate({0: "_", ord("\\"): "_"}) for part in path.split("/") if part]


def _state(about: Mapping[str, Any]) -> tuple[int | None, str | None]:
    """Size and version, as a file system gives them."""
    version = next((about[name] for name in _VERSIONS if about.get(name) is not None), None)
    return about.get("size"), None if version is None else str(version)


def _why(error: Exception, address: str) -> str:
    """What went wrong, in plain words that hold no secret."""
    if isinstance(error, FileNotFoundError):
        return "it is not there any more"
    if isinstance(error, PermissionError):
        return "not permitted; check the credentials and what they allow"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"it does not fit into {tempfile.gettempdir()}; set TMPDIR to a larger folder"
    kind, text = type(error).__name__, " ".join(str(error).split())
    kind = next((f"{words}: {kind}" for part, words in _PLAIN if part in kind), kind)
    if not text or any(secret in text for secret in _secrets(address)):
        return kind
    # Libraries tell the addresses that they asked, which may be signed.
    text = _IN_TEXT.sub(lambda found: shown(found[0]), text)[:_LONGEST_REASON]
    return f"{kind}: {text.rstrip('.')}"


def _secrets(address: str) -> set[str]:
    rest, _, query = address.partition("://")[2].partition("?")
    found = _SECRET.match(rest)
    whole = found[0][:-1] if found else ""
    secrets = {whole, *whole.split(":"), query, *(value for _, value in parse_qsl(query))}
    secrets |= {unquote(each) for each in secrets} | {quote(each) for each in secrets}
    return secrets - {""}
