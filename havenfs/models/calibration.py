"""How to read one model's scores: similarities of two models never mean the same thing. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What who uses a model's scores must know about them. The defaults suit models that came without figures: those
    of `floor_*` and `prompt` CLIP, the others insightface's packs."""

    floor_sd: float = 2.5
    """A picture may be an answer when its similarity to the query lies this many standard deviations above the
    query's mean over the whole library. Nonsense queries score nearly as high as real ones, so a flat cosine
    does not work; the distance from the crowd does."""
    floor_cosine: float = -1.0
    """Nothing below this cosine is an answer, whatever the spread. -1 asks for nothing."""
    prompt: str = "a photo of {}"
    """The sentence in which the words of a query are put, as in training captions. `{}` stands for the words."""

    face_side: int = 640
    """Longer side in px to which a picture is brought before faces are looked for: the size for which insightface's
    detectors are published."""
    face_score: float = 0.5
    """A face that the detector is less sure of than this, 0..1, is none."""
    same_person: float = 0.5
    """Two faces whose vectors have this cosine are of one person, more likely than not."""

    def sentence(self, words: str) -> str:
        """Return *words* in the model's own sentence."""
        return self.prompt.replace("{}", words)
