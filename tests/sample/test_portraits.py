"""People are drawn where they are asked to be, look different from each other, and age."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image, ImageChops

from havenfs.sample.portraits import PEOPLE, Person, draw_person

GREEN = (0, 177, 64)


def _portrait(
    person: Person,
    age: float,
    seed: int = 1,
    box: tuple[float, float, float, float] = (20, 20, 180, 200),
) -> tuple[Image.Image, tuple[float, float, float, float]]:
    image = Image.new("RGB", (200, 220), GREEN)
    face = draw_person(image, person, box, age, np.random.default_rng(seed))
    return image, face.box


def test_there_are_twelve_people_with_their_own_names() -> None:
    assert len({person.name for person in PEOPLE}) == 12


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
@pytest.mark.parametrize(
    "box", [(20.0, 20.0, 180.0, 200.0), (60.0, 10.0, 130.0, 210.0)], ids=["bust", "figure"]
)
def test_a_person_stays_in_the_box_and_the_face_is_skin(
    person: Person, box: tuple[float, float, float, float]
) -> None:
    for age in (1, 12, 40, 80):
        image, face = _portrait(person, age, box=box)
        changed = ImageChops.difference(image, Image.new("RGB", image.size, GREEN)).getbbox()
        assert changed is not None
        assert changed[0] >= box[0] - 1
        assert changed[1] >= box[1] - 1
        assert changed[2] <= box[2] + 1
        assert changed[3] <= box[3] + 1
        assert box[0] - 4 <= face[0] < face[2] <= box[2] + 4
        assert box[1] - 4 <= face[1] < face[3] <= box[3]
        centre = np.asarray(image.crop(face), dtype=float)
        skin = np.array(person.skin) / sum(person.skin)
        tones = centre.reshape(-1, 3) / centre.reshape(-1, 3).sum(1, keepdims=True).clip(1)
        assert (np.abs(tones - skin).sum(1) < 0.12).mean() > 0.25


def test_no_two_people_look_alike() -> None:
    faces = {}
    for person in PEOPLE:
        image, face = _portrait(person, 30)
        faces[person.name] = np.asarray(image.crop(face).resize((24, 32)), dtype=float)
    for one, two in itertools.combinations(faces, 2):
        assert np.abs(faces[one] - faces[two]).mean() > 6, (one, two)


def test_the_same_generator_draws_the_same_and_another_one_another_pose() -> None:
    assert _portrait(PEOPLE[0], 30)[0].tobytes() == _portrait(PEOPLE[0], 30)[0].tobytes()
    assert _portrait(PEOPLE[0], 30)[0].tobytes() != _portrait(PEOPLE[0], 30, seed=2)[0].tobytes()


def test_a_small_child_has_a_larger_head_for_its_height() -> None:
    tall = (60.0, 10.0, 130.0, 210.0)
    child, adult = (_portrait(PEOPLE[0], age, box=tall)[1] for age in (3, 40))
    assert (child[3] - child[1]) > 1.25 * (adult[3] - adult[1])


def test_a_person_can_be_cut_off_by_the_edge_of_the_picture() -> None:
    image = Image.new("RGB", (60, 60), GREEN)
    draw_person(image, PEOPLE[3], (-30, -20, 50, 70), 9, np.random.default_rng(1))
    assert image.getpixel((10, 40)) != GREEN
