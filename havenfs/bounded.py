"""A dict that holds so many keys at most, those that were set last. Knows nothing of what it holds.

Any thread: each step is one of an OrderedDict's. That and not a dict, whose first key is looked for behind all that were removed:
5.5 us a key among the 8,192 assets that a mount remembers, 1.0 here.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(OrderedDict[K, V]):
    """Filled by `bounded[key] = value` alone, which makes that key the latest and lets the oldest of too many go."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        with suppress(KeyError):  # another thread was quicker
            self.move_to_end(key)
            while len(self) > self._most:
                self.popitem(last=False)
