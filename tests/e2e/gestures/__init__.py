"""A machine that decides: every gesture of the views, in any order, and after each whether the folders are as a model in dicts says.

How a gesture reaches the views, and what is killed meanwhile, those say who extend `Gestures`. A gesture is a word and paths
below the top of the tree, TODAY standing for the only day in the trash.
"""

from __future__ import annotations

from .corrections import Corrections
from .originals import Originals


class Gestures(Corrections, Originals):
    """All of them."""
