import cv2
import numpy as np
import pytest

from norface.faces.find import FaceFinder
from norface.media.images import read_image


@pytest.fixture(scope="package")
def finder():
    with FaceFinder() as loaded:
        yield loaded


@pytest.fixture(scope="package")
def examples(request):
    return request.config.rootpath / "examples"


@pytest.fixture(scope="package")
def person_image(examples):
    return read_image(examples / "person_1.jpg")


@pytest.fixture(scope="package")
def found_person(finder, person_image):
    (face,) = finder.find(person_image)
    return face


@pytest.fixture(scope="package")
def person_face(person_image, found_person):
    """(64, 64, 3): the face, little else."""
    box = found_person.box
    x, y, side = round(box.x), round(box.y), round(max(box.width, box.height))
    return np.asarray(
        cv2.resize(person_image[y : y + side, x : x + side], (64, 64), interpolation=cv2.INTER_AREA)
    )
