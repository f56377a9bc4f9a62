from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from norface.data.skins import SkinError, prepare_skins
from norface.facs import FACIAL_ACTIONS
from norface.media.images import write_image
from norface.synthesis.body.photo_skin import load_skin, skin_smiles
from norface.synthesis.common_face import render_target
from norface.synthesis.samples import render_sample

NEUTRAL = np.zeros(len(FACIAL_ACTIONS), np.float32)


@pytest.fixture(scope="module")
def skins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("portraits")
    for i in (0, 1):
        write_image(folder / f"{i}.png", render_target(i, NEUTRAL, 256))
    (folder / "broken.png").write_bytes(b"not a picture")
    out = folder / "skins.npz"
    assert prepare_skins([folder], out) == 2
    return out


def test_a_skin_shows_brows_and_lips_but_no_light(skins: Path) -> None:
    skin = load_skin(skins, 0)
    seen = skin.weight > 0.9
    assert 0.1 < seen.mean() < 0.6
    # A ratio to the flat colour: one almost everywhere, darker where the brows are.
    grey = skin.ratio.mean(axis=2)
    assert abs(np.median(grey[seen]) - 1) < 0.05
    assert np.quantile(grey[seen], 0.02) < 0.75
    assert skin_smiles(skins).shape == (2,)
    assert skin_smiles(skins).max() < 0.5


def test_a_mirrored_skin_has_its_sides_exchanged(skins: Path) -> None:
    one, other = load_skin(skins, 1), load_skin(skins, 1, mirrored=True)
    assert np.array_equal(one.ratio[:, ::-1], other.ratio)


def test_half_of_the_people_wear_a_skin_and_differ_only_there(skins: Path) -> None:
    worn = [render_sample(3, i, 64, skins=skins) for i in range(24)]
    bare = [render_sample(3, i, 64) for i in range(24)]
    with_skin = [sample.person.photo is not None for sample in worn]
    assert 6 <= sum(with_skin) <= 18
    for one, other, has in zip(worn, bare, with_skin, strict=True):
        assert np.array_equal(one.actions, other.actions)
        assert np.array_equal(one.picture.image, other.picture.image) != has


def test_without_a_usable_portrait(tmp_path: Path) -> None:
    write_image(tmp_path / "wall.png", np.full((128, 128, 3), 90, np.uint8))
    with pytest.raises(SkinError, match="no usable portrait"):
        prepare_skins([tmp_path], tmp_path / "skins.npz")
