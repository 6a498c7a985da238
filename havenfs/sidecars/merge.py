"""A sidecar and what people say here, brought together: neither side's word is lost, nobody's property is touched.

Three sides: what the file says, what is said here, and what both agreed on last (`Marks`). What only one side has changed
since is taken from it; where both have, the file wins, because whoever wrote it cannot be asked again. Persons, tags
and albums are compared one by one. What was agreed stands in the sidecar itself (`haven:Written`), so it survives the
catalog, and so a file that says what stands there is known as our own writing, whoever has copied it. Pure; any thread.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import PI, indent

from havenfs.extract import own, packet as packets

from . import fields, given, regions, words
from .given import FIELDS, SETS, Given, Person, items, marks
from .rdf import Properties, empty
from .serialise import legal, serialise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .given import Marks, TagPath
    from .regions import Frame

NONE: frozenset[str] = frozenset()
RESTORED = ("rating", "caption", "taken", "position")
_BEGIN = 'xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"'  # ISO 16684-1, 7.3.2
_END = 'xpacket end="w"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a sidecar says."""

    given: Given
    written: Marks | None
    """What was agreed when HavenFS wrote it last; None: it never did."""

    @property
    def changed(self) -> frozenset[str]:
        """Fields that somebody else has changed since; all that say something, in a file that is not ours. Empty: it is
        our own writing, and says nothing new."""
        before = self.written or {}
        now = marks(self.given)
        return frozenset(name for name in FIELDS if now[name] != before.get(name, NONE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A sidecar after both sides were heard."""

    data: bytes | None
    """None: the file is right as it is."""
    given: Given
    """What it says now."""
    theirs: frozenset[str]
    """Fields in which it says something else than was given: decisions of others, to be taken up."""
    agreed: Marks
    """What both sides say now."""
    noted: bool
    """Whether the sidecar itself says what was agreed."""


def read(data: bytes, frame: Frame | None = None) -> Reading:
    """What the sidecar *data* says. *frame*: the picture as stored; without, regions are taken as upright. Raises
    Unreadable."""
    properties = Properties(packets.parse(data).root)
    return Reading(given=_given(properties, frame), written=_written(properties))


def merge(
    data: bytes | None, ours: Given, *, frame: Frame | None = None, agreed: Marks | None = None
) -> Merged:
    """Bring *ours* into the sidecar *data* (None: there is none yet).

    *agreed*: the marks of what was last read from it, or written to it; without, what the file itself remembers, which is
    nothing until something was written. Raises
    Unreadable: what is there is damaged, or no XMP, and must stay as it is.
    """
    packet = packets.parse(data) if data is not None else None
    if packet is None:
        packet = packets.Packet(empty(), {}, [PI(_BEGIN)], [PI(_END)])
    properties = Properties(packet.root)
    there = _given(properties, frame)
    ours = given.snapped(normal(ours), there)
    remembered = _written(properties)
    before = agreed if agreed is not None else remembered or {}
    stood = _Replaced(properties, remembered or {})
    theirs: set[str] = set()
    changed = False
    for name in FIELDS:
        theirs_now, ours_now = items(there, name), items(ours, name)
        base = before.get(name, NONE)
        result = _together(name, frozenset(theirs_now), frozenset(ours_now), base)
        if name not in SETS and not theirs_now and fields.obscure(properties, name):
            result = NONE  # not understood, so left as it is
        if name in RESTORED:
            result, ours_now = stood.heed(name, there, theirs_now, ours_now, result)
        if result != frozenset(theirs_now):
            _change(properties, frame, name, there, {**ours_now, **theirs_now}, result)
            changed = True
        if result != frozenset(ours_now):
            theirs.add(name)
    now = _given(properties, frame) if changed else there
    said, kept = marks(now), marks(given.snapped(ours, now))
    new = {name: kept[name] & (said[name] | before.get(name, NONE)) for name in FIELDS}
    # A file of others that says all this already is not touched for the sake of our note.
    if not changed and remembered in (None, new):
        noted = remembered is not None
        return Merged(data=None, given=there, theirs=frozenset(theirs), agreed=new, noted=noted)
    stood.remember()
    properties.put(own.WRITTEN, own.note(new))
    if data is None:
        indent(packet.root, " ")  # for people; in what others laid out, nothing is moved
    data = serialise(packet)
    return Merged(data=data, given=now, theirs=frozenset(theirs), agreed=new, noted=True)


def normal(said: Given) -> Given:
    """*said* as a sidecar can say it: without blanks at the ends, twins, and characters that XML lacks."""
    persons = [Person(name, p.region) for p in said.persons if (name := _clean(p.name))]
    # What cannot be drawn in the picture (a moment of a film) is a name all the same.
    still = [p if p.region is None or p.region.frame_ms == 0 else Person(p.name) for p in persons]
    placed = {person.name for person in still if person.region is not None}
    return Given(
        persons=tuple(
            dict.fromkeys(p for p in still if p.region is not None or p.name not in placed)
        ),
        tags=_paths(tuple(part.replace("|", "\uff5c") for part in path) for path in said.tags),
        albums=_paths(said.albums),
        rating=said.rating,
        caption=_clean(said.caption or "") or None,
        taken=said.taken,
        position=said.position,
        favourite=said.favourite,
    )


def _paths(paths: Iterable[TagPath]) -> tuple[TagPath, ...]:
    clean = (tuple(part for each in path if (part := _clean(each))) for path in paths)
    return tuple(dict.fromkeys(path for path in clean if path))


def _clean(text: str) -> str:
    return legal(text).replace("\r\n", "\n").replace("\r", "\n").strip()


def _given(properties: Properties, frame: Frame | None) -> Given:
    return Given(
        persons=tuple(regions.read(properties, frame)),
        tags=tuple(words.tags(properties)),
        albums=tuple(words.albums(properties)),
        rating=fields.rating(properties),
        caption=fields.caption(properties),
        taken=fields.taken(properties),
        position=fields.position(properties),
        favourite=fields.favourite(properties),
    )


def _together(
    name: str, theirs: frozenset[str], ours: frozenset[str], base: frozenset[str]
) -> frozenset[str]:
    """The marks that the field has afterwards."""
    if name in SETS:
        return (theirs & ours) | (theirs - base) | (ours - base)
    return ours if theirs == base else theirs


def _change(
    properties: Properties,
    frame: Frame | None,
    name: str,
    there: Given,
    values: dict[str, object],
    result: frozenset[str],
) -> None:
    """Make the field say *result*."""
    now = items(there, name)
    removed = [value for mark, value in now.items() if mark not in result]
    added = [values[mark] for mark in values if mark in result and mark not in now]
    match name:
        case "persons":
            regions.change(properties, frame, removed, added)  # pyright: ignore[reportArgumentType] -- its own items
        case "tags":
            words.change_tags(properties, there.tags, removed, added)  # pyright: ignore[reportArgumentType]
        case "albums":
            words.change_albums(properties, removed, added)  # pyright: ignore[reportArgumentType]
        case _:
            fields.PUT[name](properties, next(iter(added), None))


# --- what was agreed ------------------------------------------------------------------------------------------


def _written(properties: Properties) -> dict[str, frozenset[str]] | None:
    """Each field with the marks of what was written."""
    text = properties.text(own.WRITTEN)
    if not text:
        return None
    said = own.written(text)
    return {name: said.get(name, NONE) for name in FIELDS}


class _Replaced:
    """Values of others that ours were written over: the file keeps them, and says them again when ours are taken back."""

    def __init__(self, properties: Properties, written: Marks) -> None:
        self._properties = properties
        self._written = written
        self._values = own.replaced(properties.text(own.REPLACED))

    def heed(
        self,
        name: str,
        there: Given,
        theirs: dict[str, object],
        ours: dict[str, object],
        result: frozenset[str],
    ) -> tuple[frozenset[str], dict[str, object]]:
        """The field's result and our values, once what stood there before is counted in."""
        own_writing = bool(theirs) and self._written.get(name, NONE).issuperset(theirs)
        if result == frozenset(theirs):
            if theirs and not own_writing:
                self._values.pop(name, None)  # somebody has said something newer
        elif result and theirs and not own_writing:
            self._values[name] = getattr(there, name)
        elif not result and own_writing and name in self._values:
            back = items(given.restored(name, self._values.pop(name)), name)
            return frozenset(back), back
        return result, ours

    def remember(self) -> None:
        """Into the file."""
        if self._values:
            self._properties.put(own.REPLACED, json.dumps(self._values, ensure_ascii=False))
        else:
            self._properties.remove(own.REPLACED)
