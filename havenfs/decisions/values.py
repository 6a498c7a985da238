"""Everything that a person can decide, as a closed set of frozen values. What each does stands in `effects`.

Contents are BLAKE3 hashes, 32 bytes. Persons and folders are named by uids that `new_uid` makes, so that a decision means
the same after every renaming.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from havenfs.entities import Region


def new_uid() -> str:
    """16 random hexadecimal digits: a name for a new person, folder or thing in the trash."""
    return secrets.token_hex(8)


class Folder(StrEnum):
    """The kinds of folder that people fill."""

    ALBUM = "album"
    TAG = "tag"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePerson:
    """A new person. *name* None: only to be ignored."""

    uid: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamePerson:
    """Another name for the same person."""

    uid: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnorePerson:
    """Hide a person, or show it again."""

    uid: str
    ignored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePersons:
    """Two are one: everything said of *uid* is said of *into* from now on."""

    uid: str
    into: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetPerson:
    """There is no such person, and nothing was ever said of it."""

    uid: str


class FaceAt(NamedTuple):
    """A face, as decisions know it: a region of a content."""

    content: bytes
    region: Region


@dataclass(frozen=True, slots=True)
class SayFaces:
    """These faces are (True) or are not (False) that person; None: nothing is said."""

    faces: tuple[FaceAt, ...]
    person: str
    is_it: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPerson:
    """The person is (True) or is not (False) in these pictures as a whole; None: nothing is said."""

    contents: tuple[bytes, ...]
    person: str
    is_in: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeFolder:
    """A new album or tag, at the top or in another one of its kind."""

    uid: str
    folder: Folder
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFolder:
    """Another name, another place, or both."""

    uid: str
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeFolders:
    """What is in *uid* is in *into* from now on; folders of one name within them are merged too."""

    uid: str
    into: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFolder:
    """Remove an album or tag: one that holds nothing, or (*filled*) with all that is in it."""

    uid: str
    filled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Put these into an album or tag (True), or take them out (False)."""

    uid: str
    contents: tuple[bytes, ...]
    inside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseTag:
    """A suggested tag is wrong for these (True), or may be suggested again (False)."""

    contents: tuple[bytes, ...]
    tag: str
    refused: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFavorite:
    """These are favorites, or are not."""

    contents: tuple[bytes, ...]
    favorite: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRating:
    """0 to 5 stars; None: what the file says."""

    contents: tuple[bytes, ...]
    stars: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCaption:
    """A caption, which may be empty; None: what the file says."""

    contents: tuple[bytes, ...]
    body: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDate:
    """Wall-clock seconds as Asset.taken_local; None: what the file says. *offset*: minutes east of UTC, if known."""

    contents: tuple[bytes, ...]
    local: int | None
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPosition:
    """Latitude and longitude, degrees in WGS 84; None: what the file says. *centre*: of a city, for want of better."""

    contents: tuple[bytes, ...]
    position: tuple[float, float] | None
    centre: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSearch:
    """Save a query by a name; over another one of that name too."""

    name: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameSearch:
    """Another name for a saved search."""

    name: str
    new_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetSearch:
    """Remove a saved search."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinguish:
    """None of these is a copy of another one."""

    contents: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trash:
    """The file at *path* of a source was moved to the trash under *uid*."""

    uid: str
    content: bytes
    source: str
    path: bytes
    at_ms: int
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveTrash:
    """It was restored."""

    uid: str


@dataclass(frozen=True, slots=True)
class Together:
    """Several decisions that somebody made with one gesture: carried out, listed and taken back as one."""

    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyTrash:
    """These are gone for good: nothing takes that back."""

    uids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardCopy:
    """A copy was moved to the trash with all its files; what was said of it is said of the one that is kept."""

    content: bytes
    into: bytes
    files: tuple[Trash, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseFiling:
    """This content does not belong into the folder at *path* of a source (True), or may be proposed there again (False)."""

    content: bytes
    source: str
    path: bytes
    refused: bool = True


class Moved(NamedTuple):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAway:
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
