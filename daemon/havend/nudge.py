"""Change notification: what the mount changes by itself is told to inotify, and so to file managers and Samba's clients.

The kernel makes inotify events for what programs do, not for what a file system announces. So a helper process
(`havend.nudger`) does in the mount what a program would have done: it makes the name that has appeared, removes the one
that has gone, touches the one that has changed. `Operations` recognises it and asks here what to answer; nothing that the
helper asks for is ever carried out. The kernel asks LOOKUP before each mknod and mkdir, also of a name that it knows, so
whether there is an event is decided here at that very moment.

The other way, directories of `files/` are watched on their disk from before they are listed, as long as they are open in the
mount or were lately. The helper reads what happens there: changes made behind the mount are told to the kernel and announced
like any other.

Any thread, but for `close`. Until `start`, nobody is recognised and nothing is announced.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import os
import stat
import threading
import time
import weakref
from collections import OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from havenfs.bounded import Bounded
from havenfs.errors import NotFound, NotPermitted
from havenfs.views import DiskFile, Leaf, Text

from . import nudger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from havenfs.views.nodes import Directory, Node

    from .helper import Helper

log = logging.getLogger(__name__)

RATE = (
    500.0  # names a second, and how many at once; each costs the mount two requests: 3 % of a core
)
OPEN = (
    256  # directories opened last, besides those that are open; they go first when names are many
)
WATCHED = 1024  # directories of files/ watched on disk that nobody has open; the indexer needs such watches too
QUEUE = 4096  # directories waiting for a helper that waits for a disk; the oldest news are dropped
OWN_S = 1.0  # how long what the helper sees on disk may be an echo of what came through the mount
ECHOES = 4096  # names and files of which either is known
GOING_S = 2.0  # how long a name that has gone may wait to be announced; until then each who looks for it asks us
PHANTOM: Final = (
    3 << 60
)  # + 1 a file, + 2 a directory: inodes that are nobody's, for names to be removed
_INODE: Final = (1 << 48) - 1

T = TypeVar("T")

_libc = ctypes.CDLL(None)  # inotify_add_watch may wait for a disk


class Fate(Enum):
    """What became of a name."""

    NEW = nudger.NEW
    NEW_DIRECTORY = nudger.NEW_DIRECTORY
    GONE = nudger.GONE
    GONE_DIRECTORY = nudger.GONE_DIRECTORY
    CHANGED = nudger.CHANGED


_APPEARING = (Fate.NEW, Fate.NEW_DIRECTORY)
_GOING = (Fate.GONE, Fate.GONE_DIRECTORY)
News = tuple[bytes, Fate]


class Kernel(Protocol):
    """How the kernel is made to forget (`havend.invalidate.Kernel`)."""

    def entry(self, parent: int, name: bytes) -> None:
        """A name."""
        ...

    def inode(self, nodeid: int, *, attributes_only: bool) -> None:
        """Attributes, and pages or the listing unless *attributes_only*."""
        ...


class Nudges:
    """Announces changes, and knows the helper that does it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        """Of the helper; 0: there is none."""
        self._helper: Helper | None = None
        """The same, as long as it is spoken to."""
        self._closing = threading.Event()
        self._pool: ThreadPoolExecutor | None = None
        self._queue: deque[tuple[int, Sequence[News]]] = deque(maxlen=QUEUE)
        self._busy = False
        self._pending: dict[tuple[int, bytes], Fate] = {}  # what the helper is at
        self._open: OrderedDict[int, int] = OrderedDict()  # directory to how often it is open
        self._disks: OrderedDict[int, tuple[int, bytes]] = OrderedDict()  # directory to watch, path
        self._watches: dict[int, int] = {}  # watch to directory
        self._eye: int = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        """-1: the system has no more of them, and nothing is watched."""
        if self._eye >= 0:
            weakref.finalize(self, os.close, self._eye)
        self._own: Bounded[tuple[int, bytes] | int, float] = Bounded(ECHOES)
        self._going: Bounded[tuple[int, bytes], float] = Bounded(ECHOES)
        self._tokens = RATE
        self._refilled = time.monotonic()

    def start(self, point: Path, where: Callable[[int], bytes | None], kernel: Kernel) -> None:
        """Begin, once *point* is mounted. *where* says the path of a directory below it, if it is known."""
        self._where = where
        self._kernel = kernel
        self._pool = ThreadPoolExecutor(1, "nudge")
        self._pool.submit(self._run, point)

    def close(self) -> None:
        """End, before the mount does. Does not wait: the helper's last request may want an answer from this thread."""
        self._closing.set()
        with self._lock:
            if self._helper is not None:
                self._helper.hang_up()
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    # --- what Operations asks -------------------------------------------------------------------------------

    def is_helper(self, uid: int, gid: int, pid: int) -> bool:
        """Whether it is the helper that asks, or that of a predecessor: what it asks for must not be done."""
        return pid == self._pid != 0 or (gid == nudger.MARK and uid == 0)

    def phantom(self, parent: int, name: bytes) -> tuple[int, int] | None:
        """How the helper finds a name: (number, mode) of what it may remove; None: as everybody does.

        Raises FileNotFoundError for what it is to make: not NotFound, which the kernel would remember."""
        fate = self._pending.get((parent, name))
        if fate in _APPEARING:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fsdecode(name))
        if fate is Fate.GONE:
            return PHANTOM + 1, stat.S_IFREG
        if fate is Fate.GONE_DIRECTORY:
            return PHANTOM + 2, stat.S_IFDIR | 0o700
        return None

    def going(self, parent: int, name: bytes) -> None:
        """A name has gone, and is about to be announced: call it before the kernel is made to forget it. If somebody looks
        for it in between, and the kernel remembers that it is not there, the helper finds nothing to remove."""
        self._going[parent, name] = time.monotonic() + GOING_S

    def is_going(self, parent: int, name: bytes) -> bool:
        """Whether the kernel must not remember yet that there is no such name."""
        return bool(self._going) and self._going.get((parent, name), 0.0) > time.monotonic()

    def appears(self, parent: int, name: bytes, directory: Directory) -> Node:
        """The helper makes a name: what it is. Raises NotPermitted if it was not told to, NotFound if it has gone."""
        fate = self._pending.pop((parent, name), None)
        if fate not in _APPEARING:
            raise NotPermitted("nothing appears here")
        node = directory.lookup(name)
        regular = isinstance(node, Leaf | Text) or (
            isinstance(node, DiskFile) and stat.S_ISREG(node.status.st_mode)
        )
        if regular != (fate is Fate.NEW) or (isinstance(node, DiskFile) and not regular):
            raise NotPermitted("it is of another kind")
        return node

    def vanishes(self, parent: int, name: bytes, directory: Directory) -> None:
        """The helper removes a name. Raises NotPermitted if it was not told to, and if the name is there again."""
        self._going.pop((parent, name), None)
        if self._pending.pop((parent, name), None) not in _GOING:
            raise NotPermitted("nothing goes here")
        with contextlib.suppress(NotFound):
            directory.lookup(name)
            raise NotPermitted("it is there again")

    # --- what the mount tells -------------------------------------------------------------------------------

    def opened(self, directory: int, path: bytes | None = None) -> None:
        """A directory was opened, and is about to be listed; *path* is where it lies on disk, of those that do."""
        # Before it is listed: what comes later is told. Each time: a watch ends with its directory, not with its number.
        watch = -1 if path is None else _libc.inotify_add_watch(self._eye, path, nudger.WATCHED)
        with self._lock:
            self._open[directory] = self._open.get(directory, 0) + 1
            self._open.move_to_end(directory)
            _shorten(self._open, OPEN, self._open)
            if path is None or watch < 0:  # gone, or one too many for the system
                return
            self._disks[directory] = watch, path
            self._disks.move_to_end(directory)
            self._watches[watch] = directory
            for dropped, _ in _shorten(self._disks, WATCHED, self._open):
                self._watches.pop(dropped, None)
                _libc.inotify_rm_watch(self._eye, dropped)

    def closed(self, directory: int) -> None:
        """A directory was closed."""
        with self._lock:
            if self._open.get(directory):
                self._open[directory] -= 1

    def own(self, parent: int, name: bytes) -> None:
        """A name in `files/` is about to change through the mount: the kernel makes the event."""
        self._ours((parent, name))

    def own_file(self, nodeid: int) -> None:
        """A file of `files/` is about to change through the mount."""
        self._ours(nodeid)

    def _ours(self, what: tuple[int, bytes] | int) -> None:
        if self._disks:  # nobody looks at the disk: there will be no echo
            self._own[what] = time.monotonic() + OWN_S

    # --- announcing -----------------------------------------------------------------------------------------

    def announce(self, news: Mapping[int, Sequence[News] | None]) -> None:
        """Make events for names of directories; None: for the directory itself, of which too much changed. Call it when
        the kernel has been told, and never while the mount cannot answer."""
        with self._lock:
            if self._helper is None:
                return
            now = time.monotonic()
            self._tokens = min(RATE, self._tokens + RATE * (now - self._refilled))
            self._refilled = now
            for directory in sorted(news, key=lambda number: number not in self._open):
                names = news[directory]
                wanted = len(names) if names is not None else nudger.MOST + 1
                if directory not in self._open and wanted > self._tokens / 2:
                    continue  # most likely nobody looks, and others need it more
                if wanted > min(self._tokens, nudger.MOST):
                    names, wanted = (), 1
                self._tokens -= wanted
                self._queue.append((directory, names or ()))
            self._say()

    def _say(self) -> None:
        """Give the helper the next directory. One at a time: a name may be on its way twice, with different fates."""
        while self._queue and not self._busy:
            directory, names = self._queue.popleft()
            path = self._where(directory)
            if path is not None:
                self._pending = {(directory, name): fate for name, fate in names}
                fields = [field for name, fate in names for field in (fate.value, name)]
                helper = self._helper
                self._busy = helper is not None and helper.say(nudger.SAY, path, *fields)

    # --- the helper -----------------------------------------------------------------------------------------

    def _run(self, point: Path) -> None:
        """Keep a helper, and hear it."""
        try:
            while not self._closing.is_set():
                self._hear(point)
                self._closing.wait(1.0)  # it never ends by itself; if it does, not in a tight loop
        except Exception:
            log.exception("changes are not announced any more")
            raise

    def _hear(self, point: Path) -> None:
        from . import helper as helpers  # by this thread, while the mount answers already

        try:
            with helpers.at_work(point, self._eye) as helper:
                with self._lock:
                    self._pid, self._helper = helper.pid, helper
                if self._closing.is_set():
                    helper.hang_up()
                while message := helper.heard():
                    kind, *rest = message
                    if kind == nudger.SEEN:
                        self._seen(*rest)
                        continue
                    with self._lock:
                        self._busy = False
                        self._pending = {}
                        self._say()
                with self._lock:
                    self._helper, self._busy, self._pending = None, False, {}
                    self._queue.clear()
        finally:
            self._pid = 0

    def _seen(self, watch: bytes, *fields: bytes) -> None:
        """Something happened on a disk."""
        if watch == nudger.LOST:
            for directory in list(self._disks):
                self._happened(directory, b"", ())
            return
        directory = self._watches.get(int(watch))
        found = self._disks.get(directory) if directory is not None else None
        if directory is not None and found is not None:
            self._happened(directory, found[1], fields)

    def _happened(self, directory: int, path: bytes, fields: Sequence[bytes]) -> None:
        """Fate and name in turn, in a directory at this *path*; none: something."""
        news: dict[bytes, Fate | None] = {}
        now = time.monotonic()
        for value, name in zip(fields[::2], fields[1::2], strict=True):
            fate = Fate(value)
            echo = self._own.get((directory, name), 0.0)
            if fate is not Fate.CHANGED and echo < now:
                # Not an echo: whoever stands in the folder that he has just made would stand nowhere (getcwd: ENOENT).
                if fate in _GOING:
                    self.going(directory, name)
                self._kernel.entry(directory, name)
            if fate is Fate.CHANGED:
                file = directory & ~_INODE | _number(path, name)
                self._kernel.inode(file, attributes_only=False)
                echo = max(echo, self._own.get(file, 0.0))
            if echo < now:
                news[name] = _together(news.get(name), fate)
        self._kernel.inode(directory, attributes_only=False)
        told = [(name, fate) for name, fate in news.items() if fate is not None]
        if told or not fields:
            self.announce({directory: told or None})


def _number(path: bytes, name: bytes) -> int:
    try:
        return os.lstat(path + b"/" + name).st_ino
    except OSError:
        return 0


def _together(first: Fate | None, then: Fate) -> Fate | None:
    """What two things that happened to one name come to."""
    if first in _APPEARING:
        return None if then in _GOING else first
    if first in _GOING and then in _APPEARING:
        return Fate.CHANGED
    return then


def _shorten(lasting: OrderedDict[int, T], most: int, counts: Mapping[int, int]) -> list[T]:
    """Drop the oldest of what is not open, down to *most*; what was dropped."""
    dropped: list[T] = []
    while len(lasting) > most:
        oldest = next((number for number in lasting if not counts.get(number)), None)
        if oldest is None:
            break
        dropped.append(lasting.pop(oldest))
    return dropped
