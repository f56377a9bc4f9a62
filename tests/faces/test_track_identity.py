import importlib.util

import numpy as np
import pytest

from norface.faces import identity
from norface.faces.find import FaceFinder
from norface.faces.identity import IdentityEmbedder, MissingExtraError
from norface.media.images import read_image


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(identity, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"norface\[people\]"):
        IdentityEmbedder()


@pytest.mark.skipif(
    importlib.util.find_spec("face_recognition_models") is None, reason="extra people"
)
def test_one_person_lies_closer_than_two(examples):
    embedder = IdentityEmbedder()
    looks = []
    with FaceFinder() as finder:
        for number in (1, 2, 3):
            image = read_image(examples / f"person_{number}.jpg")
            (face,) = finder.find(image)
            # As another camera would see it: mirrored, half as large, darker.
            other = np.ascontiguousarray(image[::2, ::-2] // 4 * 3)
            (again,) = finder.find(other)
            looks.append((embedder(image, face.points), embedder(other, again.points)))
    assert looks[0][0].shape == (identity.SIZE,)
    for i, (one, same) in enumerate(looks):
        assert np.linalg.norm(one - same) < embedder.same
        for stranger, _ in looks[i + 1 :]:
            assert np.linalg.norm(one - stranger) > embedder.same
