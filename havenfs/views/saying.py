"""What somebody says of an asset by setting an extended attribute: tags, people, caption, rating, date, position; and of a
saved search its query. Parses, and decides; which attributes there are, and where, is the business of `attributes`."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from havenfs.catalog import collections, names
from havenfs.decisions import gestures, new_uid, values
from havenfs.errors import InvalidName, InvalidQuery, NotFound

from .deciding import decide
from .labels import composed, kept, written
from .results import Results, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from havenfs.decisions import Decision
    from havenfs.entities import Asset
    from havenfs.originals.disk import Rights

    from .library import Library


def say(library: Library, about: Asset | Results, name: str, text: str, rights: Rights) -> None:
    """Decide what the attribute *name* says with the value *text*. Raises InvalidName."""
    if isinstance(about, Results):
        _requery(library, about, text, rights)
    else:
        decide(library, SAYINGS[name](library, about, text.strip()), rights)


def take_back(library: Library, asset: Asset, name: str, rights: Rights) -> bool:
    """Let hold what the file says; False: nobody has said anything else."""
    return decide(library, SAYINGS[name](library, asset, None), rights)


def tags(library: Library, asset: Asset) -> dict[str, str]:
    """The tags that people gave it, by uid: each with those above it, `animals/dog`."""
    found = library.catalog.read(collections.of_content, values.Folder.TAG, asset.hash)
    return {uid: "/".join(path) for uid, path in found.items()}


def _caption(_: Library, asset: Asset, text: str | None) -> Decision:
    return values.SetCaption(contents=(asset.hash,), body=text)


def _rating(_: Library, asset: Asset, text: str | None) -> Decision:
    if text is None:
        return values.SetRating(contents=(asset.hash,), stars=None)
    if not (text.isascii() and text.isdigit()) or int(text) > 10:
        raise InvalidName("a rating is 0 to 10: half stars")
    return values.SetRating(contents=(asset.hash,), stars=(int(text) + 1) // 2)


def _date(_: Library, asset: Asset, text: str | None) -> Decision:
    if text is None:
        return values.SetDate(contents=(asset.hash,), local=None)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidName("a date is written 2019-07-14T10:00:00, or with +02:00") from None
    if len(text) == len("2019-07-14"):
        moment = moment.replace(hour=12)  # of a day of which the hour is not known
    away = moment.utcoffset()
    return values.SetDate(
        contents=(asset.hash,),
        local=int(moment.replace(tzinfo=UTC).timestamp()),
        offset=None if away is None else round(away.total_seconds() / 60),
    )


def _position(_: Library, asset: Asset, text: str | None) -> Decision:
    if text is None:
        return values.SetPosition(contents=(asset.hash,), position=None)
    try:
        latitude, longitude = text.split(",")
        position = float(latitude), float(longitude)
    except ValueError:
        position = math.nan, math.nan
    if not all(map(math.isfinite, position)):
        raise InvalidName("a position is written 41.9,12.5: latitude, longitude")
    return values.SetPosition(contents=(asset.hash,), position=position)


def _tags(library: Library, asset: Asset, text: str | None) -> Decision:
    return tagged(library, asset, (text or "").split(","))


def tagged(library: Library, asset: Asset, said: Iterable[str]) -> Decision:
    """Exactly these tags, `animals/dog`; those that are none yet are made. What the file says stays. Raises InvalidName,
    NameTooLong."""
    wanted = {
        "/".join(composed(part.strip()) for part in each.split("/"))
        for each in said
        if each.strip()
    }
    if any(not part for each in wanted for part in each.split("/")):
        raise InvalidName("a tag without a name")
    mine = {uid: composed(path) for uid, path in tags(library, asset).items()}
    decisions: list[Decision] = [
        values.Fill(uid=uid, contents=(asset.hash,), inside=False)
        for uid, path in mine.items()
        if path not in wanted
    ]
    from_file = {composed(each) for each in library.catalog.read(collections.keywords, asset.id)}
    made: dict[str, str] = {}
    for path in sorted(wanted - set(mine.values()) - from_file):
        uid = _tag(library, path, made, decisions)
        decisions.append(values.Fill(uid=uid, contents=(asset.hash,), inside=True))
    return values.Together(tuple(decisions))


def _tag(library: Library, path: str, made: dict[str, str], decisions: list[Decision]) -> str:
    """The uid of a tag. Where there is none, it is in *made*, and *decisions* make it and those above it."""
    parent: str | None = None
    above = ""
    for name in path.split("/"):
        above = f"{above}/{names.key(name)}"
        uid = made.get(above)
        if uid is None and (parent is None or parent not in made.values()):
            with suppress(NotFound):
                uid = library.catalog.read(collections.named, values.Folder.TAG, parent, name).uid
        if uid is None:
            uid = made[above] = new_uid()
            decisions.append(
                values.MakeFolder(uid=uid, folder=values.Folder.TAG, name=kept(name), parent=parent)
            )
        parent = uid
    assert parent is not None
    return parent


def _people(library: Library, asset: Asset, text: str | None) -> Decision:
    """Exactly these people, comma between them; those who are none yet are made."""
    if text is None:
        return library.catalog.read(gestures.say_nothing, asset.id, asset.hash)
    wanted = [written(kept(each.strip())) for each in text.split(",") if each.strip()]
    return library.catalog.read(gestures.exactly, asset.id, asset.hash, wanted)


SAYINGS: dict[str, Callable[[Library, Asset, str | None], Decision]] = {
    "user.xdg.tags": _tags,
    "user.xdg.comment": _caption,
    "user.haven.caption": _caption,
    "user.baloo.rating": _rating,
    "user.haven.date": _date,
    "user.haven.gps": _position,
    "user.haven.people": _people,
}
"""Attribute -> what its value (None: it is removed) decides."""


def _requery(library: Library, results: Results, text: str, rights: Rights) -> None:
    """Another query for the saved search; two that had the same one are one folder, and both have it."""
    try:
        parse(text)
    except InvalidQuery as error:
        raise InvalidName(str(error)) from error
    for name, query in library.catalog.read(collections.saved).items():
        if query == results.text:
            decide(library, values.SaveSearch(name=name, query=text, over=True), rights)
