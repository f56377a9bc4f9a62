"""Which models are tested on which sets: from a plan file, or from words of a command line.

A plan is a JSON file; paths are from its folder::

    {
      "models": [
        {"name": "tiny", "weights": "default"},
        {"name": "mine", "weights": "runs/mine/weights", "trained_on": ["fer2013"]},
        {"name": "disfa", "weights": ["fold1", "fold2", "fold3"], "trained_on": ["disfa"]}
      ],
      "tests": [
        {"name": "DISFA", "protocol": "disfa-detection", "root": "sets/DISFA", "faces": "faces"},
        {"protocol": "fer2013-7", "root": "sets/fer2013", "part": "validation"},
        {"protocol": "synfacs-v1", "root": "synfacs"}
      ]
    }
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_NAME: Final = re.compile(r"[^\s/\\:*?\"<>|][^/\\:*?\"<>|\n]*")
_MODEL_KEYS: Final = {"name", "weights", "trained_on"}
_TEST_KEYS: Final = {"name", "protocol", "root", "faces", "part"}


class PlanError(ValueError):
    """A plan is not what it should be; the message says where and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A row of the matrix.

    Attributes:
        name: in the tables, and of folders.
        weights: a folder or a name of weights; one for each fold of the protocol that they were
            trained by, to be tested fold by fold on that set, and by the first on any other.
        trained_on: data sets that it learned from, beyond those that the weights name.
    """

    name: str
    weights: tuple[str, ...]
    trained_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A column of the matrix.

    Attributes:
        name: in the tables, and of folders.
        protocol: of `norface.data.protocols`, or the benchmark ``synfacs-v1``.
        root: of the data set as it was delivered, or of the rendered benchmark.
        faces: its faces, made by ``norface data prepare``; None to find them.
        part: ``test``, or another part that the set delivers, such as ``validation``.
    """

    # Not a test of pytest's.
    __test__ = False

    name: str
    protocol: str
    root: Path
    faces: Path | None = None
    part: str = "test"


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows and columns.

    Attributes:
        models: at least one, of different names.
        tests: at least one, of different names.

    Raises:
        PlanError: there is none, a name occurs twice or cannot name a folder.
    """

    models: tuple[Model, ...]
    tests: tuple[Test, ...]

    def __post_init__(self) -> None:
        for kind, entries in (("model", self.models), ("test", self.tests)):
            names = [entry.name for entry in entries]
            if not names:
                raise PlanError(f"there is no {kind}: name at least one")
            for name in names:
                if not _NAME.fullmatch(name):
                    raise PlanError(f"the {kind} {name!r} needs a name that a folder can have")
                if [each.casefold() for each in names].count(name.casefold()) > 1:
                    raise PlanError(f"two {kind}s are called {name}: give each a name of its own")


def read_plan(path: Path) -> Plan:
    """Read a plan file, see the module.

    Raises:
        PlanError: it cannot be read, or lacks an entry or has an unknown one.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PlanError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(content, dict) or set(content) != {"models", "tests"}:
        raise PlanError(f"{path} must hold {{'models': [...], 'tests': [...]}} and nothing else")
    base = path.parent
    try:
        return Plan(
            tuple(_model(entry, base) for entry in content["models"]),
            tuple(_test(entry, base) for entry in content["tests"]),
        )
    except PlanError as error:
        raise PlanError(f"{path}: {error}") from error
    except (TypeError, KeyError, AttributeError) as error:
        raise PlanError(f"{path} lacks an entry or has a wrong one: {error!r}") from error


def plan_of_words(models: Sequence[str], tests: Sequence[str], faces: Sequence[str]) -> Plan:
    """From a command line.

    Args:
        models: ``NAME=WEIGHTS``, or weights alone, which are then called by their folder's name.
        tests: ``PROTOCOL=ROOT``, or ``PROTOCOL@PART=ROOT``.
        faces: ``PROTOCOL=FOLDER``, of tests.

    Raises:
        PlanError: a word is of another form, or names nothing.
    """
    prepared = dict(_two(word, "--faces PROTOCOL=FOLDER") for word in faces)
    columns = []
    for word in tests:
        name, root = _two(word, "--test PROTOCOL=ROOT, or PROTOCOL@PART=ROOT")
        protocol, _, part = name.partition("@")
        there = prepared.pop(name, None)
        columns.append(
            Test(
                name=name,
                protocol=protocol,
                root=Path(root),
                faces=None if there is None else Path(there),
                part=part or "test",
            )
        )
    if prepared:
        raise PlanError(f"--faces of {', '.join(prepared)}, which is no --test")
    rows = []
    for word in models:
        name, found, weights = word.partition("=")
        if not found:
            name, weights = Path(word).name, word
        rows.append(Model(name=name, weights=(weights,)))
    return Plan(tuple(rows), tuple(columns))


def _two(word: str, form: str) -> tuple[str, str]:
    name, found, value = word.partition("=")
    if not (found and name and value):
        raise PlanError(f"{word!r} is not of the form {form}")
    return name, value


def _model(entry: dict[str, Any], base: Path) -> Model:
    _known(entry, _MODEL_KEYS)
    said = entry["weights"]
    weights = [said] if isinstance(said, str) else list(said)
    if not weights or not all(isinstance(each, str) for each in weights):
        raise PlanError(f"weights must be a folder or a list of folders, not {said!r}")
    trained = entry.get("trained_on", [])
    if not isinstance(trained, list):
        raise PlanError(f"trained_on must be a list of data sets, not {trained!r}")
    return Model(
        name=str(entry.get("name") or Path(weights[0]).name),
        weights=tuple(_weights(each, base) for each in weights),
        trained_on=tuple(map(str, trained)),
    )


def _weights(said: str, base: Path) -> str:
    """A folder beside the plan, else a name or a folder from here."""
    return str(base / said) if (base / said).is_dir() else said


def _test(entry: dict[str, Any], base: Path) -> Test:
    _known(entry, _TEST_KEYS)
    part = str(entry.get("part", "test"))
    protocol = str(entry["protocol"])
    faces = entry.get("faces")
    return Test(
        name=str(entry.get("name") or (protocol if part == "test" else f"{protocol}@{part}")),
        protocol=protocol,
        root=base / str(entry["root"]),
        faces=None if faces is None else base / str(faces),
        part=part,
    )


def _known(entry: dict[str, Any], keys: set[str]) -> None:
    if not isinstance(entry, dict):
        raise PlanError(f"an entry must be an object of {', '.join(sorted(keys))}, not {entry!r}")
    unknown = sorted(set(entry) - keys)
    if unknown:
        raise PlanError(f"unknown {', '.join(unknown)}; there are {', '.join(sorted(keys))}")
