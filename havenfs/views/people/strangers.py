"""people/_unnamed/C###/, people/_review/<Name>/ and people/_ignored/: faces that belong together and have no name yet, faces
that may be somebody's, and who is not to be shown.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from havenfs.catalog import assets, clusters, persons
from havenfs.catalog.browse import Condition, among
from havenfs.catalog.clusters import ClusterId
from havenfs.catalog.names import legal
from havenfs.decisions import gestures, new_uid, values
from havenfs.entities import Hit
from havenfs.errors import NotFound
from havenfs.views import readme
from havenfs.views.deciding import decide
from havenfs.views.fillable import meant
from havenfs.views.folders import EXCHANGE, Assets, Folder, Yielding
from havenfs.views.labels import found, shown
from havenfs.views.nodes import Leaf

from .person import Person, hand_over

if TYPE_CHECKING:
    from havenfs.catalog.persons import Sighting
    from havenfs.entities import Asset, FaceId
    from havenfs.originals.disk import Rights
    from havenfs.views.library import Scope
    from havenfs.views.nodes import Directory, Entries, Entry, Node

    from .person import Guest


class _Faces(Yielding):
    """Pictures with certain faces in them."""

    __slots__ = ()
    announced = False  # the log of changes does not say whose faces

    @abstractmethod
    def faces(self, asset: Asset) -> list[Sighting]:
        """The faces of the picture because of which it stands here."""

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """To a person: the face is that one's. To other folders that people fill: it is there too."""
        node = self.lookup(name)
        if flags & EXCHANGE or not isinstance(node, Leaf) or not isinstance(to, Person):
            super().rename(name, to, new_name, flags, rights)
            return
        to.receive_faces(node.asset, _ids(self.faces(node.asset)), rights)


class Group(_Faces):
    """Faces that are of one person, whom nobody has named."""

    __slots__ = ("whose",)

    def __init__(self, scope: Scope, cluster: ClusterId) -> None:
        super().__init__(scope.choose(label(cluster), Condition("cluster", cluster)))
        self.whose = cluster

    def faces(self, asset: Asset) -> list[Sighting]:
        """Those of the group."""
        found = self.scope.library.catalog.read(persons.sightings, asset.id)
        return [face for face in found if face.cluster == self.whose]

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """Also to _ignored: the whole group is hidden."""
        if isinstance(to, Ignored) and not flags & EXCHANGE:
            self.lookup(name)
            to.host(self, name, flags, rights)
            return
        super().rename(name, to, new_name, flags, rights)


class Unnamed(Folder):
    """A folder a group, the largest first."""

    __slots__ = ()
    costly = True  # all faces that have no name are counted: 0.2 s for 200,000
    announced = False  # groups come and go with faces
    changeable = True  # in that its folders can be given names

    def entries(self) -> list[Entry]:
        """The largest first."""
        found = self.scope.library.catalog.read(clusters.unnamed)
        return [(label(one.id).encode(), Group(self.scope, one.id)) for one in found]

    def child(self, name: str) -> Group:
        """The group of this number."""
        number = int(name[1:]) if name[1:].isdecimal() else 0
        cluster = ClusterId(number)
        if name != label(cluster) or not self.scope.library.catalog.read(
            clusters.is_unnamed, cluster
        ):
            raise NotFound(name)
        return Group(self.scope, cluster)

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """To people/<Name>: named; onto or into a person: it is that one; to _ignored: hidden."""
        hand_over(self.lookup(name), to, new_name, flags, rights)

    def host(self, guest: Guest, name: bytes, flags: int, rights: Rights) -> None:
        """Who was hidden without a name is to be seen again."""
        if not isinstance(guest, Hidden):
            self._refuse()
        guest.show(rights)


class Review(Folder):
    """A folder for each person of whom there are doubtful faces."""

    __slots__ = ()
    announced = False  # doubts come and go with faces

    def entries(self) -> list[Entry]:
        """By name."""
        catalog = self.scope.library.catalog
        return [
            (shown(person.name).encode(), Doubts(self.scope, person))
            for person in catalog.read(persons.known)
            if person.name is not None and catalog.read(persons.doubts, person.uid)
        ]

    def child(self, name: str) -> Doubts:
        """The doubtful faces of a person, if there are any."""
        catalog = self.scope.library.catalog
        person = found(
            name,
            lambda called: catalog.glance(persons.named, called),
            lambda: catalog.glance(persons.known),
        )
        if person.ignored or not catalog.read(persons.doubts, person.uid):
            raise NotFound(name)
        return Doubts(self.scope, person)


class Doubts(_Faces):
    """Pictures with a face that may be somebody's, the surest first. Moving one to that person says yes, removing it no."""

    __slots__ = ("_person",)

    def __init__(self, scope: Scope, person: persons.Person) -> None:
        super().__init__(scope.choose(person.uid, Condition("nothing")))
        self._person = person

    def entries(self) -> list[Entry]:
        """The surest first."""
        catalog = self.scope.library.catalog
        doubts = {face.asset_id: face for face in reversed(self._doubts())}
        found = {asset.id: asset for asset in catalog.read(assets.many, list(doubts))}
        return [
            (found[id_].name.encode(), self._leaf(found[id_], face))
            for id_, face in reversed(doubts.items())
            if id_ in found
        ]

    def child(self, name: str) -> Leaf:
        """The picture, if one of its faces is doubtful."""
        doubts = {face.asset_id: face for face in reversed(self._doubts())}
        scope = self.scope.choose("", among(list(doubts)))
        leaf = Assets(scope).child(name)
        return self._leaf(leaf.asset, doubts[leaf.asset.id])

    def real_name(self, name: bytes) -> bytes:
        """Found by listing: they are few."""
        return Folder.real_name(self, name)

    def faces(self, asset: Asset) -> list[Sighting]:
        """The doubtful ones."""
        return [face for face in self._doubts() if face.asset_id == asset.id]

    def unlink(self, name: bytes, rights: Rights) -> None:
        """Say no: these faces are somebody else's."""
        node = self.lookup(name)
        if not self.fillable or not isinstance(node, Leaf):
            self._refuse()
        decision = gestures.reject(self.faces(node.asset), self._person.uid)
        decide(self.scope.library, decision, rights)

    def _doubts(self) -> list[Sighting]:
        return self.scope.library.catalog.read(persons.doubts, self._person.uid)

    def _leaf(self, asset: Asset, face: Sighting) -> Leaf:
        reason = f"a face hardly like {self._person.name}: {face.confidence:.0%} sure"
        return Leaf(asset, Hit(asset_id=asset.id, score=face.confidence, reasons=(reason,)))


class Ignored(Folder):
    """A folder for each person who is not to be shown."""

    __slots__ = ()
    announced = False  # people decide, and the log of changes does not say
    changeable = True  # in that folders and pictures can be moved here

    @property
    def guide(self) -> str:
        """While it is empty."""
        return readme.IGNORED

    def entries(self) -> Entries:
        """Those with a name first."""
        return self.guided([(name.encode(), hidden) for name, hidden in self._hidden().items()])

    def child(self, name: str) -> Hidden:
        """Who is hidden by that name."""
        try:
            return self._hidden()[legal(name)]
        except KeyError:
            raise NotFound(name) from None

    def receive(self, node: Node, rights: Rights) -> Node:
        """Hide the group of the only face in the picture that has no name. Raises InvalidName when it is not clear which."""
        if not self.fillable:
            self._refuse()
        asset = meant(self.scope.library, node)
        cluster = self.scope.library.catalog.read(gestures.hide, asset.id)
        self.host(Group(self.scope, cluster), b"", 0, rights)
        return Leaf(asset)

    def link(self, name: bytes, node: Node, rights: Rights) -> Node:
        """The same as moving it in."""
        return self.receive(node, rights)

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """Out of here: shown again, under that name or as that person."""
        hand_over(self.lookup(name), to, new_name, flags, rights)

    def host(self, guest: Guest, name: bytes, flags: int, rights: Rights) -> None:
        """Hide a person or a group."""
        library = self.scope.library
        if isinstance(guest.whose, str):
            decide(library, values.IgnorePerson(uid=guest.whose, ignored=True), rights)
        else:
            decision = library.catalog.read(gestures.name, guest.whose, new_uid(), None)
            decide(library, decision, rights)

    def _hidden(self) -> dict[str, Hidden]:
        catalog = self.scope.library.catalog
        found: dict[str, Hidden] = {}
        for person in catalog.read(persons.known, ignored=True):
            cluster = catalog.read(clusters.of_person, person.uid)
            name = shown(person.name) if person.name else label(cluster, person.uid)
            found[name] = Hidden(self.scope, person)
        return dict(sorted(found.items(), key=lambda item: (item[1].nameless, item[0])))


class Hidden(_Faces):
    """Somebody who is not shown. Removing a picture from here shows the person again."""

    __slots__ = ("nameless", "whose")

    def __init__(self, scope: Scope, person: persons.Person) -> None:
        super().__init__(scope.choose(person.uid, Condition("person", person.uid)))
        self.whose = person.uid
        self.nameless = person.name is None
        """Whether it never had a name."""

    def faces(self, asset: Asset) -> list[Sighting]:
        """Those of the person."""
        found = self.scope.library.catalog.read(persons.sightings, asset.id)
        return [face for face in found if face.person == self.whose]

    def unlink(self, name: bytes, rights: Rights) -> None:
        """Show the person again."""
        self.lookup(name)
        if not self.fillable:
            self._refuse()
        self.show(rights)

    def show(self, rights: Rights) -> None:
        """Show the person again: under the name, or among the unnamed."""
        decision: values.ForgetPerson | values.IgnorePerson
        if self.nameless:
            decision = values.ForgetPerson(uid=self.whose)
        else:
            decision = values.IgnorePerson(uid=self.whose, ignored=False)
        decide(self.scope.library, decision, rights)


def label(cluster: ClusterId | None, uid: str = "") -> str:
    """What a group without a name is called: `C012`; somebody hidden of whom no face is known now, by the uid."""
    return f"C{cluster:03d}" if cluster is not None else f"P{uid[:8]}"


def _ids(faces: list[Sighting]) -> set[FaceId]:
    return {face.face_id for face in faces}
