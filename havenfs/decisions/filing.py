"""Decisions about what stands in the inbox: where it went, and where it does not belong.

A row of `filed` records that files were moved. Moving them is not done here: whoever decides it has done that before
(`havenfs.views.filing`), and taking it back moves them first, through the Mover of the Keeper, both as `note` says.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote_from_bytes, unquote_to_bytes

from msgspec import Struct

from havenfs.errors import Exists

from . import values
from .values import Moved

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from havenfs.catalog.given import Change, Draft, Row


class Step(Struct, frozen=True, array_like=True):
    """A file that is moved as a row of `filed` says, or back."""

    key: tuple[str | int | float | None, ...]
    """Of the row."""
    moved: Moved
    forth: bool

    @property
    def wanted(self) -> Moved:
        """The way that it goes."""
        return self.moved if self.forth else self.moved.back()


class Mover(Protocol):
    """Moves originals on disk."""

    def __call__(self, moves: Sequence[Moved]) -> None:
        """Move all of them or none. One that is at its new place already, and nowhere else, counts as moved.

        Raises Conflict when another file stands in the way or the file is neither here nor there; SourceGone, ReadOnly.
        """
        ...


def apply(draft: Draft, decision: values.RefuseFiling | values.FileAway) -> str:
    """Carry it out; returns it in words. Raises Exists."""
    if isinstance(decision, values.RefuseFiling):
        key = (decision.content.hex(), decision.source, _quoted(decision.path))
        draft.set("filing_refused", key, () if decision.refused else None)
        where = _folder(decision.source, decision.path)
        return f"said {'no' if decision.refused else 'nothing'} to filing 1 file into “{where}”"
    if draft.rows("filed", uid=decision.uid):
        raise Exists(decision.uid)
    for number, moved in enumerate(decision.files):
        draft.set(
            "filed",
            (decision.uid, number),
            (
                moved.content.hex(),
                moved.source,
                _quoted(moved.path),
                moved.to_source,
                _quoted(moved.to_path),
            ),
        )
    first = decision.files[0]
    above, _, name = first.to_path.rpartition(b"/")
    also = len(decision.files) - 1
    more = f" and {also} that belong to it" if also else ""
    return f"filed “{_text(name)}”{more} into “{_folder(first.to_source, above)}”"


def steps(decision: values.FileAway) -> list[Step]:
    """What must be moved on disk for a decision to be true."""
    return [
        Step((decision.uid, number), moved, forth=True)
        for number, moved in enumerate(decision.files)
    ]


def moves(changes: Iterable[Change]) -> list[Step]:
    """The same for changes of rows: forth for those that come, back for those that go."""
    return [
        Step(change.key, _moved(row), forth=change.before is None)
        for change in changes
        if change.table == "filed" and (row := change.before or change.after) is not None
    ]


def _moved(row: Row) -> Moved:
    content, source, path, to_source, to_path = map(str, row)
    return Moved(
        bytes.fromhex(content),
        source,
        unquote_to_bytes(path),
        to_source,
        unquote_to_bytes(to_path),
    )


def _folder(source: str, path: bytes) -> str:
    return f"files/{source}/{_text(path)}".rstrip("/")


def _quoted(path: bytes) -> str:
    return quote_from_bytes(path, safe="/ ")


def _text(path: bytes) -> str:
    return os.fsdecode(path).encode(errors="replace").decode()
