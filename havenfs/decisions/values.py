"""Everything that a person can decide, as a closed set of frozen values. What each does stands in `effects`. Structs: thirty
dataclasses would cost every start 30 ms.

Contents are BLAKE3 hashes, 32 bytes. Persons and folders are named by uids that `new_uid` makes, so that a decision means
the same after every renaming.
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from havenfs.entities import Region


def new_uid() -> str:
    """16 random hexadecimal digits: a name for a new person, folder or thing in the trash."""
    return os.urandom(8).hex()


class Folder(StrEnum):
    """The kinds of folder that people fill."""

    ALBUM = "album"
    TAG = "tag"


class MakePerson(msgspec.Struct, frozen=True, kw_only=True):
    """A new person. *name* None: only to be ignored."""

    uid: str
    name: str | None


class RenamePerson(msgspec.Struct, frozen=True, kw_only=True):
    """Another name for the same person."""

    uid: str
    name: str


class IgnorePerson(msgspec.Struct, frozen=True, kw_only=True):
    """Hide a person, or show it again."""

    uid: str
    ignored: bool


class MergePersons(msgspec.Struct, frozen=True, kw_only=True):
    """Two are one: everything said of *uid* is said of *into* from now on."""

    uid: str
    into: str


class ForgetPerson(msgspec.Struct, frozen=True, kw_only=True):
    """There is no such person, and nothing was ever said of it."""

    uid: str


class FaceAt(msgspec.Struct, frozen=True):
    """A face, as decisions know it: a region of a content."""

    content: bytes
    region: Region


class SayFaces(msgspec.Struct, frozen=True):
    """These faces are (True) or are not (False) that person; None: nothing is said."""

    faces: tuple[FaceAt, ...]
    person: str
    is_it: bool | None


class TagPerson(msgspec.Struct, frozen=True, kw_only=True):
    """The person is (True) or is not (False) in these pictures as a whole; None: nothing is said."""

    contents: tuple[bytes, ...]
    person: str
    is_in: bool | None


class MakeFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A new album or tag, at the top or in another one of its kind."""

    uid: str
    folder: Folder
    name: str
    parent: str | None = None


class MoveFolder(msgspec.Struct, frozen=True, kw_only=True):
    """Another name, another place, or both."""

    uid: str
    name: str
    parent: str | None = None


class MergeFolders(msgspec.Struct, frozen=True, kw_only=True):
    """What is in *uid* is in *into* from now on; folders of one name within them are merged too."""

    uid: str
    into: str


class RemoveFolder(msgspec.Struct, frozen=True, kw_only=True):
    """Remove an album or tag: one that holds nothing, or (*filled*) with all that is in it."""

    uid: str
    filled: bool = False


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """Put these into an album or tag (True), or take them out (False)."""

    uid: str
    contents: tuple[bytes, ...]
    inside: bool


class RefuseTag(msgspec.Struct, frozen=True, kw_only=True):
    """A suggested tag is wrong for these (True), or may be suggested again (False)."""

    contents: tuple[bytes, ...]
    tag: str
    refused: bool = True


class SetFavorite(msgspec.Struct, frozen=True, kw_only=True):
    """These are favorites, or are not."""

    contents: tuple[bytes, ...]
    favorite: bool


class SetRating(msgspec.Struct, frozen=True, kw_only=True):
    """0 to 5 stars; None: what the file says."""

    contents: tuple[bytes, ...]
    stars: int | None


class SetCaption(msgspec.Struct, frozen=True, kw_only=True):
    """A caption, which may be empty; None: what the file says."""

    contents: tuple[bytes, ...]
    body: str | None


class SetDate(msgspec.Struct, frozen=True, kw_only=True):
    """Wall-clock seconds as Asset.taken_local; None: what the file says. *offset*: minutes east of UTC, if known."""

    contents: tuple[bytes, ...]
    local: int | None
    offset: int | None = None


class SetPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Latitude and longitude, degrees in WGS 84; None: what the file says. *centre*: of a city, for want of better."""

    contents: tuple[bytes, ...]
    position: tuple[float, float] | None
    centre: bool = False


class SaveSearch(msgspec.Struct, frozen=True, kw_only=True):
    """Save a query by a name. *over*: another query for the search of that name."""

    name: str
    query: str
    over: bool = False


class RenameSearch(msgspec.Struct, frozen=True, kw_only=True):
    """Another name for a saved search."""

    name: str
    new_name: str


class ForgetSearch(msgspec.Struct, frozen=True, kw_only=True):
    """Remove a saved search."""

    name: str


class Distinguish(msgspec.Struct, frozen=True, kw_only=True):
    """None of these is a copy of another one."""

    contents: tuple[bytes, ...]


class Trash(msgspec.Struct, frozen=True, kw_only=True):
    """The file at *path* of a source was moved to the trash under *uid*."""

    uid: str
    content: bytes
    source: str
    path: bytes
    at_ms: int
    owner: str


class LeaveTrash(msgspec.Struct, frozen=True, kw_only=True):
    """It was restored."""

    uid: str


class Together(msgspec.Struct, frozen=True):
    """Several decisions that somebody made with one gesture: carried out, listed and taken back as one."""

    decisions: tuple[Decision, ...]


class EmptyTrash(msgspec.Struct, frozen=True, kw_only=True):
    """These are gone for good: nothing takes that back."""

    uids: tuple[str, ...]


class DiscardCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A copy was moved to the trash with all its files; what was said of it is said of the one that is kept."""

    content: bytes
    into: bytes
    files: tuple[Trash, ...]


class RefuseFiling(msgspec.Struct, frozen=True, kw_only=True):
    """This content does not belong into the folder at *path* of a source (True), or may be proposed there again (False)."""

    content: bytes
    source: str
    path: bytes
    refused: bool = True


class Moved(msgspec.Struct, frozen=True, array_like=True):
    """A file that was moved, by the names of sources and the paths in them."""

    content: bytes
    """Of a sidecar: that of the picture that it is about."""
    source: str
    path: bytes
    to_source: str
    to_path: bytes

    def back(self) -> Moved:
        """The way back."""
        return Moved(self.content, self.to_source, self.to_path, self.source, self.path)


class FileAway(msgspec.Struct, frozen=True, kw_only=True):
    """These files were moved to where they belong, under *uid*: the one that was meant, then what goes along with it."""

    uid: str
    files: tuple[Moved, ...]


Decision = (
    MakePerson
    | RenamePerson
    | IgnorePerson
    | MergePersons
    | ForgetPerson
    | SayFaces
    | TagPerson
    | MakeFolder
    | MoveFolder
    | MergeFolders
    | RemoveFolder
    | Fill
    | RefuseTag
    | SetFavorite
    | SetRating
    | SetCaption
    | SetDate
    | SetPosition
    | SaveSearch
    | RenameSearch
    | ForgetSearch
    | Distinguish
    | Trash
    | LeaveTrash
    | Together
    | EmptyTrash
    | DiscardCopy
    | RefuseFiling
    | FileAway
)
