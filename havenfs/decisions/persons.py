"""Decisions about persons and faces. A face is one region of one content, whichever model drew its box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.catalog import names
from havenfs.catalog.faces import SAME_PLACE
from havenfs.entities import Region
from havenfs.errors import Exists, InvalidName, NotFound

from . import values
from .words import files

if TYPE_CHECKING:
    from havenfs.catalog.given import Draft, Row

    Decision = (
        values.MakePerson
        | values.RenamePerson
        | values.IgnorePerson
        | values.MergePersons
        | values.ForgetPerson
        | values.SayFaces
        | values.TagPerson
    )


def apply(draft: Draft, decision: Decision) -> str:
    """Carry it out; returns it in words. Raises NotFound, Exists, InvalidName."""
    match decision:
        case values.MakePerson(uid=uid, name=name):
            if draft.get("person", uid) is not None:
                raise Exists(uid)
            _put(draft, uid, name, ignored=name is None)
            return f"named “{name}”" if name else "hid somebody without a name"
        case values.RenamePerson(uid=uid, name=name):
            old, _, ignored = _person(draft, uid)
            _put(draft, uid, name, ignored=bool(ignored))
            return f"renamed “{old}” to “{name}”" if old else f"named “{name}”"
        case values.IgnorePerson(uid=uid, ignored=ignored):
            name, key, _ = _person(draft, uid)
            draft.set("person", (uid,), (name, key, int(ignored)))
            return f"{'hid' if ignored else 'showed'} “{name or 'somebody without a name'}”"
        case values.MergePersons(uid=uid, into=into):
            words = f"merged “{_person(draft, uid)[0]}” into “{_person(draft, into)[0]}”"
            if uid == into:
                raise Exists(into)
            _merge(draft, uid, into)
            return words
        case values.ForgetPerson(uid=uid):
            name = _person(draft, uid)[0]
            for row in draft.rows("face_said", person=uid):
                draft.set("face_said", row[:-1], None)
            for row in draft.rows("person_tag", person=uid):
                draft.set("person_tag", row[:-1], None)
            draft.set("person", (uid,), None)
            return f"forgot “{name}”"
        case values.SayFaces(faces=said, person=person, is_it=is_it):
            name = _person(draft, person)[0] or "somebody without a name"
            for face in said:
                _say(draft, face, person, is_it)
            one = len(said) == 1
            many = "a face" if one else f"{len(said)} faces"
            verb = {True: "is" if one else "are", False: "is not" if one else "are not"}
            if is_it is None:
                return f"said nothing any more about {many} and “{name}”"
            return f"said that {many} {verb[is_it]} “{name}”"
        case values.TagPerson(contents=contents, person=person, is_in=is_in):
            name = _person(draft, person)[0]
            for content in contents:
                said = None if is_in is None else (int(is_in),)
                draft.set("person_tag", (content.hex(), person), said)
            verb = {True: "is in", False: "is not in", None: "may be in"}[is_in]
            return f"said that “{name}” {verb} {files(len(contents))}"


def _person(draft: Draft, uid: str) -> Row:
    found = draft.get("person", uid)
    if found is None:
        raise NotFound(f"person {uid}")
    return found


def _put(draft: Draft, uid: str, name: str | None, *, ignored: bool) -> None:
    if name is None:
        draft.set("person", (uid,), (None, None, int(ignored)))
        return
    if not name:
        raise InvalidName("a person without a name")
    key = names.key(name)
    if any(row[0] != uid for row in draft.rows("person", name_key=key)):
        raise Exists(name)
    draft.set("person", (uid,), (name, key, int(ignored)))


def _say(draft: Draft, face: values.FaceAt, person: str, is_it: bool | None) -> None:  # noqa: FBT001
    content = face.content.hex()
    place = _known_place(draft, content, face.region)
    if is_it:  # then it is nobody else; that others are not it stays said
        for row in draft.rows("face_said", hash=content):
            if row[1:6] == place and row[-1]:
                draft.set("face_said", row[:-1], None)
    said = None if is_it is None else (int(is_it),)
    draft.set("face_said", (content, *place, person), said)


def _known_place(draft: Draft, content: str, region: Region) -> Row:
    """The region under which something is said of this face already: another model draws its box a little differently."""
    found = {Region(*row[1:6]) for row in draft.rows("face_said", hash=content)}  # type: ignore[arg-type]
    best = max(found, key=region.overlap, default=region)
    chosen = best if best.overlap(region) >= SAME_PLACE else region
    return (chosen.frame_ms, *(round(float(share), 6) for share in chosen[1:]))


def _merge(draft: Draft, uid: str, into: str) -> None:
    """A yes to either is a yes; a no to either is a no where nobody said yes."""
    for table in ("face_said", "person_tag"):
        for *key, _, said in draft.rows(table, person=uid):
            draft.set(table, (*key, uid), None)
            other = draft.get(table, *key, into)
            draft.set(table, (*key, into), (max(said, other[0]) if other else said,))  # type: ignore[type-var]
    draft.set("person", (uid,), None)
