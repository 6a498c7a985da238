"""The recorder: what workers found, written in small batches. The only writer of findings; trio, writes in a thread.

One transaction a batch keeps the disk quiet and tells the mount of many changes at once. What is lost in a crash was
still queued, so it is done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from havenfs.catalog import Catalog
    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.thumbnails import Images, Thumbnails

BATCH = 64
WAIT_S = 0.2  # how long a finding may wait for others


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing to write."""

    write: Callable[[Connection], object]
    done: Callable[[], None]
    """Called on the loop after the commit."""
    preview: Images | None = None
    """Hash and WebP images. Written first, so that a preview which the catalog knows of can be shown."""


class Recorder:
    """Give it entries; they are written in order."""

    def __init__(self, catalog: Catalog, thumbnails: Thumbnails) -> None:
        self._catalog = catalog
        self._thumbnails = thumbnails
        self._send, self._receive = trio.open_memory_channel[Entry](BATCH)

    async def put(self, entry: Entry) -> None:
        """Write this soon. Waits while a whole batch is waiting."""
        await self._send.send(entry)

    async def run(self) -> None:
        """Write until cancelled."""
        async for first in self._receive:
            batch = [first]
            with trio.move_on_after(WAIT_S):
                while len(batch) < BATCH:
                    batch.append(await self._receive.receive())
            await trio.to_thread.run_sync(self._write, batch)
            for entry in batch:
                entry.done()

    def _write(self, batch: Sequence[Entry]) -> None:
        if previews := [entry.preview for entry in batch if entry.preview is not None]:
            self._thumbnails.put_all(previews)
        self._catalog.write(_apply, batch)


def _apply(db: Connection, batch: Sequence[Entry]) -> None:
    for entry in batch:
        entry.write(db)
