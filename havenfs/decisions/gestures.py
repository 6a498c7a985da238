"""What gestures about people decide: a picture put to somebody, taken away, moved on; a group named, joined, hidden.

Functions of a connection that return a Decision, for whoever offers the gesture; they change nothing themselves. Who puts a
picture to somebody means a face in it, if there is one that can be meant. Who takes one away, or moves it on, means what it
stands for too (its RAW, its film, the other frames): that is one picture to people, and nobody sees the mates to take them away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.catalog import assets, likeness, names, persons, stacks
from havenfs.catalog.clusters import DOUBTFUL
from havenfs.catalog.faces import SAME_PLACE
from havenfs.errors import InvalidName, NotFound

from . import values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.clusters import ClusterId
    from havenfs.catalog.persons import Sighting
    from havenfs.entities import Asset, AssetId, FaceId

    from .values import Decision

LARGER = 2.0
"""How many times as large as the next one the face of a new person must be, where several may be meant."""


def put(
    db: Connection,
    asset_id: AssetId,
    content: bytes,
    person: str,
    *,
    meant: Collection[FaceId] = (),
) -> Decision:
    """*person* is in the picture: the best of the faces *meant*, or else of those of whom nobody has said whose they are;
    where none can be chosen, in the picture as a whole. That the person is not in its mates is not said any more."""
    yes = _put(db, asset_id, content, person, meant)
    unsaid = _unsaid(db, asset_id, person)
    return values.Together((yes, *unsaid)) if unsaid else yes


def _put(
    db: Connection, asset_id: AssetId, content: bytes, person: str, meant: Collection[FaceId]
) -> Decision:
    faces = persons.sightings(db, asset_id)
    if any(face.said and face.person == person for face in faces):
        # It was taken away as a whole, or nothing is new.
        return values.TagPerson(contents=(content,), person=person, is_in=None)
    chosen = _best(db, faces, person, meant)
    if chosen is None:
        return values.TagPerson(contents=(content,), person=person, is_in=True)
    yes = values.SayFaces(faces=_places([chosen]), person=person, is_it=True)
    if not persons.denied(db, content, person):
        return yes
    return values.Together((yes, values.TagPerson(contents=(content,), person=person, is_in=None)))


def _unsaid(db: Connection, asset_id: AssetId, person: str) -> list[Decision]:
    """What takes it back that *person* is not in the mates of the picture."""
    mates = [mate.hash for mate in _mates(db, asset_id)]
    denied = tuple(content for content in mates if persons.denied(db, content, person))
    faces = tuple(
        values.FaceAt(content, region)
        for content in mates
        for region in persons.pointed_at(db, content, person, is_it=False)
    )
    decisions: list[Decision] = []
    if denied:
        decisions.append(values.TagPerson(contents=denied, person=person, is_in=None))
    if faces:
        decisions.append(values.SayFaces(faces, person, is_it=None))
    return decisions


def take(db: Connection, asset_id: AssetId, content: bytes, person: str) -> Decision:
    """*person* is neither in the picture nor in its mates, whatever their faces look like to whichever model."""
    members = [(asset_id, content), *((mate.id, mate.hash) for mate in _mates(db, asset_id))]
    return _deny(db, members, person)


def deny(db: Connection, asset_id: AssetId, content: bytes, person: str) -> Decision:
    """The same of this one file: of what a program says in its sidecar, not of what people see as one picture."""
    return _deny(db, [(asset_id, content)], person)


def _deny(db: Connection, members: Sequence[tuple[AssetId, bytes]], person: str) -> Decision:
    no = values.TagPerson(
        contents=tuple(content for _, content in members), person=person, is_in=False
    )
    faces = tuple(face for member in members for face in _theirs(db, *member, person))
    return values.Together((no, values.SayFaces(faces, person, is_it=False))) if faces else no


def _theirs(
    db: Connection, asset_id: AssetId, content: bytes, person: str
) -> tuple[values.FaceAt, ...]:
    """The faces that are *person*, and where people have said so though no model sees one."""
    theirs = [face for face in persons.sightings(db, asset_id) if face.person == person]
    seen = [face.region for face in theirs]
    unseen = tuple(
        values.FaceAt(content, region)
        for region in persons.pointed_at(db, content, person)
        if all(region.overlap(other) < SAME_PLACE for other in seen)
    )
    return _places(theirs) + unseen


def move(db: Connection, asset_id: AssetId, content: bytes, person: str, to: str) -> Decision:
    """Whoever was taken for *person* is *to*."""
    meant = {face.face_id for face in persons.sightings(db, asset_id) if face.person == person}
    mates = [
        face
        for mate in _mates(db, asset_id)
        for face in persons.sightings(db, mate.id)
        if face.person == person and (face.said or face.confidence >= DOUBTFUL)
    ]
    decisions = [put(db, asset_id, content, to, meant=meant)]
    if mates:
        decisions.append(confirm(mates, to))
    return values.Together((*decisions, take(db, asset_id, content, person)))


def exactly(db: Connection, asset_id: AssetId, content: bytes, wanted: Sequence[str]) -> Decision:
    """The people of these names, and nobody else, are in the picture; nobody has pointed at faces."""
    there = {names.key(one.name): one.uid for one in persons.of_asset(db, asset_id) if one.name}
    keys = {names.key(each): each for each in wanted}
    decisions: list[Decision] = [
        take(db, asset_id, content, uid) for key, uid in there.items() if key not in keys
    ]
    for key, called in keys.items():
        if key in there:
            continue
        try:
            uid = persons.named(db, called).uid
        except NotFound:
            uid = values.new_uid()
            decisions.append(values.MakePerson(uid=uid, name=called))
        decisions.append(values.TagPerson(contents=(content,), person=uid, is_in=True))
        decisions += _unsaid(db, asset_id, uid)
    return values.Together(tuple(decisions))


def say_nothing(db: Connection, asset_id: AssetId, content: bytes) -> Decision:
    """Of who is in the picture and its mates as a whole, nothing is said any more; of their faces it is."""
    said: dict[str, list[bytes]] = {}
    for each in (content, *(mate.hash for mate in _mates(db, asset_id))):
        for uid in persons.tagged(db, each):
            said.setdefault(uid, []).append(each)
    return values.Together(
        tuple(
            values.TagPerson(contents=tuple(contents), person=uid, is_in=None)
            for uid, contents in said.items()
        )
    )


def reject(faces: Iterable[Sighting], person: str) -> Decision:
    """These faces are not *person*; others in the same pictures may be."""
    return values.SayFaces(_places(faces), person, is_it=False)


def confirm(faces: Iterable[Sighting], person: str) -> Decision:
    """These faces are *person*."""
    return values.SayFaces(_places(faces), person, is_it=True)


def name(db: Connection, cluster: ClusterId, person: str, called: str | None) -> Decision:
    """A group is somebody new; *called* None: somebody to be hidden."""
    return values.Together((values.MakePerson(uid=person, name=called), join(db, cluster, person)))


def join(db: Connection, cluster: ClusterId, person: str) -> Decision:
    """A group is *person*: each face of it that is surely of the group. The doubtful ones stay guesses, to be reviewed."""
    faces = [face for face in persons.of_cluster(db, cluster) if not face.said]
    sure = [face for face in faces if face.confidence >= DOUBTFUL]
    return confirm(sure or faces, person)


def hide(db: Connection, asset_id: AssetId) -> ClusterId:
    """Which group is meant by who hides a picture: the only one in it that has no name. Raises InvalidName."""
    faces = persons.sightings(db, asset_id)
    found = {face.cluster for face in faces if face.person is None and face.cluster is not None}
    if len(found) != 1:
        raise InvalidName("not one person without a name is in it: move a folder of _unnamed here")
    return found.pop()


def _mates(db: Connection, asset_id: AssetId) -> list[Asset]:
    """The other members of the picture's stack."""
    ids = [mate.asset_id for mate in stacks.of(db, asset_id)]
    return assets.many(db, ids, mates=True) if ids else []


def _places(faces: Iterable[Sighting]) -> tuple[values.FaceAt, ...]:
    return tuple(values.FaceAt(face.content, face.region) for face in faces)


def _best(
    db: Connection, faces: list[Sighting], person: str, meant: Collection[FaceId]
) -> Sighting | None:
    free = [face for face in faces if not face.said or face.face_id in meant]
    guessed = [face for face in free if face.person == person]
    open_ = [face for face in free if face.person is None]
    for candidates in (
        [face for face in free if face.face_id in meant],
        guessed,
        [face for face in open_ if person not in face.denied],
        open_,
    ):
        if candidates:
            break
    else:
        return None
    if len(candidates) == 1:
        return candidates[0]
    alike = likeness.likest(db, person, [face.face_id for face in candidates])
    if alike is not None:
        return next(face for face in candidates if face.face_id == alike)
    first, second = sorted(candidates, key=lambda face: -face.area)[:2]
    return first if first.area >= LARGER * second.area else None
