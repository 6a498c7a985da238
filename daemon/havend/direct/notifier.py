"""What the kernel is told unasked: that a name, an inode or everything is to be asked for again.

Never told by a thread that answers requests: the kernel takes locks that a waiting request may hold, so that the answer
would wait for itself. Notices therefore go through a queue to one thread of their own. Our own kept answers go first; and
an answer that was taken from them a moment before is let pass, so that the notice comes after it.

To drop a name the kernel takes the lock of its directory, which a client may hold while it waits for an answer of ours. Whoever
waits for that lock cannot be killed: a program that was, with its supervisor, would go on to hold the mount, and so the client,
for ever. While anybody waits for an answer every name is therefore told to be asked for again, which takes no lock; it costs
each name one LOOKUP when it is next used. What is left is who asks in the microseconds before the notice, for something that
takes long.
"""

from __future__ import annotations

import errno
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from . import wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from .capabilities import Capabilities
    from .replies import Replies

log = logging.getLogger(__name__)

# ENOENT: the kernel did not remember it. ENOTEMPTY, EBUSY: it is in use and stays. The others: it is being unmounted.
_FINE: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY, errno.EBUSY, errno.ENODEV, errno.EBADF}
    | {errno.ENOTCONN, errno.ECONNABORTED, errno.EPERM}
)


class Notifier:
    """The `Kernel` of the invalidation. Any thread; returns at once."""

    def __init__(
        self,
        descriptor: int,
        kept: Replies,
        let_pass: Callable[[], None],
        quiet: Callable[[], bool],
    ) -> None:
        """*let_pass* returns when the request that is being served now has its answer, or takes long. *quiet*: whether a moment
        came soon in which nobody waited for an answer."""
        self._device = descriptor
        self.agreed: Capabilities | None = None
        """What the kernel understands; before INIT it knows nothing that could be wrong."""
        self._kept = kept
        self._let_pass = let_pass
        self._quiet = quiet
        self._passed = -1  # the age of what is kept when nothing older was on its way any more
        self._covered = -1  # and when every name was told to be asked for again
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="notifier")

    def entry(self, parent: int, name: bytes) -> None:
        """A name in a directory may mean something else, or nothing, or something at last."""
        self._kept.forget_directory(parent)
        # Not EXPIRE_ONLY: a name that was absent, or is now, must be gone before the next look at it, not asked again only.
        body = wire.INVAL_ENTRY.pack(parent, len(name), 0)
        self._post(wire.notice(wire.NOTIFY_INVAL_ENTRY, body, name, b"\0"), locks=True)

    def expire(self, parent: int, name: bytes) -> None:
        """A name is to be asked for again, but whoever stands below it keeps the ground."""
        if self.agreed is None or not self.agreed.expire_only:
            return
        self._kept.forget_directory(parent)
        body = wire.INVAL_ENTRY.pack(parent, len(name), wire.EXPIRE_ONLY)
        self._post(wire.notice(wire.NOTIFY_INVAL_ENTRY, body, name, b"\0"))

    def inode(self, nodeid: int, *, attributes_only: bool) -> None:
        """Attributes, and pages or the listing unless *attributes_only*, may have changed."""
        self._kept.forget_inode(nodeid)
        start = -1 if attributes_only else 0
        self._post(wire.notice(wire.NOTIFY_INVAL_INODE, wire.INVAL_INODE.pack(nodeid, start, 0)))

    def everything(self) -> bool:
        """Every name may be wrong. False if this kernel cannot be told so at once."""
        self._kept.forget_all()
        if self.agreed is None or not self.agreed.epoch:
            return False
        self._post(wire.notice(wire.NOTIFY_INC_EPOCH))
        return True

    def settle(self) -> None:
        """Wait until everything that was said so far has reached the kernel. Never from a thread that serves."""
        self._thread.submit(int).result()

    def close(self) -> None:
        """Say no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _post(self, message: bytes, *, locks: bool = False) -> None:
        """*locks*: the kernel takes a directory's lock for it."""
        if self.agreed is None:
            return
        try:
            self._thread.submit(self._tell, message, self._kept.age, locks and self.agreed.epoch)
        except RuntimeError:
            log.debug("closed: nobody is told any more")

    def _tell(self, message: bytes, age: int, locks: bool) -> None:  # noqa: FBT001
        if locks and age <= self._covered:
            return
        if age > self._passed:
            now = self._kept.age
            self._let_pass()
            self._passed = now
        if locks and not self._quiet():
            self._covered = self._kept.age
            message = wire.notice(wire.NOTIFY_INC_EPOCH)
        try:
            os.write(self._device, message)
        except OSError as error:
            if error.errno not in _FINE:
                log.warning("the kernel could not be told of a change: %s", error)
