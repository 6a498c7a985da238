"""Where files of `files/` were last listed: enough to find one again by its number, at a tenth of the price of a record.

A hint, never a promise: what is not here any more, or not there any more, is ESTALE, upon which the kernel looks the path
up anew. Bounded in two generations, so that forgetting costs nothing. Any thread.
"""

from __future__ import annotations

Address = tuple[int, bytes]
"""Number of the directory, name in it."""

GENERATION = 32_768  # files; two of them take 13 MiB


class Sightings:
    """Number of a file to where it was seen."""

    def __init__(self) -> None:
        self._young: dict[int, Address] = {}
        self._old: dict[int, Address] = {}

    def note(self, nodeid: int, parent: int, name: bytes) -> None:
        """A file was seen."""
        young = self._young
        young[nodeid] = parent, name
        if len(young) >= GENERATION:
            self._old, self._young = young, {}

    def find(self, nodeid: int) -> Address | None:
        """Where it was seen last, if that is remembered."""
        return self._young.get(nodeid) or self._old.get(nodeid)

    def forget(self, nodeid: int) -> bool:
        """The kernel has forgotten it; whether it was remembered."""
        young, old = self._young.pop(nodeid, None), self._old.pop(nodeid, None)
        return young is not None or old is not None
