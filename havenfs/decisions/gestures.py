"""What gestures about people decide: a picture put to somebody, taken away, moved on; a group named, joined, hidden.

Functions of a connection that return a Decision, for whoever offers the gesture; they change nothing themselves. Who puts a
picture to somebody means a face in it, if there is one that can be meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.catalog import likeness, names, persons
from havenfs.catalog.clusters import DOUBTFUL
from havenfs.catalog.faces import SAME_PLACE
from havenfs.errors import InvalidName, NotFound

from . import values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.clusters import ClusterId
    from havenfs.catalog.persons import Sighting
    from havenfs.entities import AssetId, FaceId

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
    where none can be chosen, in the picture as a whole."""
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


def take(db: Connection, asset_id: AssetId, content: bytes, person: str) -> Decision:
    """*person* is not in the picture, whatever its faces look like to whichever model."""
    no = values.TagPerson(contents=(content,), person=person, is_in=False)
    theirs = [face for face in persons.sightings(db, asset_id) if face.person == person]
    seen = [face.region for face in theirs]
    unseen = tuple(
        values.FaceAt(content, region)
        for region in persons.pointed_at(db, content, person)
        if all(region.overlap(other) < SAME_PLACE for other in seen)
    )
    faces = _places(theirs) + unseen
    return values.Together((no, values.SayFaces(faces, person, is_it=False))) if faces else no


def move(db: Connection, asset_id: AssetId, content: bytes, person: str, to: str) -> Decision:
    """Whoever was taken for *person* is *to*."""
    meant = {face.face_id for face in persons.sightings(db, asset_id) if face.person == person}
    return values.Together(
        (
            put(db, asset_id, content, to, meant=meant),
            take(db, asset_id, content, person),
        )
    )


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
    return values.Together(tuple(decisions))


def say_nothing(db: Connection, content: bytes) -> Decision:
    """Of who is in the picture as a whole, nothing is said any more; of its faces it is."""
    return values.Together(
        tuple(
            values.TagPerson(contents=(content,), person=uid, is_in=None)
            for uid in persons.tagged(db, content)
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
