"""Texts to token numbers, as the model's own tokenizer.json says. No model runs here.

One Tokens may be used by any number of threads at a time: padding and truncation are set once, at loading.
"""

from __future__ import annotations

import html
import string
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from tokenizers import Tokenizer

from havenfs.errors import ModelError
from havenfs.models import manifest as manifests

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

LONGEST = 4000  # characters looked at; no context holds more than a few hundred tokens
PUNCTUATION = str.maketrans("", "", string.punctuation)


class _AddedToken(msgspec.Struct):
    content: str


class _TokenizerConfig(msgspec.Struct):
    pad_token: str | _AddedToken | None = None


_TOKENIZER_CONFIGS = msgspec.json.Decoder(_TokenizerConfig)


class Tokens:
    """The tokenizer of the model in *directory*, cut and padded to the length that its text tower was trained with."""

    def __init__(self, directory: Path) -> None:
        """Load it. Raises ModelError."""
        config = manifests.decode(directory / manifests.CONFIG, manifests.CONFIGS)
        manifest = manifests.read(directory)
        self.context_length = (manifest and manifest.context_length) or config.context_length
        self._clean = config.clean
        path = directory / manifests.TOKENIZER
        try:
            self._tokenizer: Any = Tokenizer.from_file(str(path))  # its stubs leave half of it open
        except Exception as error:  # the Rust side raises plain Exception for every fault
            reason = f"{path}: {error}"
            raise ModelError(reason) from error
        pad_token, pad_id = self._padding(directory / manifests.TOKENIZER_CONFIG)
        self._tokenizer.enable_truncation(max_length=self.context_length)
        self._tokenizer.enable_padding(
            length=self.context_length, pad_id=pad_id, pad_token=pad_token
        )

    def _padding(self, path: Path) -> tuple[str, int]:
        """The token that fills up: named in tokenizer_config.json, else by tokenizer.json itself, else number 0,
        which is what CLIP's first tokenizer used."""
        if path.exists():
            token = manifests.decode(path, _TOKENIZER_CONFIGS).pad_token
            name = token.content if isinstance(token, _AddedToken) else token
            number = None if name is None else self._tokenizer.token_to_id(name)
            if name is not None and number is not None:
                return name, number
        own = self._tokenizer.padding
        if own is not None:
            return str(own["pad_token"]), int(own["pad_id"])
        return self._tokenizer.id_to_token(0) or "", 0

    def encode(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return token numbers and the attention mask (1 where a token is no padding), each int64 [n, context]."""
        encodings = self._tokenizer.encode_batch([self._cleaned(text) for text in texts])
        return (
            np.array([encoding.ids for encoding in encodings], np.int64),
            np.array([encoding.attention_mask for encoding in encodings], np.int64),
        )

    def _cleaned(self, text: str) -> str:
        text = html.unescape(
            html.unescape(text[:LONGEST])
        )  # as captions from the web were, once or twice
        if self._clean == "canonicalize":  # SigLIP was trained without punctuation and capitals
            text = text.replace("_", " ").translate(PUNCTUATION).lower()
        elif self._clean == "lower":
            text = text.lower()
        return " ".join(text.split())
