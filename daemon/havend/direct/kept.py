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
"""To whoever keeps them. Another version has others, and what it left is not taken up."""
VARIABLE: Final = "HAVENFS_KEPT"
"""In the environment of a supervisor that has executed itself: `name:descriptor` of each."""


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

        Nothing below it is touched: nobody would answer. To be called once; what is not taken up is let go of, by the
        service manager too, so that it is a dead mount and not one that waits for an answer.
        """
        executed = _from_environment()
        found = executed or service.held()
        if found.keys() == set(NAMES):
            memory, handles = tuple(found[name] for name in ledger.NAMES), bool(executed)
            with Ledger(memory) as told:
                path, _, real = (told.noted(ledger.MOUNTPOINT) or b"").partition(b"\0")
            kept = cls(
                mountpoint=Path(os.fsdecode(real)), fuse=found[FUSE], memory=memory, handles=handles
            )
            if path == bytes(asked) and kept.connected() and kept.mounted():
                for descriptor in (*kept.descriptors, *(kept.in_use() if handles else ())):
                    os.set_inheritable(descriptor, False)  # noqa: FBT003  # no keyword there
                return kept
        elif found:
            log.warning("the mount of another version is not taken up; what was open in it is lost")
        for name in found:
            service.release(name)
        for descriptor in _handed_over() if executed else found.values():
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
            os.set_inheritable(descriptor, True)  # noqa: FBT003
        named = zip(NAMES, self.descriptors, strict=True)
        return {VARIABLE: " ".join(f"{name}:{descriptor}" for name, descriptor in named)}

    def close(self) -> None:
        """Let go of everything: a file system that is still mounted is dead from here on."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def _from_environment() -> dict[str, int]:
    """What a supervisor that has executed itself tells of, by name."""
    told = (each.partition(":") for each in os.environ.pop(VARIABLE, "").split())
    return {name: int(number) for name, _, number in told}


def _handed_over() -> list[int]:
    """All that came through the exec, handles too. What this program has opened by itself is not inheritable."""
    opened = clone.open_descriptors()
    return [each for each in opened if each > 2 and os.get_inheritable(each)]
