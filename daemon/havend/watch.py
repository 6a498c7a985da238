"""Watching a source: which of its directories to look at again. Through inotify, by way of watchfiles.

Names no files: paths come through here as text, which not every name is, and events get lost when they come in floods.
What happened is for the scan of the directory to find out. Trio only.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING

import trio
import watchfiles

from havenfs.ingest import walk

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

log = logging.getLogger(__name__)

DEBOUNCE_MS = 300  # a burst (a camera's upload, an unpacked archive) becomes a few scans
READY_MS = (
    500  # how long the first answer may take when nothing happens; says that the watch stands
)


async def directories(root: bytes) -> AsyncGenerator[frozenset[bytes], None]:
    """Directories below *root* (relative, existing) in which something happened; the first set, empty, says that
    the watch stands. Raises OSError when the root is away or the system has no watches left."""
    ready = False
    async with contextlib.aclosing(
        watchfiles.awatch(
            os.fsdecode(root),
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=50,
            rust_timeout=READY_MS,
            yield_on_timeout=True,
            recursive=True,
            ignore_permission_denied=True,
        )
    ) as events:
        async for changes in events:
            if not ready:
                ready = True
                yield frozenset()
            if changes:
                paths = {path for _, path in changes}
                yield await trio.to_thread.run_sync(_nearest, root, paths)


def _nearest(root: bytes, paths: set[str]) -> frozenset[bytes]:
    """The existing directories that hold these paths."""
    found: set[bytes] = set()
    for path in paths:
        raw = os.fsencode(path)
        if raw != root and not raw.startswith(root + b"/"):
            continue
        here = raw[len(root) + 1 :].rpartition(b"/")[0]
        # A name that is not UTF-8 arrives mutilated, and so does all that lies below it.
        if b"\xef\xbf\xbd" in here:
            here = here[: here.index(b"\xef\xbf\xbd")].rpartition(b"/")[0]
        while here and not os.path.isdir(walk.joined(root, here)):  # noqa: PTH112 -- bytes
            here = here.rpartition(b"/")[0]
        if not any(walk.ignored(part) for part in here.split(b"/") if part):
            found.add(here)
    return frozenset(found)
