"""The journal's file: JSON lines that are appended and brought to the disk, read back, and written anew. docs/journal.md.

Knows nothing of the catalog but what its rows look like. Whoever calls holds `locked` while writing.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from msgspec import Struct, field

from havenfs.catalog.decided import Operation, changes_of
from havenfs.catalog.given import TABLES, Change
from havenfs.errors import NewerState, NotJournaled

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

VERSION = 1
_HEADER = {"havenfs-journal": VERSION}


class Content(Struct):
    """What a journal says."""

    rows: list[Change] = field(default_factory=list[Change])
    """What stood in the GIVEN tables when it was written anew: after everything in `settled`, before `operations`."""
    settled: list[Operation] = field(default_factory=list[Operation])
    """Operations whose effect is in `rows`."""
    operations: list[Operation] = field(default_factory=list[Operation])
    damaged: list[int] = field(default_factory=list[int])
    """Numbers of lines that cannot be read, from 1; not the end that a crash tore off."""


class Journal:
    """The file at *path*, which need not be there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Generator[None]:
        """Be the only one who writes, of all threads and programs. The kernel lets go when the process ends.

        Raises NotJournaled.
        """
        lock = self.path.with_suffix(".lock")  # the file itself is replaced when it is written anew
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NotJournaled(f"cannot write {lock}: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def size(self) -> int:
        """Bytes; 0 when there is none."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def read(self) -> Content:
        """Everything in it. A last line that is not whole was never acknowledged, and is passed over.

        Raises NewerState when a newer version wrote it.
        """
        found = Content()
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return found
        bad: list[int] = []
        for number, line in enumerate(
            lines[:-1], start=1
        ):  # after the last newline: nothing, or a torn line
            try:
                value = json.loads(line)
                if number == 1:
                    self._check(value)
                else:
                    _take(found, value)
            except (ValueError, KeyError, TypeError):
                bad.append(number)
            else:
                found.damaged += bad
                bad.clear()
        # Bad lines with nothing readable behind them: what a power cut left of lines that nobody was answered for.
        return found

    def append(self, operations: Iterable[Operation]) -> None:
        """Write these behind all others and bring them to the disk. Raises NotJournaled, and then nothing is written."""
        data = b"".join(_line({"op": _plain(operation)}) for operation in operations)
        try:
            new = not self.size()
            with self.path.open("r+b" if not new else "w+b", buffering=0) as file:
                end = _cut(file)
                if not end:
                    data = _line(_HEADER) + data
                try:
                    _write(file, data)
                    os.fsync(file.fileno())
                except OSError:
                    # After a failed fsync the pages count as clean: written once more, they are dirty once more.
                    file.truncate(end)
                    raise
            if new:
                self.path.chmod(0o600)
                self._sync_directory()
        except OSError as error:
            raise NotJournaled(f"cannot write {self.path}: {error.strerror}") from error

    def rewrite(self, rows: Iterable[Change], settled: Iterable[Operation]) -> None:
        """Replace the file by this state and these operations, whole or not at all. Raises NotJournaled."""
        young = self.path.with_suffix(".new")
        try:
            with young.open("wb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(_line(_HEADER))
                for row in rows:
                    file.write(_line({"row": [row.table, row.key, row.after]}))
                for operation in settled:
                    file.write(_line({"op": _plain(operation), "settled": True}))
                file.flush()
                os.fsync(file.fileno())
            young.replace(self.path)
            self._sync_directory()
        except OSError as error:
            raise NotJournaled(f"cannot write {self.path}: {error.strerror}") from error

    def _check(self, header: Any) -> None:
        version = header["havenfs-journal"]
        if version > VERSION:
            raise NewerState(
                f"{self.path} was written by a newer version of HavenFS (journal {version}, this one knows {VERSION}). "
                f"Install that version again."
            )

    def _sync_directory(self) -> None:
        handle = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _cut(file: BinaryIO) -> int:
    """Cut off what a crash left of a last line, and go to the end; returns where that is.

    What is cut off was committed, if at all, with a row in the outbox that is still there.
    """
    end = file.seek(0, os.SEEK_END)
    keep = end
    while keep:
        start = max(0, keep - 65536)
        file.seek(start)
        block = file.read(keep - start)
        newline = block.rfind(b"\n")
        if newline >= 0:
            keep = start + newline + 1
            break
        keep = start
    if keep != end:
        file.truncate(keep)
    file.seek(keep)
    return keep


def _write(file: BinaryIO, data: bytes) -> None:
    left = memoryview(data)
    while left:  # a raw write may take less than it was given
        left = left[file.write(left) :]


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.id,
        "at_ms": operation.at_ms,
        "by": operation.by,
        "kind": operation.kind,
        "words": operation.words,
        "assets": operation.assets,
        "reverts": operation.reverts,
        "changes": operation.changes,
    }


def _take(found: Content, value: Any) -> None:
    if "row" in value:
        table, key, after = value["row"]
        TABLES[table]  # KeyError: no such table
        found.rows.append(Change(table, tuple(key), None, tuple(after)))
        return
    plain: dict[str, Any] = value["op"]
    plain["changes"] = changes_of(plain["changes"])
    operation = Operation(**plain)
    for change in operation.changes:
        TABLES[change.table]
    (found.settled if value.get("settled") else found.operations).append(operation)
