"""@all-files: every member of the stacks that stand here, and behind them their sidecars, to be read.

A sidecar is called as its asset is here, with `.xmp`, `.aae` or `.json` behind it (`IMG_0001.jpg.xmp`, whichever of its
spellings it has on disk), so that the two stay together when both are copied elsewhere; a second one of the sort is
`IMG_0001.jpg.2.xmp`. It is a text, not the file itself: written to is the one in `files/`.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from havenfs.catalog import assets, beside, names, sources
from havenfs.entities import AssetId
from havenfs.errors import NotFound
from havenfs.originals import disk

from .folders import Assets, Folder
from .nodes import Leaf, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from havenfs.catalog.beside import Sidecar
    from havenfs.entities import Asset

    from .library import Library, Scope
    from .nodes import Entries, Entry

_EXTENSIONS = (b".xmp", b".aae", b".json")
MOST = 50_000
"""Assets of which sidecars are listed: 1.5 s. Of more, as in `@all-files` of a whole library, only the assets are; each sidecar
can still be opened by its name. A listing that takes ten seconds is given up by the mount."""


class AllFiles(Folder):
    """The members of stacks, flat, with sidecars."""

    __slots__ = ("_members",)
    costly = True  # of each asset the names beside it are asked: 30 us

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._members = Assets(scope)

    def entries(self) -> Entries:
        """Leaves by date, then sidecars in the same order."""
        return _Listing(self.scope, self._members.entries())

    def child(self, name: str) -> Leaf | Text:
        """An asset, or the sidecar of one."""
        try:
            return self._members.child(name)
        except NotFound:
            for asset, called, sidecar in self._candidates(name.encode()):
                if called == name:
                    return _text(self.scope.library, asset, sidecar)
            raise

    def real_name(self, name: bytes) -> bytes:
        """That of an asset by the index, that of a sidecar by its asset's."""
        try:
            return self._members.real_name(name)
        except NotFound:
            for _, called, _ in self._candidates(name):
                if names.key(called) == names.fold(name):
                    return called.encode()
            raise

    def _candidates(self, name: bytes) -> Iterator[tuple[Asset, str, Sidecar]]:
        """The sidecars of the assets that *name* may be about."""
        stem, extension = os.path.splitext(name)  # noqa: PTH122 -- a name
        if extension.lower() not in _EXTENSIONS:
            return
        before, _, number = stem.rpartition(b".")
        for owner in (stem, before) if number.isdigit() else (stem,):
            with suppress(NotFound):
                leaf = self._members.child(self._members.real_name(owner).decode())
                for called, sidecar in _sidecars(self.scope.library, leaf.asset):
                    yield leaf.asset, called, sidecar


class _Listing:
    """Entries: those of a Roll, then one for each sidecar, of which no more is held than asset and number."""

    __slots__ = ("_assets", "_library", "_numbers", "_owners")

    def __init__(self, scope: Scope, found: Entries) -> None:
        self._library = scope.library
        self._assets = found
        self._owners, self._numbers = array("q"), array("H")
        for _, node in found if len(found) <= MOST else ():
            if isinstance(node, Leaf):
                for number, _ in enumerate(_sidecars(self._library, node.asset)):
                    self._owners.append(node.asset.id)
                    self._numbers.append(number)

    def __len__(self) -> int:
        return len(self._assets) + len(self._owners)

    def __getitem__(self, index: int, /) -> Entry | None:
        if index < len(self._assets):
            return self._assets[index]
        at = index - len(self._assets)
        try:
            asset = self._library.catalog.glance(assets.get, AssetId(self._owners[at]))
        except NotFound:
            return None
        found = _sidecars(self._library, asset)
        if self._numbers[at] >= len(found):
            return None
        name, sidecar = found[self._numbers[at]]
        return name.encode(), _text(self._library, asset, sidecar)

    def __iter__(self) -> Iterator[Entry]:
        yield from filter(None, (self[index] for index in range(len(self))))


def _sidecars(library: Library, asset: Asset) -> list[tuple[str, Sidecar]]:
    """The sidecars of an asset, each under its name here."""
    found: list[tuple[str, Sidecar]] = []
    many: Counter[str] = Counter()
    for sidecar in library.catalog.glance(beside.of, asset):
        extension = os.path.splitext(sidecar.path)[1].decode().lower()  # noqa: PTH122 -- bytes
        many[extension] += 1
        number = f".{many[extension]}" if many[extension] > 1 else ""
        name = f"{asset.name}{number}{extension}"
        if len(name.encode()) <= names.LIMIT:  # else it has no name that can be looked up
            found.append((name, sidecar))
    return found


def _text(library: Library, asset: Asset, sidecar: Sidecar) -> Text:
    def render() -> bytes:
        source = library.catalog.glance(sources.get, asset.source_id)
        descriptor, _ = disk.open_file(source, sidecar.path)
        with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor
            return file.read(beside.LARGEST)

    key = f"sidecar/{asset.source_id}/{os.fsdecode(sidecar.path)}"
    return Text(key, render, sidecar.size, mtime_ns=sidecar.mtime_ns)
