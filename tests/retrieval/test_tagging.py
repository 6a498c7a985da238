"""Tags that the real miniature model suggests for drawings that it has never seen, and the rules behind them."""

from __future__ import annotations

import numpy as np
import pytest

from havenfs.extract.clip import PictureEncoder, TextEncoder
from havenfs.models import registry, taxonomy
from havenfs.models.calibration import Calibration
from havenfs.models.taxonomy import Tag, Taxonomy
from havenfs.retrieval.tagging import Tagger, sentences
from havenfs.sample import scenes

PICTURES = 150
TRUE_OF_DRAWINGS = {
    "letter",
    "night sky",
    "blue sky",
    "living room",
    "book page",
    "building bricks",
}
"""Tags in other words than the truth has, and right of starry skies, rooms and pages."""


def test_the_list_is_well_formed() -> None:
    words = taxonomy.load()
    names = [tag.name for tag in words.tags]
    assert 300 <= len(names) == len(set(names)) <= 450
    assert all(tag.phrases and all(tag.phrases) for tag in words.tags)
    assert len({tag.group for tag in words.tags}) < len({tag.siblings for tag in words.tags})


def test_tags_are_right_and_words_that_the_model_does_not_know_yield_nothing() -> None:
    model, words = registry.builtin(), taxonomy.load()
    rng = np.random.default_rng(20261121)
    drawn = [scenes.random_scene(rng) for _ in range(PICTURES)]
    vectors = PictureEncoder(model).encode([scenes.draw(scene, 192, 144, rng) for scene in drawn])
    texts = TextEncoder(model).encode_all(sentences(words, model.calibration))
    suggested = Tagger(words, model.calibration, texts).tags(vectors)
    truth = [set(scenes.labels(scene)) for scene in drawn]
    known = set().union(*truth)
    right = wrong = missed = 0
    strange: list[str] = []
    for tags, labels in zip(suggested, truth, strict=True):
        given = {tag for tag, _ in tags}
        assert all(0 <= score <= 1 for _, score in tags)
        right += len(given & labels)
        wrong += len((given & known) - labels)
        missed += len({tag.name for tag in words.tags} & labels - given)
        strange += given - known - TRUE_OF_DRAWINGS
    precision, recall = right / (right + wrong), right / (right + missed)
    print(f"precision {precision:.3f} recall {recall:.3f} strange {sorted(strange)}")
    assert precision >= 0.85
    assert recall >= 0.5
    assert len(strange) <= 0.08 * right, strange


@pytest.fixture
def rule() -> Taxonomy:
    def tag(name: str) -> Tag:
        return Tag(name=name, group="animals", siblings="animals", phrases=(name, f"{name}s"))

    return Taxonomy(tags=(tag("dog"), tag("cat")), neutral=("a photo",), digest="0" * 12)


def test_a_picture_between_two_siblings_is_neither(rule: Taxonomy) -> None:
    axes = np.eye(4, dtype=np.float32)
    tagger = Tagger(rule, Calibration(), axes[[0, 0, 1, 1, 2]])
    dog, cat = axes[0], axes[1]
    between = (dog + cat) / np.sqrt(2) + 0.01 * axes[2]
    found = tagger.tags(np.stack([dog, between, axes[2], axes[3]]))
    assert [tag for tag, _ in found[0]] == ["dog"]
    assert found[2] == []
    assert found[3] == []


def test_each_phrase_is_put_into_the_models_own_sentence(rule: Taxonomy) -> None:
    said = sentences(rule, Calibration(prompt="an image of {}"))
    assert said == [
        "an image of dog",
        "an image of dogs",
        "an image of cat",
        "an image of cats",
        "a photo",
    ]
