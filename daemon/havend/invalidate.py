"""Tells the kernel what it must ask again, as soon as another program has changed the catalog.

Threading: the task lives on the event loop and reads the inode table there; the catalog is read and the kernel is told
on threads, never inside a handler: the kernel would wait for the answer that the handler has yet to give.
"""

from __future__ import annotations

import errno
import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyfuse3
import trio

from havenfs.catalog import assets, changes
from havenfs.views import Leaf, affected

from .inodes import ROOT

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from havenfs.catalog import Catalog
    from havenfs.entities import Asset, AssetId
    from havenfs.views.affected import Touched

    from .inodes import InodeTable

log = logging.getLogger(__name__)

PERIOD_S = (
    0.05  # a person sees a change within two frames; an idle library costs 20 pragmas a second
)
MOST = (
    5000  # changes told one by one; beyond that it is cheaper to let the kernel forget every folder
)


async def run(
    catalog: Catalog, table: InodeTable, since: int, *, period_s: float = PERIOD_S
) -> None:
    """Tell the kernel of every change after generation *since*, until cancelled."""
    version = None
    while True:
        now = catalog.version()
        if now != version:
            version = now
            since = await _catch_up(catalog, table, since)
        await trio.sleep(period_s)


async def _catch_up(catalog: Catalog, table: InodeTable, since: int) -> int:
    news = await trio.to_thread.run_sync(_news, catalog, since)
    if news.changed is None:
        log.info("more changed than can be told one by one: every folder is asked again")
        stale = await _refresh(catalog, table, table.assets())
        entries = {(ROOT, name.encode()) for name in table.views()}
        folders = {ROOT}
    else:
        entries, folders = _remembered(table, news.touched)
        stale = await _refresh(catalog, table, news.changed)
    if entries or folders or stale:
        await trio.to_thread.run_sync(_tell, entries, folders, stale)
    return news.generation


@dataclass(frozen=True, slots=True)
class _News:
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


def _remembered(
    table: InodeTable, touched: Iterable[Touched]
) -> tuple[set[tuple[int, bytes]], set[int]]:
    """(directory, name) and directories that the kernel may have wrong."""
    now = time.time_ns()
    entries: set[tuple[int, bytes]] = set()
    folders: set[int] = set()
    for name in touched:
        folder = table.folder(name.folder)
        if folder is None:
            continue
        if name.child is not None and not name.gone and table.folder(name.child) is not None:
            continue  # still there: dropping it would pull the ground from under a shell that stands in it
        entries.add((folder.number, name.name))
        folders.add(folder.number)
        folder.touched_ns = now
    return entries, folders


async def _refresh(catalog: Catalog, table: InodeTable, ids: Sequence[AssetId]) -> set[int]:
    """Give remembered inodes their assets as they are now; the inodes whose bytes or attributes moved."""
    wanted = [asset_id for asset_id in ids if table.asset(asset_id) is not None]
    if not wanted:
        return set()
    stale: set[int] = set()
    for asset in await trio.to_thread.run_sync(_many, catalog, wanted):
        record = table.asset(asset.id)
        if record is None or record.leaf is None:
            continue
        old = record.leaf.asset
        if table.number(Leaf(asset)) == record.number:
            table.refresh(record, Leaf(asset))
        if (old.size, old.mtime_ns, old.hash) != (asset.size, asset.mtime_ns, asset.hash):
            stale.add(record.number)
    return stale


def _many(catalog: Catalog, ids: Sequence[AssetId]) -> list[Asset]:
    return catalog.read(assets.many, ids)


def _tell(
    entries: Iterable[tuple[int, bytes]], folders: Iterable[int], stale: Iterable[int]
) -> None:
    """Make the kernel forget. About 6 us an entry; blocks while the kernel is busy in that very directory."""
    for parent, name in entries:
        with _unknown_is_fine():
            pyfuse3.invalidate_entry(parent, name)
    for number in folders:
        with _unknown_is_fine():
            pyfuse3.invalidate_inode(number, attr_only=True)
    for number in stale:
        with _unknown_is_fine():
            pyfuse3.invalidate_inode(number)


@contextmanager
def _unknown_is_fine() -> Generator[None]:
    try:
        yield
    except OSError as error:
        # ENOENT: the kernel did not remember it. ENOTDIR, ENODEV, EBADF: it is being unmounted.
        if error.errno not in (
            errno.ENOENT,
            errno.ENOTDIR,
            errno.ENODEV,
            errno.EBADF,
            errno.ENOTCONN,
        ):
            log.warning("the kernel could not be told of a change: %s", error)
