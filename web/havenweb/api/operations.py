"""What was decided, and taking it back. Listed from the catalog; carried out by the mount, which alone may move originals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from havenfs.catalog import given
from havenfs.decisions import asking, undo
from havenfs.errors import Conflict, NotPermitted, SourceGone
from havenweb import deciding
from havenweb.binder import Operation
from havenweb.pictures import SMALL

if TYPE_CHECKING:
    from havenfs.catalog.given import Change
    from havenfs.decisions.undo import Told
    from havenweb.library import Library

SHOWN = 4  # pictures of an operation


class HistoryParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of it."""

    before: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")] | None = None
    """The operation before which it begins: the last one of the part above; without it, at the newest."""
    limit: Annotated[int, Meta(ge=1, le=200)] = 30


class TakenBack(msgspec.Struct, frozen=True, kw_only=True):
    """The operation by which another one is taken back at present."""

    id: str
    """To be taken back itself by whoever wants the other one again."""
    at_ms: int
    by: str


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody decided, which can be taken back as a whole."""

    id: str
    at_ms: int
    """Unix milliseconds."""
    by: str
    """Who; with the door in brackets where that was no folder."""
    words: str
    """What, in words."""
    assets: int
    """How many files it was about."""
    thumbnails: list[str]
    """Addresses of some of them."""
    taken_back: TakenBack | None
    free: bool
    """Whether nothing that was decided later stands in the way of taking it back, or of doing it again."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, newest first. What took something back stands with what it took back."""

    operations: list[Decided]
    more: bool
    """Whether there is anything before the last of these."""


class UndoParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be taken back."""

    id: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
    rest: bool = False
    """Where something was decided later, leave that and take back what is left."""


def _history(library: Library, parameters: HistoryParameters) -> History:
    found = library.catalog.read(undo.history, parameters.limit + 1, before=parameters.before)
    return History(
        operations=[_decided(library, told) for told in found[: parameters.limit]],
        more=len(found) > parameters.limit,
    )


def _undo(library: Library, parameters: UndoParameters) -> deciding.Done:
    wanted = asking.Undo(operation=parameters.id, rest=parameters.rest)
    return deciding.ask(library, wanted, otherwise="nothing of it is left to be taken back")


def _decided(library: Library, told: Told) -> Decided:
    operation, back = told.operation, told.taken_back
    return Decided(
        id=operation.id,
        at_ms=operation.at_ms,
        by=operation.by or "",
        words=operation.words,
        assets=operation.assets,
        thumbnails=[
            f"/t/{content}-{SMALL}.webp" for content in _pictured(library, operation.changes)
        ],
        taken_back=TakenBack(id=back.id, at_ms=back.at_ms, by=back.by or "") if back else None,
        free=told.free,
    )


def _pictured(library: Library, changes: tuple[Change, ...]) -> list[str]:
    """The first contents of which there are thumbnails, in hexadecimal; those of files in the trash too."""
    found: list[str] = []
    for change in changes[: 10 * SHOWN]:
        for content in sorted(given.contents([change])):
            if content not in found and library.thumbnails.holds(bytes.fromhex(content)):
                found.append(content)
        if len(found) >= SHOWN:
            break
    return found[:SHOWN]


HISTORY = Operation(
    path="/api/operations",
    name="operations",
    summary="What was decided",
    parameters=HistoryParameters,
    response=History,
    handle=_history,
)
UNDO = Operation(
    method="POST",
    path="/api/operations/{id}/undo",
    name="undo",
    summary="Take back what was decided",
    parameters=UndoParameters,
    response=deciding.Done,
    handle=_undo,
    raises=(*deciding.RAISES, Conflict, NotPermitted, SourceGone),
)
