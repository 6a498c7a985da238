"""people/<Name>/: who is in which picture. Putting a picture in says who it is, taking it out says who it is not; mkdir makes a
person, renaming a folder of _unnamed names one, and renaming onto a person makes the two one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from havenfs.catalog import browse, persons
from havenfs.decisions import gestures, new_uid, values
from havenfs.errors import Exists, NotEmpty, NotFound
from havenfs.views import readme
from havenfs.views.deciding import decide, who
from havenfs.views.folders import Folder
from havenfs.views.labels import decoded, found, given, shown, written

from .person import Person, hand_over, merge
from .strangers import Hidden, Ignored, Review, Unnamed

if TYPE_CHECKING:
    from havenfs.catalog.catalog import Connection
    from havenfs.decisions import Decision
    from havenfs.originals.disk import Rights
    from havenfs.views.library import Scope
    from havenfs.views.nodes import Directory, Entry, Node

    from .person import Guest

_OTHERS = {"_unnamed": Unnamed, "_review": Review, "_ignored": Ignored}


class People(Folder):
    """A folder a person, after those for who has no name; behind a facet, only who is in something there."""

    __slots__ = ("_others",)
    changeable = True  # persons can be made and named here
    announced = False  # people decide, and the log of changes does not say

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._others: dict[str, Folder] = {}
        if not scope.facets:
            self._others = {name: open_(scope.choose(name)) for name, open_ in _OTHERS.items()}

    @property
    def guide(self) -> str:
        """While it is empty."""
        return readme.PEOPLE

    def entries(self) -> list[Entry]:
        """The others first, then by name."""
        catalog = self.scope.library.catalog
        known: list[Entry] = [
            (shown(person.name).encode(), Person(self.scope, person))
            for person in catalog.read(persons.known)
            if person.name is not None
        ]
        if self.scope.outer():
            known = [
                (name, person)
                for name, person in known
                if isinstance(person, Person)
                and catalog.read(browse.exists, person.scope.conditions())
            ]
        others = [(name.encode(), folder) for name, folder in self._others.items()]
        return [*others, *self.guided(known)]

    def child(self, name: str) -> Node:
        """The person of this name, or a folder of the others."""
        if name in self._others:
            return self._others[name]
        catalog = self.scope.library.catalog
        person = found(
            name,
            lambda called: catalog.glance(persons.named, called),
            lambda: catalog.glance(persons.known),
        )
        if person.ignored:
            raise NotFound(name)
        return Person(self.scope, person)

    def mkdir(self, name: bytes, mode: int, rights: Rights) -> Node:
        """A new person. Raises Exists."""
        if not self.fillable:
            self._refuse()
        text = given(name)
        decision = values.MakePerson(uid=new_uid(), name=written(text))
        decide(self.scope.library, decision, rights)
        return self.child(text)

    def rmdir(self, name: bytes, rights: Rights) -> None:
        """Forget somebody who is in nothing, and what was said of who it is not; with the pictures that were taken out just
        before, it was one thing that somebody did. Raises NotEmpty."""
        node = self.lookup(name)
        if not self.fillable or not isinstance(node, Person):
            self._refuse()
        library = self.scope.library
        library.bursts.dissolve(
            library.keeper,
            node.key,
            self.key,
            values.ForgetPerson(uid=node.whose),
            who(rights),
            first=partial(_in_nothing, person=node, called=decoded(name)),
        )

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """Another name; onto or into a person: the two are one; to _ignored: hidden."""
        hand_over(self.lookup(name), to, new_name, flags, rights)

    def host(self, guest: Guest, name: bytes, flags: int, rights: Rights) -> None:
        """Name somebody, or merge where that name is somebody's. Raises Exists."""
        if not self.fillable:
            self._refuse()
        library = self.scope.library
        new = written(given(name))
        there = _named(self, new)
        if there is not None and there.uid != guest.whose:
            if flags or there.ignored:
                raise Exists(new)
            merge(library, guest, there.uid, rights)
            return
        decide(library, self._naming(guest, new), rights)

    def _naming(self, guest: Guest, name: str) -> Decision:
        if not isinstance(guest.whose, str):
            return self.scope.library.catalog.read(gestures.name, guest.whose, new_uid(), name)
        renamed = values.RenamePerson(uid=guest.whose, name=name)
        if not isinstance(guest, Hidden):
            return renamed
        return values.Together((renamed, values.IgnorePerson(uid=guest.whose, ignored=False)))


def _in_nothing(db: Connection, person: Person, called: str) -> None:
    if browse.exists(db, person.scope.conditions()):
        raise NotEmpty(f"“{called}” is in some pictures")
    if persons.spoken_for(db, person.whose):
        raise NotEmpty(f"“{called}” is in pictures that are not here now")


def _named(people: People, name: str) -> persons.Person | None:
    try:
        return people.scope.library.catalog.read(persons.named, name)
    except NotFound:
        return None
