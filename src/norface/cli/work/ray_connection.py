"""The way to a Ray cluster: one that is there, or one of this machine that ends with the run."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any, Final

from norface.cli.console import WRONG_COMMAND, CommandError

_QUIET: Final = {
    # Ray reports its use to its makers unless it is told not to.
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_IMPATIENT: Final = {
    # Ray tries a cluster that does not answer 20 times, each for half a minute and more.
    "RAY_NUM_REDIS_GET_RETRIES": "2",
    "RAY_py_gcs_connect_timeout_s": "10",
}
_SECONDS_TO_ANSWER: Final = 10.0


@contextmanager
def cluster(address: str | None, workers: int) -> Iterator[ModuleType]:
    """Ray, connected; without its dashboard, its reports and its messages.

    Args:
        address: of the cluster: ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``; None starts one on
            this machine.
        workers: for how many there has to be place in the latter.

    Raises:
        CommandError: Ray is missing, or the cluster cannot be used; the message says why.
    """
    os.environ.update(_QUIET)
    if address is not None:
        for name, value in _IMPATIENT.items():
            os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise CommandError(
            '--engine ray needs an extra: pip install "norface[ray]".', code=WRONG_COMMAND
        ) from error
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    folder = None
    if address is None:
        # A socket's path may have some hundred characters: TMPDIR may be too long.
        folder = tempfile.mkdtemp(prefix="norface-ray-", dir="/tmp" if os.name == "posix" else None)
        cores = max(workers, os.cpu_count() or 1)
        quiet |= {"include_dashboard": False, "num_cpus": cores, "_temp_dir": folder}
        # RAY_ADDRESS of the user's shell names a cluster that was not asked for.
        quiet["address"] = "local"
    else:
        _check_that_something_listens(address)
        quiet["address"] = address
    try:
        try:
            ray.init(**quiet)
        except Exception as error:
            raise CommandError(_why(address, error), code=WRONG_COMMAND) from error
        yield ray
    finally:
        with suppress(Exception):
            ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _check_that_something_listens(address: str) -> None:
    """Ray itself waits for minutes, and says so in words of its own."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as error:
        raise CommandError(
            f"There is no Ray cluster at {address} ({error}): start one there, or name another "
            "with --ray-address.",
            code=WRONG_COMMAND,
        ) from error


def _why(address: str | None, error: BaseException) -> str:
    where = "on this machine" if address in (None, "auto") else f"at {address}"
    chain: list[BaseException] = [error]
    while cause := chain[-1].__cause__:
        chain.append(cause)
    said = " ".join(f"{type(each).__name__}: {each}" for each in chain)
    if "AuthenticationError" in said:
        return (
            f"The Ray cluster {where} asks for a token, and this shell has none or another: "
            "export RAY_AUTH_MODE=token, and have the same ~/.ray/auth_token on each machine."
        )
    if "Version mismatch" in said:
        return f"The Ray cluster {where} does not fit: {' '.join(str(error).split())}"
    if address == "auto" and isinstance(error, ConnectionError):
        return (
            "There is no Ray cluster on this machine: start one (ray start --head), or name "
            "another with --ray-address."
        )
    return f"There is no Ray cluster {where} ({type(error).__name__}: {error})."
