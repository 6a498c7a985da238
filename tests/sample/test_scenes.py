"""Scenes: the same seed draws the same picture, and everything said about a scene is true of it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from havenfs.sample import grounds, subjects, things
from havenfs.sample.scenes import (
    Scene,
    caption,
    describe,
    draw,
    facts,
    held_out,
    labels,
    random_scene,
    random_subject,
)
from havenfs.sample.vocabulary import COLOURS, PLACES, SETTINGS, SUBJECTS, THINGS, WORDS

seeds = st.integers(0, 2**32 - 1)


def test_the_same_seed_draws_the_same_picture() -> None:
    scene = Scene(settings=("beach",), things=("dog",), colours=("brown",))
    first, second = (draw(scene, 160, 120, np.random.default_rng(5)) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_another_seed_draws_another_picture_of_the_same_scene() -> None:
    scene = Scene(settings=("beach",), things=("dog",), colours=("brown",))
    first, second = (
        np.asarray(draw(scene, 160, 120, np.random.default_rng(seed)), int) for seed in (5, 6)
    )
    assert np.abs(first - second).mean() > 8


@pytest.mark.parametrize("name", PLACES)
def test_every_place_can_be_drawn_at_any_size(name: str) -> None:
    rng = np.random.default_rng(3)
    for size in ((33, 90), (200, 112), (640, 480)):
        image = draw(
            Scene(settings=(name,), light="sunset" if PLACES[name].outdoors else "day"),
            *size,
            rng,
        )
        assert image.mode == "RGB"
        assert image.size == size
        assert np.asarray(image, int).std() > 3, "a picture, not a plain area"


@pytest.mark.parametrize("name", THINGS)
def test_every_thing_changes_the_picture_where_it_is_put(name: str) -> None:
    ground, _ = grounds.ground("room", 160, 120, "day", np.random.default_rng(1))
    with_it = ground.copy()
    things.put(with_it, name, (210, 30, 160), (80, 60), 30, np.random.default_rng(2))
    changed = (np.asarray(ground, int) != np.asarray(with_it, int)).any(2)
    assert changed[30:90, 50:110].mean() > 0.04
    assert not changed[:, :20].any()


@pytest.mark.parametrize("colour", COLOURS)
def test_a_named_colour_is_the_nearest_one_to_what_is_drawn(colour: str) -> None:
    ground, _ = grounds.ground("room", 120, 120, "day", np.random.default_rng(1))
    things.put(ground, "circle", COLOURS[colour], (60, 60), 40, np.random.default_rng(2))
    seen = np.asarray(ground, float)[50:70, 50:70].reshape(-1, 3).mean(0)
    directions = {name: np.linalg.norm(seen - np.asarray(value)) for name, value in COLOURS.items()}
    assert min(directions, key=lambda name: directions[name]) == colour


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_a_caption_claims_nothing_that_is_not_true(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = random_scene(rng)
    said = describe(scene, rng)
    assert said.claims
    assert said.claims <= facts(scene)
    words = set(said.text.replace(",", "").split())
    named = {word for word in words if word in WORDS}
    assert named - {"sun", "home", "wood", "wall", "bill"} <= {
        part for fact in facts(scene) for part in fact.split()
    } | {THINGS[name].plural for name in scene.things}


def test_every_subject_has_a_painter_and_no_name_in_common_with_a_setting() -> None:
    assert set(subjects.PAINTERS) == set(SUBJECTS)
    assert not set(SUBJECTS) & set(SETTINGS)
    assert all(not subject.things for subject in SUBJECTS.values())


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_a_caption_of_a_subject_claims_nothing_that_is_not_true(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = random_subject(rng)
    said = describe(scene, rng)
    assert said.claims
    assert said.claims <= facts(scene)
    assert set(labels(scene)) <= WORDS


def test_what_has_no_colour_claims_none() -> None:
    rng = np.random.default_rng(1)
    scene = Scene(settings=("street",), things=("car",), colours=("",))
    for _ in range(100):
        assert not describe(scene, rng).claims & set(COLOURS)


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_labels_are_everyday_words_without_repetition(seed: int) -> None:
    scene = random_scene(np.random.default_rng(seed))
    found = labels(scene)
    assert len(found) == len(set(found)) > 0
    assert set(found) <= WORDS
    assert {colour for colour in scene.colours if colour} <= set(found)


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_training_never_draws_a_held_out_combination(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene, kept = random_scene(rng), random_scene(rng, heldout=True)
    assert not any(
        held_out(*pair, scene.settings[0]) for pair in zip(scene.things, scene.colours, strict=True)
    )
    assert held_out(kept.things[0], kept.colours[0], kept.settings[0])


def test_every_held_out_thing_colour_and_setting_is_also_seen_in_training() -> None:
    for name, thing in THINGS.items():
        for colour in thing.colours or ("",):
            seen = [setting for setting in SETTINGS if not held_out(name, colour, setting)]
            assert len(seen) >= len(SETTINGS) // 2, (name, colour)


def test_single_words_are_among_the_captions() -> None:
    rng = np.random.default_rng(0)
    scene = Scene(settings=("street",), things=("car",), colours=("red",))
    said = {caption(scene, rng) for _ in range(600)}
    assert {"car", "red", "street", "a red car"} <= said
    assert any(text.endswith("in the city") for text in said)


def test_labels_bind_nothing_but_facts_do() -> None:
    scene = Scene(
        settings=("beach", "sunset"),
        things=("dog", "ball"),
        colours=("brown", "red"),
        count=2,
        light="sunset",
    )
    assert {"dog", "animal", "ball", "beach", "sand", "sunset", "red", "brown"} <= set(
        labels(scene)
    )
    assert {"brown dog", "red ball", "2 dog", "1 ball"} <= facts(scene)
    assert "red dog" not in facts(scene)


def test_a_scene_cannot_be_changed() -> None:
    scene = random_scene(np.random.default_rng(0))
    with pytest.raises(FrozenInstanceError):
        scene.count = 5  # type: ignore[misc]
