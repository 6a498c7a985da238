"""Folders of answers that somebody has made to put the first thing in. They last until that is there, or the server is another one.

In memory, by Directory.key, at most MOST: nothing was decided yet. Any thread.
"""

from __future__ import annotations

from havenfs.bounded import Bounded

MOST = 1000
"""The one that was made first goes when there are more: somebody has run `mkdir -p` over a calendar."""


class Awaited:
    """The keys of such folders."""

    def __init__(self) -> None:
        self._keys: Bounded[str, None] = Bounded(MOST)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, key: str) -> None:
        """Somebody has made it."""
        self._keys[key] = None

    def discard(self, key: str) -> None:
        """Something is in it."""
        self._keys.pop(key, None)

    def arrived(self, key: str) -> None:
        """Something is in it: neither it nor those above it are waited for."""
        while key:
            self.discard(key)
            key = key.rpartition("/")[0]

    def below(self, key: str) -> list[str]:
        """The last steps of the keys of those that stand in the folder *key*, or on the way to one."""
        start = f"{key}/"
        steps = (
            each[len(start) :].partition("/")[0]
            for each in list(self._keys)
            if each.startswith(start)
        )
        return list(dict.fromkeys(steps))
