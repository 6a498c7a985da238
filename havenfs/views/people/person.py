"""A person's folder, and what groups of faces have in common wherever they stand in people/.

Group folders are moved by name: the folder they come from hands them over (`hand_over`), the one they go to knows what that means
(`Host.host`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from havenfs.catalog.browse import Condition
from havenfs.decisions import gestures, values
from havenfs.errors import NotPermitted
from havenfs.views import readme
from havenfs.views.deciding import decide
from havenfs.views.fillable import Fillable
from havenfs.views.folders import EXCHANGE
from havenfs.views.nodes import Leaf

if TYPE_CHECKING:
    from collections.abc import Collection

    from havenfs.catalog import persons
    from havenfs.catalog.clusters import ClusterId
    from havenfs.decisions import Decision
    from havenfs.entities import Asset, FaceId
    from havenfs.originals.disk import Rights
    from havenfs.views.library import Library, Scope
    from havenfs.views.nodes import Directory, Node


@runtime_checkable
class Guest(Protocol):
    """A folder that stands for one person, known or not."""

    @property
    def whose(self) -> str | ClusterId:
        """The uid; of a group of which nobody has said who it is, its number."""
        ...


@runtime_checkable
class Host(Protocol):
    """A folder into which such folders are moved."""

    def host(self, guest: Guest, name: bytes, flags: int, rights: Rights) -> None:
        """Somebody moves *guest* here and calls it *name*; *flags* as in renameat2(2)."""
        ...


def hand_over(node: Node, to: Directory, name: bytes, flags: int, rights: Rights) -> None:
    """Move a folder of one person to where it is understood. Raises NotPermitted elsewhere."""
    if flags & EXCHANGE or not isinstance(node, Guest) or not isinstance(to, Host):
        raise NotPermitted("only the folder of a person can be moved, and only within people/")
    to.host(node, name, flags, rights)


def merge(library: Library, guest: Guest, into: str, rights: Rights) -> None:
    """Whoever *guest* stands for is *into*."""
    if isinstance(guest.whose, str):
        decide(library, values.MergePersons(uid=guest.whose, into=into), rights)
    else:
        decide(library, library.catalog.read(gestures.join, guest.whose, into), rights)


class Person(Fillable):
    """Somebody who has a name."""

    __slots__ = ("whose",)

    def __init__(self, scope: Scope, person: persons.Person) -> None:
        # By the uid: a person who is renamed stays the same folder.
        super().__init__(scope.choose(person.uid, Condition("person", person.uid)))
        self.whose = person.uid

    @property
    def guide(self) -> str:
        """While it is empty."""
        return readme.PERSON

    def filling(self, asset: Asset, *, inside: bool) -> Decision:
        """In it; or not in it, for ever."""
        gesture = gestures.put if inside else gestures.take
        return self.scope.library.catalog.read(gesture, asset.id, asset.hash, self.whose)

    def receive_faces(self, asset: Asset, faces: Collection[FaceId], rights: Rights) -> None:
        """The picture's face among *faces* is this person's."""
        if not self.fillable:
            self._refuse()
        decision = self.scope.library.catalog.read(
            gestures.put, asset.id, asset.hash, self.whose, meant=faces
        )
        decide(self.scope.library, decision, rights)

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """To another person: it was that one all along. Elsewhere: it is there too, and stays here."""
        node = self.lookup(name)
        if flags & EXCHANGE or not isinstance(node, Leaf) or not isinstance(to, Person):
            super().rename(name, to, new_name, flags, rights)
            return
        if not (self.fillable and to.fillable):
            self._refuse()
        if to.whose == self.whose:
            return
        decision = self.scope.library.catalog.read(
            gestures.move, node.asset.id, node.asset.hash, self.whose, to.whose
        )
        decide(self.scope.library, decision, rights)

    def host(self, guest: Guest, name: bytes, flags: int, rights: Rights) -> None:
        """`mv _unnamed/C012 Alice` puts the one into the other: they are one."""
        if not self.fillable or guest.whose == self.whose:
            self._refuse()
        merge(self.scope.library, guest, self.whose, rights)
