"""CLIP's byte-pair tokenizer from the vocabulary that open_clip ships, cut to its first merges.

Merges are ordered: a tokenizer with the first N of them is a byte-pair tokenizer by itself, and every text has exactly
one spelling in it. 8,192 merges keep each everyday word in one or two pieces and the text tower and the file eight
times smaller. Reads one file of the package, no network; any thread.

Source: Radford et al. 2021, `bpe_simple_vocab_16e6.txt.gz`; byte alphabet as in GPT-2.
"""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE

MERGES = 8192
START, END = "<|startoftext|>", "<|endoftext|>"
VOCABULARY = 512 + MERGES + 2
"""Bytes, bytes that end a word, merges, START and END (the highest id, which open_clip's pooling looks for)."""

_PIECES = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def build(context: int) -> Tokenizer:
    """A tokenizer that pads and cuts to `context` ids."""
    alphabet = _alphabet()
    merges = _merges()
    words = [
        *alphabet,
        *(char + "</w>" for char in alphabet),
        *("".join(pair) for pair in merges),
        START,
        END,
    ]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(
        BPE(vocab=vocabulary, merges=merges, end_of_word_suffix="</w>", unk_token=END)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}",
        special_tokens=[(START, vocabulary[START]), (END, vocabulary[END])],
    )
    tokenizer.enable_truncation(context)
    tokenizer.enable_padding(length=context, pad_id=0, pad_token=words[0])
    return tokenizer


def _alphabet() -> list[str]:
    """A printable character for each byte: the printable ones first, in the order of CLIP's ids."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(others))]


def _merges() -> list[tuple[str, str]]:
    found = importlib.util.find_spec("open_clip")  # finds the folder without importing torch
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("open_clip is not installed: install the training extra")
    path = Path(found.submodule_search_locations[0]) / "bpe_simple_vocab_16e6.txt.gz"
    lines = gzip.decompress(path.read_bytes()).decode().split("\n")[1 : MERGES + 1]
    return [(left, right) for left, right in (line.split() for line in lines)]
