"""``norface train``: one command per network, with the options of `norface.training`, and the
preparation of photos.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import tyro

from norface.cli.console import SUCCESS, output
from norface.cli.told import faults_told, run_training
from norface.data.portraits import calibrate, write_portrait_shards
from norface.data.skins import prepare_skins as take_skins
from norface.synthesis.shard_format import DEFAULT_CROP
from norface.training.classification import train_classification
from norface.training.classification_config import ClassificationConfig
from norface.training.emotions import train_emotions
from norface.training.emotions_config import EmotionsConfig
from norface.training.normalization import train_normalization
from norface.training.normalization_config import NormalizationConfig

# Options are named as in the configuration, without the name of the function's argument.
_Normalization: TypeAlias = Annotated[NormalizationConfig, tyro.conf.arg(name="")]
_Classification: TypeAlias = Annotated[ClassificationConfig, tyro.conf.arg(name="")]

_Emotions: TypeAlias = Annotated[EmotionsConfig, tyro.conf.arg(name="")]


def normalization(config: _Normalization) -> int:
    """Train F_nor, which renders any face's expression on a target face.

    Run again with the same options, an interrupted training goes on.
    """
    return run_training(train_normalization, config)


def classification(config: _Classification) -> int:
    """Train F_cla, which reads action units, emotions or both from original and normalized face.

    On tokens of F_nor's encoder, or end to end on images. Run again with the same options, an
    interrupted training goes on.
    """
    return run_training(train_classification, config)


def emotions(config: _Emotions) -> int:
    """Train the small F_cla for emotions alone, on a data set such as FER2013.

    Run again with the same options, an interrupted training goes on.
    """
    return run_training(train_emotions, config)


def prepare_photos(
    photos: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PHOTO ...")],
    /,
    *,
    renders: tuple[Path, ...],
    out: Path,
    copies: int = 2,
    seed: int = 0,
    crop: int = DEFAULT_CROP,
) -> int:
    """Make shards to train on from portraits, labelled by MediaPipe's blendshapes.

    Args:
        photos: Portraits of one large face each, or folders of them.
        renders: Folders of rendered shards, on which the labels' scale is learned.
        out: Folder for the shards.
        copies: Target faces that each photo is paired with.
        seed: Chooses the targets.
        crop: Side of the aligned faces in pixels, as for `norface synth --shards`.
    """
    with faults_told():
        say = output().print
        used = write_portrait_shards(
            photos, out, calibrate(renders), copies=copies, seed=seed, crop=crop, say=say
        )
    output().print(f"{used} photos -> {out}", soft_wrap=True)
    return SUCCESS


def prepare_skins(
    portraits: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="DIR ...")],
    /,
    *,
    out: Path,
) -> int:
    """Take the skins of portraits, for `norface synth --shards --skins`.

    Never test on people whose skins were trained with.

    Args:
        portraits: Folders of portraits from the front, one large face each.
        out: File for the skins (npz).
    """
    with faults_told():
        count = take_skins(portraits, out)
    output().print(f"{count} skins -> {out}", soft_wrap=True)
    return SUCCESS
