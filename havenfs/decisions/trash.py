"""Decisions about the trash: rows alone. Their bytes are moved by `bin` and `follow`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, unquote_to_bytes

from havenfs.catalog import given, names
from havenfs.errors import NotFound

from . import values
from .words import files

if TYPE_CHECKING:
    from havenfs.catalog.given import Draft

    Decision = values.Trash | values.LeaveTrash | values.EmptyTrash | values.DiscardCopy

_JOINED = ("member", "favorite", "person_tag")
"""What a copy that goes hands on to the one that is kept, row by row: unless that has it, or another, already."""


def apply(draft: Draft, decision: Decision) -> str:
    """Carry it out; returns it in words. Raises NotFound."""
    match decision:
        case values.Trash(path=path):
            _put(draft, decision)
            return f"moved “{_name(path)}” to the trash"
        case values.LeaveTrash(uid=uid):
            row = draft.get("trashed", uid)
            if row is None:
                raise NotFound(uid)
            draft.set("trashed", (uid,), None)
            return f"took “{_name(unquote_to_bytes(str(row[2])))}” out of the trash"
        case values.EmptyTrash(uids=uids):
            for uid in uids:
                draft.set("trashed", (uid,), None)
            return f"deleted {files(len(uids))} for good"
        case values.DiscardCopy(content=content, into=into, files=copies):
            for copy in copies:
                _put(draft, copy)
            if content != into:
                _join(draft, content.hex(), into.hex())
            name = _name(copies[0].path) if copies else content.hex()
            return f"moved the copy “{name}” to the trash"


def _put(draft: Draft, decision: values.Trash) -> None:
    path = quote_from_bytes(decision.path, safe="/ ")
    draft.set(
        "trashed",
        (decision.uid,),
        (decision.content.hex(), decision.source, path, decision.at_ms, decision.owner),
    )


def _join(draft: Draft, content: str, into: str) -> None:
    """Say of *into* what was said of *content*."""
    for name in _JOINED:
        table = given.TABLES[name]
        for row in draft.rows(name, hash=content):
            key = [into if cell == content else cell for cell in row[: len(table.key)]]
            if draft.get(name, *key) is None:
                draft.set(name, key, row[len(table.key) :])
    # Faces of the copy lie in other regions, if it was cropped: its persons are in the picture as a whole.
    said = {row[-2] for row in draft.rows("face_said", hash=into) if row[-1]}
    for row in draft.rows("face_said", hash=content):
        person = row[-2]
        if row[-1] and person not in said and draft.get("person_tag", into, person) is None:
            draft.set("person_tag", (into, person), (1,))


def _name(path: bytes) -> str:
    return names.text(path.rpartition(b"/")[2])
