"""The loop that serves the kernel, and who looks after it.

One thread at a time leads: it reads a request, carries it out and answers it, whatever the request is; nothing pays for
a hand-over. A watchman looks every LOOK_S while there is work: a leader that has been in one request that long is
deposed. Another thread leads on, the old one finishes its request and goes. So a dead disk or a long search holds nobody
else up. A request that has no answer after PATIENCE_S is answered EIO by the watchman, one that changes nothing and is
interrupted EINTR at once; the kernel then takes no second answer, and what that one would have given is let go.

Before it sleeps the leader spins SPIN_S: waking up costs a client 30 us, and the next request of an `ls` or a copy comes
sooner. Replies are written by the thread that did the work. Never run anything else in this process.
"""

from __future__ import annotations

import _thread
import ctypes
import errno
import io
import logging
import os
import select
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from havend import session
from havend.invalidate import PERIOD_S, Watcher
from havend.patience import LONG_PATIENCE_S, PATIENCE_S, Patience

from . import capabilities, wire
from .capabilities import Capabilities
from .dispatch import Dispatch
from .ledger import INIT
from .notifier import Notifier
from .replies import Replies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from havend.operations import Operations
    from havenfs.config import State

    from .entries import Header
    from .ledger import Ledger
    from .supervisor import Inheritance

log = logging.getLogger(__name__)

SPIN_S: Final = 30e-6  # measured on an idle machine: a cold lookup 51 -> 18 us
LOOK_S: Final = 0.01
MOMENT_S: Final = 2e-5
MOST_STUCK: Final = 500  # threads: a disk that hangs for hours must not take the machine's memory
STACK: Final = 512 << 10

# What may bring gigabytes to a slow disk, and so is honestly long.
_LONG: Final = frozenset(
    {wire.FSYNC, wire.FSYNCDIR, wire.FLUSH, wire.RELEASE, wire.FALLOCATE}
    | {wire.COPY_FILE_RANGE, wire.COPY_FILE_RANGE_64, wire.SYNCFS}
)
_CLOSING: Final = frozenset({wire.FLUSH, wire.RELEASE})
_NOTWITHSTANDING: Final = frozenset(
    {wire.FORGET, wire.BATCH_FORGET, wire.RELEASE, wire.RELEASEDIR, wire.FLUSH, wire.STATFS}
)
"""What is done even where the disk is given up, for it lets go of something, or asks any disk."""
_BUFFER: Final = wire.HEAD + wire.WRITE_IN.size + capabilities.MAX_WRITE
_AGAIN: Final = frozenset({errno.ENOENT, errno.EINTR})
_libc = ctypes.PyDLL(None)  # for calls that cannot wait, and so need not let other threads run


def serve(state: State, mountpoint: Path, inheritance: Inheritance) -> None:
    """Serve the tree of *state*, which is mounted on *mountpoint* already, until it is unmounted."""
    with session.opened(state, mountpoint, ledger=inheritance.ledger) as operations:
        server = Server(
            inheritance.fuse,
            operations,
            ledger=inheritance.ledger,
            beat=inheritance.beat,
        )
        watcher = Watcher(operations, server.notifier)  # before the first answer: from here on
        operations.library.catalog.leave()  # this thread waits; who serves takes it up
        with ThreadPoolExecutor(1, thread_name_prefix="watcher") as watching:
            following = watching.submit(
                _follow, server, watcher, state, mountpoint, afresh=inheritance.resent
            )
            try:
                server.run(inheritance.ready)
            finally:
                server.stop()
                operations.nudges.close()
            following.result()  # what it failed of, we fail of: the mount goes on with the next server


def _follow(
    server: Server, watcher: Watcher, state: State, mountpoint: Path, *, afresh: bool
) -> None:
    """Tell the kernel what changes, until the server ends. One thread from the first to the last.

    *afresh*: after a predecessor, of which nobody knows what it told last: everything is asked for again.
    """
    operations, notifier = server.operations, server.notifier
    try:
        while server.capabilities is None and not server.over.wait(PERIOD_S):
            pass
        if afresh and not notifier.everything():
            for name, _ in operations.snapshot(wire.ROOT).entries:
                notifier.expire(wire.ROOT, name)
        if server.over.wait(PERIOD_S):
            return
        # Who waits for us already has been answered: these take 20 ms and 5 ms to start.
        operations.nudges.start(mountpoint, operations.table.path, notifier)
        from havend import deciding

        with deciding.answering(state, operations):
            while not server.over.wait(PERIOD_S):
                if watcher.due():
                    watcher.tell()
                operations.let_go()
                operations.settle()
                server.let_go()
    except Exception:
        log.exception("nobody tells the kernel of changes any more")
        server.stop()
        raise


class _Seat:
    """A thread that serves, and the request it is in."""

    __slots__ = ("header", "idle", "since", "told", "unique")

    def __init__(self) -> None:
        self.unique = 0
        """0 between requests."""
        self.header: Header | None = None
        self.idle = False
        """Whether it sleeps until there is something to read; nothing is read while this holds."""
        self.since = 0.0
        """When it was deposed."""
        self.told = False
        """Whether somebody was told that there is no answer."""


class Server:
    """One session on /dev/fuse."""

    def __init__(
        self,
        descriptor: int,
        operations: Operations,
        *,
        ledger: Ledger,
        beat: memoryview | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """*beat*, of format Q, shows the request last read to whoever watches over this process."""
        os.set_blocking(descriptor, False)
        self._device = descriptor
        self.operations = operations
        self._ledger = ledger
        self._beat = beat if beat is not None else memoryview(bytearray(8)).cast("Q")
        self._patience = patience_s
        self._sickness = Patience(patience_s)
        self._sick = False
        """Whether it has given up any disk."""
        self._kept = Replies()
        self._leader: _Seat | None = None
        self._stuck: list[_Seat] = []
        self.over = threading.Event()
        """Set when nothing is served any more."""
        self._failure: OSError | None = None
        """Why requests can be read no more, other than that there is no mount."""
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._alarm = _Alarm()
        self._seen = 0
        self._dispatch: Dispatch | None = None
        self._unread = select.poll()
        self._unread.register(descriptor, select.POLLIN)
        self.notifier = Notifier(descriptor, self._kept, self._let_pass, self._quiet)
        """How to make the kernel forget."""
        self.capabilities: Capabilities | None = None
        """What was agreed on; None until INIT."""
        note = ledger.noted(INIT)
        if note is not None:
            self._agreed(Capabilities.unpack(note))

    def _agreed(self, agreed: Capabilities) -> None:
        self.capabilities = agreed
        self.notifier.agreed = agreed
        self._dispatch = Dispatch(
            self._device, self.operations, agreed, self._kept, self._ledger, self._answer
        )

    def let_go(self) -> None:
        """Close what is only kept for a moment. To be called about that often."""
        if self._dispatch is not None:
            self._dispatch.backing.let_go()

    @property
    def refusals(self) -> dict[int, str]:
        """Source id -> why its files are read by copying."""
        return self._dispatch.backing.refusals if self._dispatch is not None else {}

    def run(self, ready: Callable[[], None] | None = None) -> None:
        """Serve until the file system is unmounted, or `stop`. Call once; *ready* is called before the first request.

        Raises OSError when requests cannot be read though there is a mount.
        """
        # Threads that hang in a disk cannot be joined, and must not keep the process from ending: hence no executor.
        threading.stack_size(STACK)
        _thread.start_new_thread(self._watch, ())
        self._depose()
        if ready is not None:
            ready()
        self.over.wait()
        self._leader = None
        self._alarm.arm(0.0)
        self.notifier.close()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Make `run` return. Any thread; the file system stays mounted, and requests wait for the next server."""
        self.over.set()
        os.eventfd_write(self._wake, 1)

    # --- leading ------------------------------------------------------------------------------------------------

    def _depose(self) -> None:
        """Let another thread lead."""
        self._leader = seat = _Seat()
        _thread.start_new_thread(self._lead, (seat,))

    def _lead(self, seat: _Seat) -> None:
        try:
            self._loop(seat)
        except OSError as error:
            if error.errno not in (errno.ENODEV, errno.ECONNABORTED):
                self._failure = error
            self.over.set()
        except (
            Exception
        ):  # a mistake of ours, outside of what a request asks for: the next one leads
            log.exception("a thread that served has failed")
            if self._leader is seat:
                self._depose()
        finally:
            seat.unique = 0

    def _loop(self, seat: _Seat) -> None:
        device, beat, alarm = self._device, self._beat, self._alarm
        buffer = memoryview(bytearray(_BUFFER))
        read, parse = io.FileIO(device, closefd=False).readinto, wire.HEADER.unpack_from
        poller = select.poll()
        poller.register(device, select.POLLIN)
        poller.register(self._wake, select.POLLIN)
        clock, until = time.perf_counter, 0.0
        while self._leader is seat and not self.over.is_set():
            try:
                length = read(buffer)
            except OSError as error:
                if error.errno in _AGAIN:
                    continue
                raise
            if length is None:  # there is nothing to read
                now = clock()
                if not until:
                    until = now + SPIN_S
                elif now > until:
                    seat.idle = True
                    poller.poll()
                    seat.idle = False
                    until = 0.0
                continue
            until = 0.0
            if length < wire.HEAD:
                if not length:
                    self.over.set()  # the other end has closed: not /dev/fuse, which says ENODEV
                continue
            header: Header = parse(buffer)
            beat[0] = seat.unique = header[2]
            seat.header = header
            if not alarm.armed:
                alarm.arm(LOOK_S)
            if header[0] != length:
                self._answer(header[2], errno.EINVAL)
            else:
                self._serve(header, buffer[wire.HEAD : length - 8 * header[7]])
            seat.unique = 0

    def _serve(self, header: Header, body: memoryview) -> None:
        dispatch = self._dispatch
        if dispatch is None or header[1] in _SESSION:
            self._converse(header, body)
            return
        if self._sick and header[1] not in _NOTWITHSTANDING and self._sickness.given_up(header[3]):
            self._answer(header[2], errno.EIO)
            return
        answer = dispatch.carry_out(header, body)
        if answer is None:
            return
        unique = header[2]
        if isinstance(answer, int):
            self._answer(unique, answer)
            return
        size = len(answer)
        head = _head(wire.ANSWER_HEAD + size, 0, unique)
        try:
            if size > _SHORT:
                os.writev(self._device, (head, answer))
            else:
                os.write(self._device, head + answer)
        except OSError as error:
            if error.errno == errno.EINVAL:
                log.exception("the kernel took request %d's answer for nonsense", header[1])
                self._answer(unique, errno.EIO)
            dispatch.undo(header[1], answer)

    def _answer(self, unique: int, code: int) -> None:
        """Send an errno, or 0 with nothing more. A request that is gone takes no answer."""
        with suppress(OSError):
            os.write(self._device, _head(wire.ANSWER_HEAD, -code, unique))

    def _converse(self, header: Header, body: memoryview) -> None:
        """What is about the session and not about files."""
        opcode, unique = header[1], header[2]
        if opcode == wire.INTERRUPT:
            with suppress(struct.error):
                self._interrupt(*wire.INTERRUPT_IN.unpack(body))
        elif opcode == wire.INIT and self.capabilities is None:
            self._begin(unique, body)
        elif opcode == wire.DESTROY:
            self._answer(unique, 0)
            self.over.set()
        elif opcode not in wire.SILENT:
            self._answer(unique, errno.EIO)  # before INIT: not from this kernel

    def _begin(self, unique: int, body: memoryview) -> None:
        try:
            major, minor, readahead, flags = wire.offered(body)
        except wire.Malformed:
            self._answer(unique, errno.EINVAL)
            return
        if major > wire.MAJOR:  # it asks again in our version
            head = _head(wire.ANSWER_HEAD + wire.INIT_OUT.size, 0, unique)
            os.write(self._device, head + wire.INIT_OUT.pack(wire.MAJOR, *[0] * 12))
            return
        if major < wire.MAJOR or minor < wire.OLDEST:
            log.error("this kernel speaks FUSE %d.%d, which is too old", major, minor)
            self._answer(unique, errno.EPROTO)
            return
        agreed = capabilities.agree(minor, flags)
        self._ledger.note(INIT, agreed.pack())
        self._agreed(agreed)
        message = capabilities.answer(agreed, readahead)
        os.write(self._device, _head(wire.ANSWER_HEAD + len(message), 0, unique) + message)
        log.info("FUSE 7.%d, %s", agreed.minor, agreed.missing() or "passthrough")

    def _interrupt(self, unique: int) -> None:
        """Whoever waits for this answer wants to wait no more."""
        dispatch = self._dispatch
        if dispatch is not None and dispatch.locks.interrupt(unique):
            return
        for seat in list(self._stuck):
            header = seat.header
            if seat.unique == unique and header is not None and header[1] in wire.HARMLESS:
                self._answer(unique, errno.EINTR)

    def _let_pass(self) -> None:
        """Wait until the leader is through with the request that it is in, or LOOK_S: what takes longer was not kept."""
        leader = self._leader
        unique = leader.unique if leader is not None else 0
        until = time.monotonic() + LOOK_S
        while unique and leader is not None and leader.unique == unique:
            if time.monotonic() > until:
                return
            time.sleep(MOMENT_S)

    def _quiet(self) -> bool:
        """Wait LOOK_S at most for a moment in which no request is in hand or waits to be read. Whether there was one."""
        until = time.monotonic() + LOOK_S
        # In this order: one that is read in between is seen as the leader's, who is not idle any more.
        while self._unread.poll(0) or not ((leader := self._leader) is None or leader.idle):
            if time.monotonic() > until:
                return False
            time.sleep(MOMENT_S)
        return not any(seat.unique for seat in list(self._stuck))

    # --- watching -----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self.over.is_set():
            self._alarm.wait()
            try:
                self._look()
            except Exception:  # no more threads to be had, say: whoever leads leads on
                log.exception("the watchman stumbled")
                self._alarm.arm(1.0)

    def _look(self) -> None:
        leader = self._leader
        now = time.monotonic()
        if leader is not None:
            unique = leader.unique
            if unique and unique == self._seen:
                if len(self._stuck) < MOST_STUCK:
                    leader.since = now
                    self._stuck.append(leader)
                    self._depose()
                else:
                    log.error("%d requests hang: the next ones wait for one of them", MOST_STUCK)
            self._seen = unique
        for seat in list(self._stuck):
            self._bear(seat, now)
        self._sick = bool(self._stuck) and self._sickness.judge(
            (header[3], now - seat.since)
            for seat in self._stuck
            if (header := seat.header) is not None and not self._is_long(header)
        )
        locks = self._dispatch.locks if self._dispatch is not None else None
        if locks is not None:
            locks.retry()
        if (leader is not None and leader.unique) or self._stuck or (locks and locks.waiting):
            self._alarm.arm(LOOK_S)
            return
        self._alarm.armed = False
        if leader is not None and leader.unique:  # it began in this very moment, and saw us armed
            self._alarm.arm(LOOK_S)

    def _is_long(self, header: Header) -> bool:
        """Whether a request may honestly take long. A close does where an upload is filed by it."""
        return header[1] in _LONG and (
            header[1] not in _CLOSING or self.operations.is_loose(header[3])
        )

    def _bear(self, seat: _Seat, now: float) -> None:
        """A thread that was deposed: it has gone, or is borne with for a while."""
        unique, header = seat.unique, seat.header
        if not unique or header is None:
            self._stuck.remove(seat)
            return
        patience = self._patience
        if self._sickness.given_up(header[3]):
            patience = 0.0
        elif self._is_long(header):
            patience = LONG_PATIENCE_S
        if not seat.told and now - seat.since > patience:
            seat.told = True
            log.warning("no answer to request %d within %.0f s", header[1], patience)
            self._answer(unique, errno.EIO)


_SESSION: Final = frozenset({wire.INIT, wire.DESTROY, wire.INTERRUPT, wire.NOTIFY_REPLY})
_SHORT: Final = 4096  # bytes that are cheaper to copy than to send in two pieces
_head = wire.ANSWER.pack


class _Alarm:
    """A timer that wakes the watchman: arming it is one system call, and nobody else wakes up."""

    _TIMESPEC = struct.Struct("@qqqq")  # interval, then the time until it rings

    def __init__(self) -> None:
        self.armed = False
        self._descriptor = _libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(errno.EMFILE, "no timer to be had")

    def arm(self, seconds: float) -> None:
        """Ring in so many seconds, at least a moment."""
        self.armed = True
        nanoseconds = max(1, int(seconds * 1e9))
        _libc.timerfd_settime(self._descriptor, 0, self._TIMESPEC.pack(0, 0, 0, nanoseconds), None)

    def wait(self) -> None:
        """Until it rings."""
        os.read(self._descriptor, 8)
