"""The language of a text, by py3langid (a naive Bayes over byte n-grams, Lui and Baldwin 2012). Offline; in workers only.

The model loads at the first question: 2.7 s and 106 MiB at most while it is unpacked. One thread.
"""

from __future__ import annotations

import functools
from typing import Any, cast

ENOUGH = 24
"""Letters of which fewer say no language: a till receipt of three lines has more, a street sign has not."""
SURE = 0.9
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
    from py3langid import langid

    library = cast(Any, langid)  # comes without types
    return library.LanguageIdentifier.from_model_file(library.MODEL_FILE, norm_probs=True)
