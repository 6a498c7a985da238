"""The descriptors of a mount that outlive a program: over an exec of our own, and over our death with the service manager.

Synchronous; used by the supervisor, before and between servers.
"""

from __future__ import annotations

import logging
import os
import select
from pathlib import Path
from typing import Final, Self

from msgspec import Struct

from havend import mountpoint as mountpoints
from havenfs import service

from . import clone, ledger
from .ledger import Ledger

log = logging.getLogger(__name__)

FUSE: Final = f"fuse-{ledger.LAYOUT}"
NAMES: Final = (FUSE, *ledger.NAMES)
"""With the service manager. Of another version they are others, and not taken up."""
VARIABLE: Final = "HAVENFS_KEPT"
"""In the environment of a supervisor that has executed itself: the ledger's LAYOUT, and the descriptors in the order of NAMES."""


class Kept(Struct, frozen=True, kw_only=True):
    """An open mount: /dev/fuse and the ledger."""

    mountpoint: Path
    fuse: int
    memory: tuple[int, ...]
    """The memfds of the ledger."""
    handles: bool
    """Whether the descriptors behind the handles are still open as well."""

    @classmethod
    def new(cls, fuse: int, *, asked: Path, mountpoint: Path) -> Self:
        """What is kept of a mount that has just been made: on *mountpoint*, which *asked* leads to."""
        made = cls(mountpoint=mountpoint, fuse=fuse, memory=ledger.create(), handles=True)
        with made.ledger() as kept:
            kept.note(ledger.MOUNTPOINT, bytes(asked) + b"\0" + bytes(mountpoint))
        return made

    @classmethod
    def inherited(cls, asked: Path) -> Self | None:
        """The mount that a predecessor made when it was asked for the same and left us, if it still is one.

        Nothing below it is touched: nobody would answer. To be called once; descriptors of anything else are closed.
        """
        found, handles = _from_environment(), True
        if not found:
            found, handles = service.held(), False
        if found.keys() == set(NAMES):
            memory = tuple(found[name] for name in ledger.NAMES)
            with Ledger(memory) as told:
                path, _, real = (told.noted(ledger.MOUNTPOINT) or b"").partition(b"\0")
            kept = cls(
                mountpoint=Path(os.fsdecode(real)), fuse=found[FUSE], memory=memory, handles=handles
            )
            if path == bytes(asked) and kept.connected() and kept.mounted():
                return kept
        for descriptor in found.values():
            os.close(descriptor)
        return None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All of them, in the order of NAMES."""
        return (self.fuse, *self.memory)

    def ledger(self) -> Ledger:
        """The ledger, mapped anew."""
        return Ledger(self.memory)

    def in_use(self) -> set[int]:
        """The descriptors that servers have opened and successors need."""
        return ledger.in_use(self.memory)

    def mounted(self) -> bool:
        """Whether it is where people find it, and not detached with files still open. By the table of mounts."""
        return mountpoints.mounted(self.mountpoint) == mountpoints.OURS

    def connected(self) -> bool:
        """Whether the file system is still mounted somewhere."""
        return not self._events() & select.POLLERR

    def asked(self) -> bool:
        """Whether the kernel has requests that nobody has read."""
        return bool(self._events() & select.POLLIN)

    def _events(self) -> int:
        poll = select.poll()
        poll.register(self.fuse, select.POLLIN)
        return next((events for _, events in poll.poll(0)), 0)

    def close_off(self) -> None:
        """Forget handles whose descriptors went with a killed supervisor. Nobody is given their numbers again.

        Else a client that still has such a handle would get the file of somebody else by it. What the kernel reads and
        writes without us (passthrough) goes on, everything else about them is ESTALE.
        """
        if self.handles:
            return
        nothing = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        lost = self.in_use()
        with self.ledger() as kept:
            for number in lost:
                kept.drop(number)
                kept.erase(ledger.LOCK + number)
        for number in lost.difference(self.descriptors, clone.open_descriptors()):
            os.dup2(nothing, number, inheritable=False)
        log.warning("%d open files were lost with the supervisor before this one", len(lost))

    def hand_to_manager(self) -> None:
        """Have the service manager hold them for us; nothing where there is none."""
        for name, descriptor in zip(NAMES, self.descriptors, strict=True):
            service.hold(name, descriptor)

    def take_from_manager(self) -> None:
        """Have it let go of them."""
        for name in NAMES:
            service.release(name)

    def hand_to_exec(self) -> dict[str, str]:
        """Keep them and the handles open over an exec; the environment that tells the next program of them."""
        for descriptor in (*self.descriptors, *self.in_use()):
            os.set_inheritable(descriptor, True)  # noqa: FBT003  # no keyword there
        return {VARIABLE: " ".join(map(str, (ledger.LAYOUT, *self.descriptors)))}

    def close(self) -> None:
        """Let go of everything: a file system that is still mounted is dead from here on."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def _from_environment() -> dict[str, int]:
    layout, *numbers = map(int, os.environ.pop(VARIABLE, "0").split())
    if not numbers:
        return {}
    if layout != ledger.LAYOUT:  # of another version of this program
        log.warning("the mount of another version is not taken up; what was open in it is lost")
        for descriptor in numbers:
            os.close(descriptor)
        return {}
    for descriptor in (*numbers, *ledger.in_use(numbers[1:])):
        os.set_inheritable(descriptor, False)  # noqa: FBT003
    return dict(zip(NAMES, numbers, strict=True))
