"""Opening originals for reading, never outside their source.

The path comes from the catalog, but the disk may have changed since: a folder of it may be a symlink by now. So
every component is opened relative to the one before, without following links. A few system calls; may wait for a
sleeping disk, so call it in a thread.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from starlette.responses import FileResponse

from havenfs.errors import NotPermitted, SourceGone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

BELOW = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LEAF = (
    os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
)  # NONBLOCK: a FIFO must not hold us


def open_below(root: bytes, relative: bytes) -> int:
    """A descriptor of the regular file *relative* in *root*. Raises NotPermitted, SourceGone."""
    parts = relative.split(b"/")
    if not all(part not in (b"", b".", b"..") for part in parts):
        raise NotPermitted("the path leaves its source")
    try:
        at = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts[:-1]:
                below = os.open(part, BELOW, dir_fd=at)
                os.close(at)
                at = below
            leaf = os.open(parts[-1], LEAF, dir_fd=at)
        finally:
            os.close(at)
    except PermissionError as error:
        raise NotPermitted("the original may not be read by this program") from error
    except OSError as error:
        raise SourceGone(
            f"the original is not where it was: {os.strerror(error.errno or 0)}"
        ) from error
    if not stat.S_ISREG(os.fstat(leaf).st_mode):
        os.close(leaf)
        raise SourceGone("the original is no longer a regular file")
    return leaf


class OriginalResponse(FileResponse):
    """Streams an open descriptor, with Range, and closes it whatever happens to the connection."""

    chunk_size = 1024 * 1024  # measured: 1.8 GB/s, half of that at Starlette's 64 KiB

    def __init__(
        self,
        descriptor: int,
        *,
        name: str,
        media_type: str,
        disposition: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(
            f"/proc/self/fd/{descriptor}",  # the open file itself: no second walk of the path
            stat_result=os.fstat(descriptor),
            filename=name,
            media_type=media_type,
            content_disposition_type=disposition,
            headers=headers,
        )
        self.descriptor = descriptor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            os.close(self.descriptor)
