"""The shipped miniature of faces does what its manifest says, on people whom its training never saw."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from havenfs.entities import Region
from havenfs.extract.faces import FaceFinder
from havenfs.models import registry
from havenfs.models.manifest import ModelKind
from havenfs.sample.portraits import PEOPLE, draw_person
from havenfs.sample.scenes import draw, random_scene

MODEL = registry.builtin(ModelKind.FACES)


@pytest.fixture(scope="module")
def found() -> list[tuple[str, np.ndarray | None]]:
    """The people of the sample library, four times each: name, and the vector if the face was found."""
    finder = FaceFinder(MODEL, threads=1)
    rng = np.random.default_rng(6)
    answers: list[tuple[str, np.ndarray | None]] = []
    for turn in range(4):
        for place in range(0, len(PEOPLE), 2):
            while "person" in (scene := random_scene(rng)).things:
                continue
            image = draw(scene, 1024, 768, rng)
            drawn = []
            for column, person in enumerate(PEOPLE[place : place + 2]):
                side = rng.uniform(300, 480)
                left = 20 + 500 * column
                box = (left, 768 - side, left + side, 768)
                age = max(3.0, 2016 + 2 * turn - person.born)
                drawn.append((person.name, draw_person(image, person, box, age, rng)))
            faces = finder.find(image)
            for name, truth in drawn:
                region = Region(0, *(np.array(truth.box) / ([1024, 768] * 2)).tolist())
                best = max(faces, key=lambda face: face.region.overlap(region), default=None)
                good = best is not None and best.region.overlap(region) >= 0.5
                answers.append((name, np.frombuffer(best.vector, "<f4") if best and good else None))
    return answers


def test_it_finds_the_faces_of_the_sample_library(found: list[tuple[str, np.ndarray | None]]):
    assert sum(vector is not None for _, vector in found) / len(found) >= 0.9


def test_faces_of_one_person_are_nearer_than_those_of_two(
    found: list[tuple[str, np.ndarray | None]],
):
    names = [name for name, vector in found if vector is not None]
    rows = np.stack([vector for _, vector in found if vector is not None])
    first, second = np.triu_indices(len(names), 1)
    same = np.array([names[a] == names[b] for a, b in zip(first, second, strict=True)])
    cosines = (rows @ rows.T)[first, second]
    assert (cosines[same][:, None] > cosines[~same][None]).mean() >= 0.85


def test_the_figures_in_the_manifest_are_those_of_both_forms():
    manifest = json.loads((MODEL.directory / "manifest.json").read_text())
    measured = manifest["measured"]
    for form in ("fp32", "int8"):
        assert measured[form]["detection"]["average_precision"] >= 0.95
        assert measured[form]["verification"]["people"] >= 40
    assert measured["fp32"]["detection"]["recall"] - measured["int8"]["detection"]["recall"] <= 0.05
    assert MODEL.calibration.face_side == 320
    assert MODEL.dimension == manifest["dimension"] == 128


def test_it_is_small_enough_to_be_part_of_the_program():
    assert sum(p.stat().st_size for p in MODEL.directory.rglob("*") if p.is_file()) < 1_000_000


def test_it_finds_no_face_in_a_plain_picture():
    finder = FaceFinder(MODEL, threads=1)
    assert finder.find(Image.new("RGB", (800, 600), (90, 120, 160))) == ()
