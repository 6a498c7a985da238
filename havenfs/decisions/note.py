"""Notes of files that are being moved by a decision about where they belong, or by taking one back: so that a picture and its RAW
stay together, whatever is killed.

A note stands beside the catalog from before the first of its files is moved until that is decided, under a lock that the kernel
lets go of when its holder is killed. Whoever finds one that nobody holds moves what it names to where the rows of `filed` say:
all of it was decided, or nothing. Any thread, any number of programs.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from havenfs.catalog import given
from havenfs.catalog.catalog import TROUBLE
from havenfs.errors import HavenError, NotJournaled, SourceGone

from .filing import Step
from .values import new_uid

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from havenfs.catalog import Catalog
    from havenfs.catalog.catalog import Connection

    from .filing import Mover
    from .values import Moved

log = logging.getLogger(__name__)

WRITTEN_S = 60.0  # a note that is not finished by then is nobody's
_STEPS = msgspec.json.Decoder(list[Step])


@contextmanager
def moving(catalog: Catalog, mover: Mover, steps: Sequence[Step]) -> Generator[None]:
    """Move these, and let what stands inside record that; if that fails, they go where the rows say. Raises what *mover* raises."""
    recover(catalog, mover)
    path = catalog.path.with_name(f"filing-{new_uid()}.note")
    fresh = path.with_suffix(".new")  # nobody looks for it: it has no lock, or not all its words
    handle = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.write(handle, msgspec.json.encode(steps))
        os.fdatasync(handle)
        fresh.rename(path)
        settled = True
        try:
            mover([step.wanted for step in steps])
            try:
                yield
            except NotJournaled:  # it holds all the same
                raise
            except BaseException:
                settled = _settle(catalog, mover, steps)
                raise
        finally:
            if settled:  # else somebody finds the note later
                path.unlink()
    finally:
        fresh.unlink(missing_ok=True)  # the disk was full
        os.close(handle)


def recover(catalog: Catalog, mover: Mover) -> None:
    """Mend what kills have left. Never raises."""
    for path in catalog.path.parent.glob("filing-*"):
        with suppress(BlockingIOError, FileNotFoundError):  # somebody is at it, or was until now
            if path.suffix == ".note":
                _mend(catalog, mover, path)
            elif time.time() - path.stat().st_mtime > WRITTEN_S:
                path.unlink()


def _mend(catalog: Catalog, mover: Mover, path: Path) -> None:
    with path.open("rb") as note:
        fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.fstat(note.fileno()).st_nlink:
            return
        try:
            steps = _STEPS.decode(note.read())
        except msgspec.DecodeError as error:  # a disk that loses what it was told to keep
            log.warning("%s says nothing and is left as it is: %s", path.name, error)
            return
        if _settle(catalog, mover, steps):
            path.unlink()


def _settle(catalog: Catalog, mover: Mover, steps: Sequence[Step]) -> bool:
    """Move files to where the rows say. False: they must wait, for their disk or for the catalog."""
    try:
        mover(catalog.read(_belonging, steps))
    except (SourceGone, *TROUBLE) as error:
        log.warning("files that are parted from what belongs to them wait: %s", error)
        return False
    except (HavenError, OSError) as error:
        log.warning("files that are parted from what belongs to them stay so: %s", error)
    return True


def _belonging(db: Connection, steps: Sequence[Step]) -> list[Moved]:
    """Their ways to where the rows say that they are."""
    return [
        step.moved if given.get(db, "filed", step.key) is not None else step.moved.back()
        for step in steps
    ]
