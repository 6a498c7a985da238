"""CLIP's byte-pair tokenizer from the vocabulary that open_clip ships, whole or cut to its first merges.

Merges are ordered: a tokenizer with the first N of them is a byte-pair tokenizer by itself, and every text has exactly one
spelling in it. Reads one file of the package, imports no torch, uses no network; any thread.

Source: Radford et al. 2021, `bpe_simple_vocab_16e6.txt.gz`; byte alphabet as in GPT-2.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE

MERGES = 49152 - 256 - 2
"""All that CLIP uses of the file."""

_PIECES = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def build(
    context: int,
    *,
    merges: int = MERGES,
    start: str = "<start_of_text>",
    end: str = "<end_of_text>",
) -> Tokenizer:
    """A tokenizer that pads and cuts to *context* ids, by the first *merges*."""
    alphabet = _alphabet()
    pairs = _merges(merges)
    words = [
        *alphabet,
        *(char + "</w>" for char in alphabet),
        *("".join(pair) for pair in pairs),
        start,
        end,
    ]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(
        BPE(vocab=vocabulary, merges=pairs, end_of_word_suffix="</w>", unk_token=end)
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
        single=f"{start} $A {end}",
        special_tokens=[(start, vocabulary[start]), (end, vocabulary[end])],
    )
    tokenizer.enable_truncation(context)
    tokenizer.enable_padding(length=context, pad_id=0, pad_token=words[0])
    return tokenizer


def write(directory: Path, tokenizer: Tokenizer) -> None:
    """Write tokenizer.json and tokenizer_config.json into *directory*."""
    tokenizer.save(str(directory / "tokenizer.json"), pretty=False)
    start, end = (tokenizer.id_to_token(tokenizer.get_vocab_size() - n) for n in (2, 1))
    settings = {
        "bos_token": start,
        "eos_token": end,
        "pad_token": tokenizer.id_to_token(0),
        "unk_token": end,
        "model_max_length": tokenizer.truncation["max_length"],
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def _alphabet() -> list[str]:
    """A printable character for each byte: the printable ones first, in the order of CLIP's ids."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(others))]


def _merges(number: int) -> list[tuple[str, str]]:
    found = importlib.util.find_spec("open_clip")  # finds the folder without importing torch
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("open_clip is not installed: install the training extra")
    path = Path(found.submodule_search_locations[0]) / "bpe_simple_vocab_16e6.txt.gz"
    lines = gzip.decompress(path.read_bytes()).decode().split("\n")[1 : number + 1]
    return [(left, right) for left, right in (line.split() for line in lines)]
