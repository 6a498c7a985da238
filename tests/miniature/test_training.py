"""The whole way from drawings to a checked model directory, in miniature of the miniature. Needs the training extra."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.training,
    # torch's exporter and onnxscript announce changes in themselves that are no business of ours
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
    ),
]


def test_a_short_training_yields_a_complete_model_that_beats_chance(tmp_path: Path) -> None:
    from havenfs.miniature.__main__ import make

    out = tmp_path / "model"
    figures = make(out, steps=60, seed=1, images=800, measure=120, workers=1)
    names = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert names == {
        "README.md", "config.json", "manifest.json", "visual/model.onnx", "visual/preprocess_cfg.json",
        "textual/model.onnx", "textual/tokenizer.json", "textual/tokenizer_config.json",
    }  # fmt: skip
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest["files"]) == names - {"manifest.json"}
    assert figures["steps"] == 60
    assert figures["agreement"]["fp32"]["cosine_min"] >= 0.9999
    assert figures["agreement"]["int8"]["cosine_mean"] >= 0.98
    assert figures["recognition"]["int8"]["fresh"]["setting"] > 2 / 15, "twice chance"


def test_the_tokenizer_gives_open_clips_numbers_for_whatever_its_merges_cover() -> None:
    from havenfs.miniature import tokenizer

    ids = tokenizer.build(20).encode("a photo of a red car").ids
    assert ids[0] == tokenizer.VOCABULARY - 2
    assert ids[7] == tokenizer.VOCABULARY - 1
    assert ids[1:7] == [320, 1125, 539, 320, 736, 1615], "CLIP's own numbers for these words"
    assert ids[8:] == [0] * 12


def test_a_text_is_true_of_exactly_the_scenes_that_have_all_it_claims() -> None:
    from havenfs.miniature.drawings import Truth
    from havenfs.sample.scenes import Scene

    scenes = [
        Scene(settings=("beach",), things=("dog",), colours=("brown",)),
        Scene(settings=("desert",), things=("car", "dog"), colours=("red", "black")),
    ]
    claims = [("sand",), ("dog", "black", "black dog"), ("dog", "red", "red dog"), ("unknown",)]
    assert Truth(scenes).of(claims).tolist() == [
        [True, True],
        [False, True],
        [False, False],
        [False, False],
    ]


def test_some_drawings_are_of_subjects_and_some_have_no_colour() -> None:
    from havenfs.miniature.drawings import draw_many
    from havenfs.sample.vocabulary import SUBJECTS

    drawn = draw_many(250, seed=8, anything=True, workers=1)
    of_subjects = [scene for scene in drawn.scenes if scene.settings[0] in SUBJECTS]
    assert 50 <= len(of_subjects) <= 130
    grey = (np.ptp(drawn.pixels.astype(int), axis=3) == 0).all(axis=(1, 2))
    assert 5 <= grey.sum() <= 50
    for scene, without in zip(drawn.scenes, grey, strict=True):
        assert not (without and any(scene.colours))
    plain = draw_many(50, seed=8, workers=1)
    assert not {scene.settings[0] for scene in plain.scenes} & set(SUBJECTS)


def test_drawings_do_not_depend_on_the_number_of_workers() -> None:
    from havenfs.miniature.drawings import draw_many

    alone, shared = draw_many(260, seed=4, workers=1), draw_many(260, seed=4, workers=2)
    assert alone.scenes == shared.scenes
    assert np.array_equal(alone.pixels, shared.pixels)
