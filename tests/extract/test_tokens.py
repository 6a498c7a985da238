"""Texts to tokens with small tokenizers, each with one peculiarity."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from havenfs.errors import ModelError
from havenfs.extract.tokens import Tokens
from havenfs.models import registry

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ["!", "<s>", "</s>", "?", "dog", "Dog", "beach", "on", "a", "'", "_", "dogs", "<pad>"]
NUMBER = {word: index for index, word in enumerate(WORDS)}


def tokens(
    directory: Path, text_cfg: dict[str, Any] | None = None, settings: dict[str, Any] | None = None
) -> Tokens:
    (directory / "textual").mkdir()
    tokenizer = Tokenizer(models.WordLevel(NUMBER, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", NUMBER["<s>"]), ("</s>", NUMBER["</s>"])]
    )
    if settings and "own" in settings:
        tokenizer.enable_padding(pad_id=NUMBER[settings["own"]], pad_token=settings.pop("own"))
    tokenizer.save(str(directory / "textual/tokenizer.json"))
    if settings is not None:
        (directory / "textual/tokenizer_config.json").write_text(json.dumps(settings))
    config = {"embed_dim": 8, "text_cfg": {"context_length": 6} | (text_cfg or {})}
    (directory / "config.json").write_text(json.dumps(config))
    return Tokens(directory)


def shown(found: Tokens, text: str) -> str:
    ids, mask = found.encode([text])
    assert ids.shape == mask.shape == (1, found.context_length)
    assert mask[0].sum() == max((i + 1 for i in range(len(mask[0])) if mask[0, i]), default=0)
    return " ".join(WORDS[number] for number in ids[0])


def test_short_texts_are_filled_up_and_long_ones_cut_before_the_end_mark(tmp_path: Path):
    found = tokens(tmp_path)
    assert shown(found, "dog") == "<s> dog </s> ! ! !"
    assert shown(found, "dog on a beach a dog") == "<s> dog on a beach </s>"
    assert shown(found, "") == "<s> </s> ! ! ! !"


@pytest.mark.parametrize(
    "settings",
    [
        {"pad_token": "<pad>"},
        {"pad_token": {"content": "<pad>", "lstrip": False}},
        {"own": "<pad>"},
        {"own": "<pad>", "pad_token": None},
    ],
)
def test_the_filling_is_the_models_own(tmp_path: Path, settings: dict[str, Any]):
    assert shown(tokens(tmp_path, settings=settings), "dog") == "<s> dog </s> <pad> <pad> <pad>"


def test_the_attention_mask_ends_where_the_text_ends(tmp_path: Path):
    _, mask = tokens(tmp_path).encode(["dog", "dog on a beach"])
    assert mask.tolist() == [[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1]]


def test_blanks_and_line_breaks_are_one_space(tmp_path: Path):
    assert shown(tokens(tmp_path), "  dog \n\t on ") == "<s> dog on </s> ! !"


def test_texts_are_canonicalised_only_for_models_trained_so(tmp_path: Path):
    (tmp_path / "siglip").mkdir()
    (tmp_path / "clip").mkdir()
    siglip = tokens(tmp_path / "siglip", {"tokenizer_kwargs": {"clean": "canonicalize"}})
    assert shown(siglip, "A_Dog's beach!") == "<s> a dogs beach </s> !"
    assert shown(tokens(tmp_path / "clip"), "Dog a") == "<s> Dog a </s> ! !"


def test_an_endless_text_is_cut_before_it_is_taken_apart(tmp_path: Path):
    assert shown(tokens(tmp_path), "dog " * 2_000_000) == "<s> dog dog dog dog </s>"


def test_a_damaged_tokenizer_is_an_error_with_its_path(tmp_path: Path):
    tokens(tmp_path)
    (tmp_path / "textual/tokenizer.json").write_text('{"model": 1}')
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        Tokens(tmp_path)


def test_the_built_in_tokenizer_knows_the_words_of_its_pictures():
    model = registry.builtin()
    found = Tokens(model.directory)
    ids, mask = found.encode(
        ["a red car on a beach", "A RED CAR on a beach", "a blue car on a beach"]
    )
    assert (ids[0] == ids[1]).all()
    assert (ids[0] != ids[2]).any()
    assert 4 <= mask[0].sum() <= found.context_length
