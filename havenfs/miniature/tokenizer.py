"""CLIP's byte-pair tokenizer cut to its first merges.

8,192 merges keep each everyday word in one or two pieces and the text tower and the file eight times smaller. Any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.export import bytepairs

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MERGES = 8192
START, END = "<|startoftext|>", "<|endoftext|>"
VOCABULARY = 512 + MERGES + 2
"""Bytes, bytes that end a word, merges, START and END (the highest id, which open_clip's pooling looks for)."""


def build(context: int) -> Tokenizer:
    """A tokenizer that pads and cuts to `context` ids."""
    return bytepairs.build(context, merges=MERGES, start=START, end=END)
