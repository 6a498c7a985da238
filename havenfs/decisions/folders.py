"""Decisions about albums and tags: folders within folders, names unique beside each other but for case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.catalog import names
from havenfs.errors import Exists, InvalidName, NotEmpty, NotFound

from . import values
from .words import files

if TYPE_CHECKING:
    from havenfs.catalog.given import Cell, Draft, Row

    Decision = (
        values.MakeFolder
        | values.MoveFolder
        | values.MergeFolders
        | values.RemoveFolder
        | values.Fill
    )


def apply(draft: Draft, decision: Decision) -> str:
    """Carry it out; returns it in words. Raises NotFound, Exists, NotEmpty, InvalidName."""
    match decision:
        case values.MakeFolder(uid=uid, folder=kind, name=name, parent=parent):
            if draft.get("collection", uid) is not None:
                raise Exists(uid)
            _put(draft, uid, kind, name, parent)
            return f"made the {kind} “{name}”"
        case values.MoveFolder(uid=uid, name=name, parent=parent):
            kind, old_parent, old, _ = _folder(draft, uid)
            _put(draft, uid, str(kind), name, parent)
            moved = "" if parent == old_parent else ", in another place"
            return f"renamed the {kind} “{old}” to “{name}”{moved}"
        case values.MergeFolders(uid=uid, into=into):
            kind, _, name, _ = _folder(draft, uid)
            other, _, target, _ = _folder(draft, into)
            if kind != other or into in _subtree(draft, uid):
                raise InvalidName(f"“{name}” cannot be merged into “{target}”")
            _merge(draft, uid, into)
            return f"merged the {kind} “{name}” into “{target}”"
        case values.RemoveFolder(uid=uid, filled=filled):
            kind, _, name, _ = _folder(draft, uid)
            if filled:
                return _dissolve(draft, uid, f"the {kind} “{name}”")
            if draft.rows("member", collection=uid) or draft.rows("collection", parent=uid):
                raise NotEmpty(f"the {kind} “{name}” is not empty")
            draft.set("collection", (uid,), None)
            return f"removed the {kind} “{name}”"
        case values.Fill(uid=uid, contents=contents, inside=inside):
            kind, _, name, _ = _folder(draft, uid)
            for content in contents:
                draft.set("member", (uid, content.hex()), () if inside else None)
            verb = "put into" if inside else "taken out of"
            return f"{files(len(contents))} {verb} the {kind} “{name}”"


def _folder(draft: Draft, uid: str) -> Row:
    found = draft.get("collection", uid)
    if found is None:
        raise NotFound(f"folder {uid}")
    return found


def _put(draft: Draft, uid: str, kind: str, name: str, parent: str | None) -> None:
    if not name:
        raise InvalidName(f"a {kind} without a name")
    if parent is not None:
        if _folder(draft, parent)[0] != kind:
            raise InvalidName(f"a {kind} stands among others of its kind")
        if parent in _subtree(draft, uid):
            raise InvalidName(f"“{name}” cannot stand in itself")
    key = names.key(name)
    twins = draft.rows("collection", kind=kind, parent=parent, name_key=key)
    if any(row[0] != uid for row in twins):
        raise Exists(name)
    draft.set("collection", (uid,), (kind, parent, name, key))


def _subtree(draft: Draft, uid: str) -> set[str]:
    """The folder itself and all below it."""
    found = {uid}
    waiting = [uid]
    while waiting:
        below = {str(row[0]) for row in draft.rows("collection", parent=waiting.pop())} - found
        found |= below
        waiting += below
    return found


def _dissolve(draft: Draft, uid: str, which: str) -> str:
    below = _subtree(draft, uid)
    contents: set[Cell] = set()
    for folder in below:
        for row in draft.rows("member", collection=folder):
            contents.add(row[1])
            draft.set("member", row, None)
    for folder in below:
        draft.set("collection", (folder,), None)
    inner = len(below) - 1
    folders = f" and {inner} folder{'s' if inner > 1 else ''} in it" if inner else ""
    if not contents and not folders:
        return f"removed {which}"
    return f"dissolved {which}, with {files(len(contents))}{folders}"


def _merge(draft: Draft, uid: str, into: str) -> None:
    draft.set(
        "collection", (uid,), None
    )  # first: a folder in it may bear its name and take its place
    for row in draft.rows("member", collection=uid):
        draft.set("member", row, None)
        draft.set("member", (into, row[1]))
    for child, kind, _, name, key in draft.rows("collection", parent=uid):
        twins = draft.rows("collection", kind=kind, parent=into, name_key=key)
        if twins:
            _merge(draft, str(child), str(twins[0][0]))
        else:
            draft.set("collection", (child,), (kind, into, name, key))
