"""The language of a text, by py3langid (a naive Bayes over byte n-grams, Lui and Baldwin 2012). Offline; in workers only.

The model loads at the first question: 2 s, 190 MiB while it is unpacked and 35 MiB from then on. One thread.
"""

from __future__ import annotations

import functools
import io
import lzma
from array import array
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENOUGH = 24
"""Letters of which fewer say no language: a till receipt of three lines has more, a street sign has not."""
SURE = 0.9
LANGUAGES = frozenset(
    [
        "ar",
        "bg",
        "bn",
        "ca",
        "cs",
        "da",
        "de",
        "el",
        "en",
        "es",
        "et",
        "eu",
        "fa",
        "fi",
        "fr",
        "ga",
        "gl",
        "he",
        "hi",
        "hr",
        "hu",
        "hy",
        "id",
        "is",
        "it",
        "ja",
        "ka",
        "ko",
        "lt",
        "lv",
        "mk",
        "ms",
        "nl",
        "no",
        "pl",
        "pt",
        "ro",
        "ru",
        "sk",
        "sl",
        "sq",
        "sr",
        "sv",
        "ta",
        "te",
        "th",
        "tr",
        "uk",
        "ur",
        "vi",
        "zh",
    ]
)
"""Those that are told apart: of fewer, short texts are told more surely."""
READ = 4000
"""Characters looked at."""


def detect(text: str) -> str | None:
    """ISO 639-1 code of the language of *text*; None where there is too little of it, or it could be several."""
    text = text[:READ]
    if sum(map(str.isalpha, text)) < ENOUGH:
        return None
    language, share = _identifier().classify(text)
    return str(language) if float(share) >= SURE else None


@functools.cache
def _identifier() -> Any:
    """The model, with LANGUAGES only. Unpacked in memory, because the library's own loader does it in a temporary file of
    a hundred megabytes, which no worker may write."""
    from py3langid import langid

    library = cast(Any, langid)  # comes without types
    with lzma.open(library.MODEL_DIR / library.MODEL_FILE) as packed:
        unpacked = io.BytesIO(packed.read())
    with np.load(unpacked, allow_pickle=False) as stored:
        classes: list[str] = stored["classes"].tolist()
        kept = [number for number, code in enumerate(classes) if code in LANGUAGES]
        return library.LanguageIdentifier(
            np.ascontiguousarray(stored["ptc"][:, kept]),
            stored["pc"][kept],
            [classes[number] for number in kept],
            _packed(stored["nextmove"]),
            stored["out_feat"].tolist(),
            norm_probs=True,
            tk_row=_packed(stored["nextmove_row"]),
        )


def _packed(numbers: NDArray[Any]) -> Any:
    """Indexing an array is three times as fast as indexing numpy's, one number at a time."""
    packed = cast(Any, array)({2: "H", 4: "I", 8: "L"}[numbers.dtype.itemsize])
    packed.frombytes(np.ascontiguousarray(numbers).tobytes())
    return packed
