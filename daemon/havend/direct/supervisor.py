"""The process that holds the mount while servers come and go. It serves nothing and opens no database.

A server is a copy of this process that shares its table of descriptors (clone.py): whatever it opened for clients stays
open when it is killed, and so does /dev/fuse. What it knew is in the ledger. The next server is a copy of a process that
has everything loaded, made in advance, and the kernel sends it again what its predecessor had not answered; clients wait for
that long. The copy that waits has opened nothing: locks in the catalog belong to the table of descriptors, and would be its own.

Threading: one thread, else it could not be copied. Everything happens in `run`, between two waits for a signal.
"""

from __future__ import annotations

import enum
import errno
import gc
import logging
import mmap
import os
import select
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from havend import exits
from havenfs import service
from havenfs.errors import HavenError

from . import clone, device, wire
from .ledger import INIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from .kept import Kept
    from .ledger import Ledger

log = logging.getLogger(__name__)

TICK_S: Final = 1.0
HANG_S: Final = (
    3.0  # requests waiting and none being read: longer than any garbage collection or page fault
)
STARTING_S: Final = 60.0  # the same for a server that has not said that it is ready: a catalog on a disk that must spin up
TRIAL_S: Final = 10.0  # for the installed program to be loaded; the service manager's watchdog is not beaten meanwhile
SPARE_S: Final = 0.1  # until a server that has begun gets a spare: clients who have waited go first
QUICK_S: Final = 1.0  # a server that lives no longer did not even start well
PATIENT: Final = 3  # quick deaths in a row before the next server waits
HOPELESS: Final = (
    12  # and before the supervisor gives up: with the waiting, after about five seconds
)
CRASH: Final = 3
POISON: Final = 2 * CRASH
"""What servers died of, each with this request in hand: a crash or hang, or, counting 1, a kill for want of memory. A kill by others
is nothing: a request that waits for a disk is in the hand of each server that is killed meanwhile."""
LINGER_S: Final = (
    0.02  # what a killed server gets to go; all but those that hang in the kernel take 1 ms
)
GONE_S: Final = 1.0  # what a server gets to end by itself after an unmount
CRASHED: Final = 70  # the exit code of a server with a bug
PIDFD_THREAD: Final = os.O_EXCL
PROGRAM: Final = "havend.direct.program"

TOLD: Final = frozenset(
    {
        signal.SIGTERM,  # unmount and end
        signal.SIGINT,
        signal.SIGHUP,  # become the program that is installed now, the mount staying
        signal.SIGUSR1,  # from the server: it is about to answer
        signal.SIGCHLD,
    }
)


class Inheritance(Struct, frozen=True, kw_only=True):
    """What a server starts with."""

    fuse: int
    ledger: Ledger
    beat: memoryview
    """One "Q": the server stores here the number of each request as soon as it has read it."""
    resent: bool
    """Whether the kernel sends again what a predecessor was asked and did not answer."""
    supervisor: int

    def ready(self) -> None:
        """Say, once, that requests are answered from now on."""
        os.kill(self.supervisor, signal.SIGUSR1)


class Wish(enum.Enum):
    """What the supervisor was told to do."""

    STOP = enum.auto()
    RELOAD = enum.auto()


class Supervisor:
    """Keeps one server alive over the mount that is *kept*."""

    def __init__(
        self,
        kept: Kept,
        serve: Callable[[Inheritance], None],
        *,
        told_ready: Callable[[Ledger], None],
    ) -> None:
        """*told_ready* is called when the first server answers; what it raises ends the supervisor."""
        self._kept = kept
        self._serve = serve
        self._told_ready = told_ready
        self._beat = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")
        self._own: frozenset[int] = frozenset()
        self._server = 0
        self._spare = 0
        """The next server, which waits to be told so; 0: none yet."""
        self._canary = -1
        """A descriptor that is readable when a thread of the server has ended that does nothing but wait."""
        self._ghosts: set[int] = set()
        self._poll = select.poll()
        self._served = False  # whether any server has answered
        self._ready = False  # whether this one has
        with kept.ledger() as ledger:
            self._resend = ledger.noted(INIT) is not None
        self._quick = 0
        self._suspect, self._guilt = 0, 0
        self._for_memory = _killed_for_memory()
        self._moved = (0, 0.0)
        self._hung = False

    def run(self) -> int:
        """Serve until the mount is gone, SIGTERM or SIGINT; nothing of it is left then. Returns the exit code."""
        signal.pthread_sigmask(signal.SIG_BLOCK, TOLD)
        self._poll.register(clone.signals(TOLD), select.POLLIN)
        log.info(
            "holding %s", self._kept.mountpoint
        )  # also opens the journal's socket while it is known to be ours
        self._kept.close_off()
        self._own = frozenset(clone.open_descriptors() - self._kept.in_use())
        gc.freeze()
        gc.enable()
        while True:
            self._start()
            began = time.monotonic()
            wish = self._attend()
            if wish is Wish.STOP:
                return self._end(exits.OK)
            if wish is Wish.RELOAD:
                self._become_what_is_installed()
            code = self._bury()
            if code == exits.OK:
                return self._end(exits.OK)
            if not self._served and code in (exits.USAGE, exits.FAILED):
                return self._end(code)  # the server has said why
            lived_s = time.monotonic() - began
            log.warning(
                "the server ended (%s) after %.1f s; the next one takes over", code, lived_s
            )
            fault = self._fault(code)
            self._accuse(fault)
            if not self._carry_on(fault, lived_s):
                return self._give_up()

    # --- a server's life --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Copy ourselves; in the copy this never returns."""
        for descriptor in clone.open_descriptors() - self._own - self._kept.in_use():
            os.close(
                descriptor
            )  # also lets go of its locks in the catalog, which belong to the table
        if self._resend:
            # Now, while nobody reads: what a new server had read already would be sent to it twice.
            self._write(wire.NOTIFY_RESEND, 0)
        self._beat[0] = self._beat[1] = 0
        self._moved = (0, time.monotonic())
        self._ready = self._hung = False
        if not self._spare or _dead(self._spare):
            self._copy()
        self._server, self._spare = self._spare, 0
        os.kill(self._server, signal.SIGUSR1)
        self._resend = True

    def _copy(self) -> None:
        """Have a spare server. In the copy this never returns."""
        self._drop_spare()
        supervisor = os.getpid()
        self._spare = clone.clone()
        if not self._spare:
            self._be_the_server(supervisor)

    def _drop_spare(self) -> None:
        if self._spare:
            os.kill(self._spare, signal.SIGKILL)
            os.waitpid(self._spare, 0)
            self._spare = 0

    def _be_the_server(self, supervisor: int) -> None:
        code = CRASHED
        try:
            clone.die_with(supervisor)
            signal.sigwait({signal.SIGUSR1})
            for number in TOLD - {
                signal.SIGCHLD
            }:  # meant for the supervisor, sent to the whole group by a terminal
                signal.signal(
                    number, _nothing
                )  # not ignored: programs that the server starts would ignore it too
            signal.pthread_sigmask(signal.SIG_UNBLOCK, TOLD)
            inheritance = Inheritance(
                fuse=self._kept.fuse,
                ledger=self._kept.ledger(),
                beat=self._beat,
                resent=self._resend,
                supervisor=supervisor,
            )
            # Not on this thread: it is the one whose death wish holds, and serving changes users.
            with ThreadPoolExecutor(1) as serving:
                serving.submit(self._work, inheritance).result()
            code = exits.OK
        except HavenError as error:
            log.error("%s", error)  # noqa: TRY400  # a line for people
            code = exits.code(error)
        except BaseException:  # whatever it is, the next server takes over
            log.exception("the server failed")
        finally:
            os._exit(code)

    def _work(self, inheritance: Inheritance) -> None:
        self._beat[1] = (
            threading.get_native_id()
        )  # this thread will do nothing but wait for those that serve
        self._serve(inheritance)

    def _attend(self) -> Wish | None:
        """Wait until somebody wants something (returns what) or the server is dead (None)."""
        interval = service.watchdog_interval()
        beaten = 0.0
        while True:
            patience = TICK_S if interval is None else min(interval, TICK_S)
            spared = not self._ready or self._spare
            happened = self._wait(patience if spared else SPARE_S)
            if interval is not None and time.monotonic() - beaten >= interval:
                service.alive()
                beaten = time.monotonic()
            match happened:
                case None if not spared:
                    self._copy()
                case None:
                    self._look_after()
                case signal.SIGUSR1:
                    self._ready = True
                    self._listen_to(self._beat[1])
                    if not self._served:
                        self._served = True
                        with self._kept.ledger() as ledger:
                            self._told_ready(ledger)
                case signal.SIGHUP:
                    if self._upgradable():
                        return Wish.RELOAD
                case signal.SIGCHLD:
                    self._ghosts = {ghost for ghost in self._ghosts if not _dead(ghost)}
                    if self._spare and _dead(self._spare):
                        self._drop_spare()
                    if _dead(self._server) or (self._canary >= 0 and _readable(self._canary)):
                        return None
                case _:
                    return Wish.STOP

    def _wait(self, seconds: float) -> int | None:
        """The signal that came; SIGCHLD also when the server's canary has ended; None: nothing within this time."""
        ready = dict(self._poll.poll(seconds * 1000))
        happened = signal.sigtimedwait(TOLD, 0)
        if happened:
            return happened.si_signo
        return signal.SIGCHLD if self._canary in ready else None

    def _listen_to(self, thread: int) -> None:
        """Be told when this thread ends: one that hangs in the kernel keeps a dead process from ending.

        Its first thread tells nothing as long as there are others (Linux 6.15 and later).
        """
        if (
            thread and self._canary < 0
        ):  # 0: a predecessor's word, who died as soon as he had said it
            with suppress(ProcessLookupError):
                self._canary = os.pidfd_open(thread, PIDFD_THREAD)
                self._poll.register(self._canary, select.POLLIN)

    def _look_after(self) -> None:
        """Kill a server that has requests waiting and does not read them."""
        now, last = time.monotonic(), self._beat[0]
        if last != self._moved[0] or not self._kept.asked():
            self._moved = (last, now)
        elif now - self._moved[1] > (HANG_S if self._ready else STARTING_S):
            log.error("the server answers no more; it is replaced")
            os.kill(self._server, signal.SIGKILL)
            self._hung = True
            self._moved = (last, now)

    def _bury(self) -> int:
        """The exit code of the dead server; negative for the signal that ended it.

        One that hangs in the kernel, killed, runs no instruction of ours any more: it is left behind. It may be waiting
        for a lock whose holder waits for the next server.
        """
        if self._canary >= 0:
            self._poll.unregister(self._canary)
            os.close(self._canary)
            self._canary = -1
        deadline = time.monotonic() + LINGER_S
        while not _dead(self._server):
            if time.monotonic() > deadline and _hangs(self._server):
                log.warning("the server is killed and hangs in the kernel; it is left behind")
                self._ghosts.add(self._server)
                return -signal.SIGKILL
            time.sleep(0.0002)
        _, status = os.waitpid(self._server, 0)
        return os.waitstatus_to_exitcode(status)

    def _fault(self, code: int) -> int:
        """How much a death tells against the server and the request in its hand: nothing if others killed it."""
        before, self._for_memory = self._for_memory, _killed_for_memory()
        if self._hung or code != -signal.SIGKILL:
            return CRASH
        return int(self._for_memory > before)

    def _accuse(self, fault: int) -> None:
        """Answer a request that ends one server after the other with EIO, so that it ends no more of them."""
        last = self._beat[0]
        suspect = last & ~wire.RESENT
        if suspect != self._suspect:
            self._suspect, self._guilt = suspect, 0
        self._guilt += fault
        if suspect and self._guilt >= POISON:
            log.error("servers die of request %d; it is answered with an error", suspect)
            self._write(-errno.EIO, last)

    def _carry_on(self, fault: int, lived_s: float) -> bool:
        """Whether to start another one, after a while if they keep dying at once."""
        if not fault or (fault < CRASH and self._ready) or lived_s >= QUICK_S:
            self._quick = 0
        else:
            self._quick += 1
        if self._quick > HOPELESS:
            return False
        if self._quick > PATIENT:
            time.sleep(min(0.01 * 2 ** (self._quick - PATIENT), 1.0))
        return True

    def _write(self, code: int, unique: int) -> None:
        try:
            os.write(self._kept.fuse, wire.ANSWER.pack(wire.ANSWER_HEAD, code, unique))
        except OSError as error:
            # ENOENT: it had been answered. ENODEV: unmounted; the next server finds out. EINVAL: a kernel before 6.9.
            log.info("the kernel takes no message %d: %s", code, error.strerror)

    # --- endings ----------------------------------------------------------------------------------------------------

    def _give_up(self) -> int:
        log.error(
            "%d servers died right after their start; see the lines above for what they said",
            self._quick,
        )
        if not service.managed():
            return self._end(exits.FAILED)
        return exits.FAILED  # the manager holds the mount and starts us again

    def _end(self, code: int) -> int:
        """Leave no mount, no server and nothing with the service manager."""
        service.stopping()
        if self._kept.connected():
            try:
                device.unmount(self._kept.mountpoint)
            except OSError:  # in use: nobody new gets in, and what is open fails from here on
                device.unmount(self._kept.mountpoint, lazily=True)
        self._drop_spare()
        self._stop_server(GONE_S)
        self._kept.take_from_manager()
        self._kept.close()
        log.info("unmounted %s", self._kept.mountpoint)
        return code

    def _stop_server(self, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while not _dead(self._server):
            if time.monotonic() > deadline:
                os.kill(self._server, signal.SIGKILL)
                deadline += patience_s
                if _hangs(self._server):
                    return
            time.sleep(0.002)
        with suppress(ChildProcessError):
            os.waitpid(self._server, 0)

    def _upgradable(self) -> bool:
        """Whether the program that is installed now starts at all; the server goes on meanwhile."""
        import subprocess

        try:
            tried = subprocess.run(
                [sys.executable, "-c", f"import {PROGRAM}"],
                capture_output=True,
                check=False,
                text=True,
                timeout=TRIAL_S,
            )
        except subprocess.TimeoutExpired:
            said = f"nothing within {TRIAL_S:.0f} s"
        else:
            if not tried.returncode:
                return True
            said = tried.stderr[-500:]
        log.error("the installed program does not start, so this one goes on: %s", said)
        return False

    def _become_what_is_installed(self) -> None:
        """Execute ourselves anew with the mount and all handles open. Returns only if that fails."""
        service.reloading()
        log.info("starting the installed program over")
        self._drop_spare()
        os.kill(self._server, signal.SIGKILL)
        while not _dead(self._server) and not _hangs(self._server):
            time.sleep(0.0002)
        environment = {**os.environ, **self._kept.hand_to_exec()}
        try:
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
        except OSError:
            log.exception("that failed; this program goes on")


def _dead(pid: int) -> bool:
    """Whether this child has ended, buried or not."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _killed_for_memory() -> int:
    """How many processes of this machine the kernel has killed for want of memory."""
    counters = Path("/proc/vmstat").read_bytes()
    return int(counters.partition(b"\noom_kill ")[2].split(maxsplit=1)[0])


def _hangs(pid: int) -> bool:
    """Whether what is left of this process are threads that hang in the kernel, its first thread not among them."""
    states: list[str] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            states.append((thread / "stat").read_text().rpartition(")")[2].split()[0])
    return "Z" in states and set(states) <= {"Z", "X", "D"}


def _readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _nothing(_: int, __: object) -> None:
    pass
