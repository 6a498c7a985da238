"""Tells the kernel what it must ask again, as soon as a program has changed the catalog.

Synchronous. Telling happens on a thread of its own, never inside a handler: the kernel would wait for the answer that
the handler has yet to give.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from havenfs.catalog import assets, changes
from havenfs.views import Leaf, affected

from .inodes import ROOT
from .nudge import Fate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from havenfs.catalog import Catalog
    from havenfs.entities import AssetId
    from havenfs.views.affected import Touched

    from .inodes import Record
    from .nudge import News
    from .operations import Operations

log = logging.getLogger(__name__)

PERIOD_S = 0.03  # told within 50 ms at worst, the telling included; an idle library costs 33 pragmas a second
MOST = 5000  # changes told one by one; beyond that it is cheaper to have every folder asked again


class Kernel(Protocol):
    """How a transport makes the kernel forget. May block while the kernel is busy in that very directory."""

    def entry(self, parent: int, name: bytes) -> None:
        """A name in a directory may mean something else, or nothing, or something at last."""
        ...

    def inode(self, nodeid: int, *, attributes_only: bool) -> None:
        """Attributes, and pages or the listing unless *attributes_only*, may have changed."""
        ...

    def everything(self) -> bool:
        """Every name may be wrong. False if this kernel cannot be told so at once."""
        ...


class Watcher:
    """Follows the changes of the catalog from one generation on."""

    def __init__(self, operations: Operations, kernel: Kernel) -> None:
        self._operations = operations
        self._table = operations.table
        self._catalog = operations.library.catalog
        self._kernel = kernel
        self._since = self._catalog.read(changes.generation)
        self._version: int | None = None
        self._gone: set[str] = set()  # folders that the kernel was told are empty

    def due(self) -> bool:
        """Whether the catalog may have changed since the last look. Microseconds, and only right when always asked on
        one and the same thread: the answer is about that thread's connection."""
        version = self._catalog.version()
        if version == self._version:
            return bool(self._operations.doubtful)
        self._version = version
        return True

    def tell(self) -> None:
        """Tell the kernel what changed. Never from a thread that answers the kernel."""
        self._operations.news()  # first: an answer that was read before is not to be kept if it leaves after
        while self._operations.doubtful:
            self._kernel.entry(*self._operations.doubtful.popleft())
        others = self._operations.reconsider()
        news = _news(self._catalog, self._since)
        if news.generation == self._since and not others:
            return
        self._since = news.generation
        if news.changed is None or others:
            log.info("more changed than can be told one by one: every folder is asked again")
            self._tell_all()
        else:
            self._tell(news.touched, news.changed)

    def _tell(self, touched: Iterable[Touched], changed: Sequence[AssetId]) -> None:
        """Each name and folder that the kernel may have wrong. About 6 us a name."""
        now = time.time_ns()
        folders: dict[int, list[News]] = {}
        stale: dict[int, Record] = {}
        for name in touched:
            turned = name.child is None or self._turned(name.child, gone=name.gone)
            folder = self._table.folder(name.folder)
            if folder is None:
                continue
            stale[folder.nodeid] = folder
            if not turned:
                # Still there: dropping it would pull the ground from under a shell that stands in it. But it may have
                # been away for a moment, and the folder listed without it.
                continue
            if name.gone:
                self._operations.nudges.going(folder.nodeid, name.name)
            self._kernel.entry(folder.nodeid, name.name)
            folders.setdefault(folder.nodeid, []).append((name.name, _fate(name)))
        for nodeid, folder in stale.items():
            folder.touched_ns = now  # by which the kernel knows a listing that it kept for old: not earlier than told
            self._kernel.inode(nodeid, attributes_only=False)
        for asset in self._catalog.read(assets.many, changed, mates=True):
            self._kernel.inode(self._table.number(Leaf(asset)), attributes_only=False)
        self._operations.nudges.announce(folders)

    def _turned(self, child: str, *, gone: bool) -> bool:
        """Whether the folder of this key came or went, as far as the kernel was told."""
        if gone:
            self._gone.add(child)
            return True
        if child in self._gone:  # it is back, though the kernel may still remember what it was
            self._gone.discard(child)
            return True
        return self._table.folder(child) is None

    def _tell_all(self) -> None:
        folders = self._table.folders()
        self._gone.clear()
        now = time.time_ns()
        for folder in folders:
            folder.touched_ns = now
        if not self._kernel.everything():
            for folder in folders:
                if folder.parent == ROOT:  # what lies below goes with it
                    self._kernel.entry(ROOT, folder.name)
        for folder in folders:
            self._kernel.inode(folder.nodeid, attributes_only=False)
        self._operations.nudges.announce({folder.nodeid: None for folder in folders})


def _fate(name: Touched) -> Fate:
    if name.child is not None:
        return Fate.GONE_DIRECTORY if name.gone else Fate.NEW_DIRECTORY
    if name.gone == name.new:
        return Fate.CHANGED
    return Fate.GONE if name.gone else Fate.NEW


class _News(Struct, frozen=True):
    generation: int
    changed: list[AssetId] | None
    """None: too many, or the log does not go back far enough."""
    touched: set[Touched]


def _news(catalog: Catalog, since: int) -> _News:
    found = catalog.read(changes.since, since, limit=MOST + 1)
    if found is None or len(found) > MOST:
        return _News(catalog.read(changes.generation), None, set())
    generation = found[-1].seq if found else since
    moved = [change for change in found if change.before is not None or change.after is not None]
    ids = list(dict.fromkeys(change.asset_id for change in moved if change.asset_id is not None))
    return _News(generation, ids, affected(catalog, moved) if moved else set())
