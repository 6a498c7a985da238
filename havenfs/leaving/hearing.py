"""What other programs have put into sidecars, changed in them and taken out of them, as decisions.

A sidecar is compared with what was agreed on last (`sidecars.merge`), so what differs is newer than what was decided here. What
several sidecars say is one operation in the list of undo: whoever tags an album elsewhere has done one thing.

What holds without a decision is not decided: ratings and captions, and dates and positions where the original has none, are
read as facts of the file. Nor is what programs note for themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from havenfs.catalog import collections, corrections, names, persons
from havenfs.decisions import gestures, new_uid, values
from havenfs.errors import NotFound
from havenfs.sidecars.given import Given, items, snapped
from havenfs.sidecars.merge import normal

from .decided import corrected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.corrections import Found
    from havenfs.decisions import Decision
    from havenfs.entities import AssetId, Region
    from havenfs.sidecars.given import Person, Position, TagPath
    from havenfs.sidecars.merge import Merged

_PROGRAMS = frozenset({"darktable", "_digikam_internal_tags_", "_digikam_root_tag_"})
"""First steps of tags that nobody gave: darktable tags each picture with its format and its exports."""
_SAME_SPOT = 1e-4  # degrees: 11 m, more than any program rounds
_KINDS = {"tags": values.Folder.TAG, "albums": values.Folder.ALBUM}


class _Where(NamedTuple):
    kind: values.Folder
    parent: str | None
    key: str


class Hearing:
    """What was heard, of any number of contents, until it is decided as one."""

    def __init__(self) -> None:
        self.contents: set[bytes] = set()
        """Of which something was heard, if only what nobody decides."""
        self._made: dict[_Where, values.MakeFolder] = {}
        self._named: dict[str, values.MakePerson] = {}
        self._fills: dict[tuple[str, bool], dict[bytes, None]] = {}
        self._single: list[Decision] = []

    def hear(
        self,
        db: Connection,
        asset_id: AssetId,
        content: bytes,
        ours: Given,
        merged: Merged,
        *,
        regions: bool,
    ) -> None:
        """Note what the sidecar of a content says otherwise than *ours*. *regions*: it is known how the picture is turned."""
        said = merged.given
        before = snapped(normal(ours), said)
        if merged.theirs:
            self.contents.add(content)
        if "persons" in merged.theirs:
            self._persons(db, asset_id, content, before, said, regions=regions)
        for name, kind in _KINDS.items():
            if name in merged.theirs:
                self._folders(db, content, name, kind, before, said)
        self._single += _values(db, asset_id, content, merged)
        if before.favourite and not said.favourite:
            self._single.append(values.SetFavorite(contents=(content,), favorite=False))

    def decision(self) -> Decision | None:
        """All of it as one; None: nothing."""
        fills = [
            values.Fill(uid=uid, contents=tuple(contents), inside=inside)
            for (uid, inside), contents in self._fills.items()
        ]
        whole = (*self._made.values(), *self._named.values(), *fills, *self._single)
        if len(whole) <= 1:
            return whole[0] if whole else None
        return values.Together(whole)

    # --- tags and albums ------------------------------------------------------------------------------------------

    def _folders(
        self,
        db: Connection,
        content: bytes,
        name: str,
        kind: values.Folder,
        before: Given,
        said: Given,
    ) -> None:
        was, now = items(before, name), items(said, name)
        for mark in now.keys() - was.keys():
            path: TagPath = now[mark]  # type: ignore[assignment] -- an item of its field
            if path[0].casefold() not in _PROGRAMS:
                self._fill(self._uid(db, kind, path), content, inside=True)
        gone = was.keys() - now.keys()
        if not gone:
            return
        for uid, path in collections.of_content(db, kind, content).items():
            spelt = normal(Given(tags=(path,)) if name == "tags" else Given(albums=(path,)))
            if gone.issuperset(items(spelt, name)):
                self._fill(uid, content, inside=False)

    def _fill(self, uid: str, content: bytes, *, inside: bool) -> None:
        self._fills.setdefault((uid, inside), {})[content] = None

    def _uid(self, db: Connection, kind: values.Folder, path: TagPath) -> str:
        """The folder of this path, made as far as there is none."""
        above: str | None = None
        for part in path:
            where = _Where(kind, above, names.key(part))
            if where in self._made:
                above = self._made[where].uid
                continue
            try:
                above = collections.named(db, kind, above, part).uid
            except NotFound:
                made = values.MakeFolder(uid=new_uid(), folder=kind, name=part, parent=above)
                self._made[where] = made
                above = made.uid
        assert above is not None, "a path has parts"
        return above

    # --- persons --------------------------------------------------------------------------------------------------

    def _persons(
        self,
        db: Connection,
        asset_id: AssetId,
        content: bytes,
        before: Given,
        said: Given,
        *,
        regions: bool,
    ) -> None:
        if not regions and any(person.region for person in said.persons):
            return  # heard when it is known where those are in the upright picture
        was, now = items(before, "persons"), items(said, "persons")
        there = {names.key(person.name) for person in said.persons}
        for mark in was.keys() - now.keys():
            person: Person = was[mark]  # type: ignore[assignment]
            try:
                uid = persons.named(db, person.name).uid
            except NotFound:
                continue  # called so in sidecars alone, which lack some characters
            if names.key(person.name) not in there:
                self._single.append(gestures.deny(db, asset_id, content, uid))
            elif person.region is not None:  # drawn elsewhere now
                self._say(content, person.region, uid, is_it=None)
            else:
                untold = values.TagPerson(contents=(content,), person=uid, is_in=None)
                self._single.append(untold)
        for mark in now.keys() - was.keys():
            person = now[mark]  # type: ignore[assignment]
            uid = self._person(db, person.name)
            if uid is None:
                continue
            if person.region is not None:
                self._say(content, person.region, uid, is_it=True)
            else:
                tagged = values.TagPerson(contents=(content,), person=uid, is_in=True)
                self._single.append(tagged)

    def _say(self, content: bytes, region: Region, uid: str, *, is_it: bool | None) -> None:
        self._single.append(values.SayFaces((values.FaceAt(content, region),), uid, is_it))

    def _person(self, db: Connection, name: str) -> str | None:
        """The one of this name, made if there is none; None: somebody whom people do not want to see."""
        try:
            found = persons.named(db, name)
        except NotFound:
            fresh = values.MakePerson(uid=new_uid(), name=name)
            return self._named.setdefault(names.key(name), fresh).uid
        return None if found.ignored else found.uid


def _values(
    db: Connection, asset_id: AssetId, content: bytes, merged: Merged
) -> Iterator[Decision]:
    said, contents, ours = merged.given, (content,), corrected(db, content)
    for name in ours & merged.theirs:
        match name:
            case "rating" if said.rating is None or said.rating >= 0:
                yield values.SetRating(contents=contents, stars=said.rating)
            case "caption":
                yield values.SetCaption(contents=contents, body=said.caption)
            case "taken":
                local, offset = said.taken or (None, None)
                yield values.SetDate(contents=contents, local=local, offset=offset)
            case "position":
                yield values.SetPosition(contents=contents, position=said.position)
            case _:
                pass
    # Where the original says something itself, that is read and not the sidecar: whoever wrote that has corrected it.
    found = corrections.found(db, asset_id)
    if found.waiting:
        return
    taken, position = said.taken, said.position
    corrected_it = taken is not None and taken.local != found.taken_local and not found.estimated
    if "taken" in merged.theirs - ours and taken is not None and corrected_it:
        yield values.SetDate(contents=contents, local=taken.local, offset=taken.offset)
    if "position" in merged.theirs - ours and position and _elsewhere(found, position):
        yield values.SetPosition(contents=contents, position=position)


def _elsewhere(found: Found, position: Position) -> bool:
    if found.latitude is None or found.longitude is None:
        return False  # it is read from the sidecar
    apart = abs(found.latitude - position.latitude), abs(found.longitude - position.longitude)
    return max(apart) > _SAME_SPOT
