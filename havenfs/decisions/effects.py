"""What each decision does to the GIVEN tables, and how it is told to people. Runs within the transaction of a Draft.

`apply` returns the words; it raises, and the transaction with it goes back, where the decision makes no sense: NotFound,
Exists, NotEmpty, InvalidName. Persons, folders and the trash, which need more thought, are in `persons`, `folders` and `trash`.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from havenfs.catalog import names
from havenfs.errors import Exists, InvalidName, NotFound

from . import filing, folders, persons, trash, values
from .words import files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from havenfs.catalog.given import Draft, Row

    from .values import Decision


MOST_TOLD = 6
"""Of decisions that were made as one: what a sidecar's program did with an evening's pictures is a line in a list."""
YEARS = (-62_135_596_800, 253_402_300_799)
"""0001 to 9999, in seconds: what calendars can write."""


def apply(draft: Draft, decision: Decision) -> str:
    """Carry a decision out; returns it in words."""
    match decision:
        case (
            values.MakePerson()
            | values.RenamePerson()
            | values.IgnorePerson()
            | values.MergePersons()
            | values.ForgetPerson()
            | values.SayFaces()
            | values.TagPerson()
        ):
            return persons.apply(draft, decision)
        case (
            values.MakeFolder()
            | values.MoveFolder()
            | values.MergeFolders()
            | values.RemoveFolder()
            | values.Fill()
        ):
            return folders.apply(draft, decision)
        case values.SaveSearch() | values.RenameSearch() | values.ForgetSearch():
            return _search(draft, decision)
        case values.Together(decisions=several):
            told = [apply(draft, one) for one in several]
            more = f"; and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
            return "; ".join(told[:MOST_TOLD]) + more or "nothing"
        case values.Trash() | values.LeaveTrash() | values.EmptyTrash() | values.DiscardCopy():
            return trash.apply(draft, decision)
        case values.RefuseFiling() | values.FileAway():
            return filing.apply(draft, decision)
        case values.Distinguish(contents=contents):
            for pair in combinations(sorted(content.hex() for content in set(contents)), 2):
                draft.set("not_duplicate", pair)
            return f"said that {files(len(contents))} are no copies of each other"
        case _:
            return _mark(draft, decision)


def _mark(
    draft: Draft,
    decision: values.RefuseTag
    | values.SetFavorite
    | values.SetRating
    | values.SetCaption
    | values.SetDate
    | values.SetPosition,
) -> str:
    contents, many = decision.contents, files(len(decision.contents))
    match decision:
        case values.RefuseTag(tag=tag, refused=refused):
            for content in contents:
                draft.set("tag_refused", (content.hex(), tag), () if refused else None)
            return f"said {'no' if refused else 'nothing'} to the tag “{tag}” for {many}"
        case values.SetFavorite(favorite=favorite):
            _each(draft, "favorite", contents, () if favorite else None)
            return f"{many} {'made a favorite' if favorite else 'taken from the favorites'}"
        case values.SetRating(stars=stars):
            if stars is not None and not 0 <= stars <= 5:
                raise InvalidName(f"{stars} stars: give 0 to 5")
            _each(draft, "given_rating", contents, None if stars is None else (stars,))
            return f"rated {many} {'as their files say' if stars is None else f'{stars} of 5'}"
        case values.SetCaption(body=body):
            _each(draft, "given_caption", contents, None if body is None else (body,))
            return f"captioned {many}"
        case values.SetDate(local=local, offset=offset):
            if local is not None and not YEARS[0] <= local <= YEARS[1]:
                raise InvalidName("a date outside of the years 1 to 9999")
            if abs(offset or 0) > 24 * 60:
                raise InvalidName("a time zone more than a day from UTC")
            _each(draft, "given_date", contents, None if local is None else (local, offset))
            return f"dated {many}{' as their files say' if local is None else ''}"
        case values.SetPosition(position=position, centre=centre):
            # NaN is not within either
            if position is not None and not (abs(position[0]) <= 90 and abs(position[1]) <= 180):
                raise InvalidName(
                    "no position on earth: give degrees of latitude, then of longitude"
                )
            row = None if position is None else (*map(float, position), int(centre))
            _each(draft, "given_position", contents, row)
            return f"placed {many}{' where their files say' if position is None else ''}"


def _each(draft: Draft, table: str, contents: Sequence[bytes], row: Row | None) -> None:
    for content in contents:
        draft.set(table, (content.hex(),), row)


def _search(
    draft: Draft, decision: values.SaveSearch | values.RenameSearch | values.ForgetSearch
) -> str:
    if not decision.name:
        raise InvalidName("a saved search without a name")
    key = names.key(decision.name)
    known = draft.get("saved_search", key)
    if isinstance(decision, values.SaveSearch):
        if known is not None and not decision.over:
            raise Exists(decision.name)
        draft.set("saved_search", (key,), (decision.name, decision.query))
        return f"saved the search “{decision.name}”"
    if known is None:
        raise NotFound(decision.name)
    draft.set("saved_search", (key,), None)
    if isinstance(decision, values.ForgetSearch):
        return f"removed the saved search “{decision.name}”"
    new_key = names.key(decision.new_name)
    if not decision.new_name:
        raise InvalidName("a saved search without a name")
    if draft.get("saved_search", new_key) is not None:
        raise Exists(decision.new_name)
    draft.set("saved_search", (new_key,), (decision.new_name, known[1]))
    return f"renamed the saved search “{decision.name}” to “{decision.new_name}”"
