"""How to read one model's scores: similarities of two models never mean the same thing. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What a search must know about a model's scores. The defaults suit CLIP models that came without figures."""

    floor_sd: float = 2.5
    """A picture may be an answer when its similarity to the query lies this many standard deviations above the
    query's mean over the whole library. Nonsense queries score nearly as high as real ones, so a flat cosine
    does not work; the distance from the crowd does."""
    floor_cosine: float = -1.0
    """Nothing below this cosine is an answer, whatever the spread. -1 asks for nothing."""
    prompt: str = "a photo of {}"
    """The sentence in which the words of a query are put, as in training captions. `{}` stands for the words."""

    def sentence(self, words: str) -> str:
        """Return *words* in the model's own sentence."""
        return self.prompt.replace("{}", words)
