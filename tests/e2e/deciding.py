"""A household in dicts: what people have said of the library in `furnished`, and what every folder of the views lists then.

Gestures are methods: each changes the model as TREE.md says, or raises Refused with the errno and changes nothing. Assets go by
their names. What models guess (whose faces are alike) is no decision, and is handed in as it is now: `Guesses`.
"""

from __future__ import annotations

import copy
import errno
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from havenfs.catalog.clusters import DOUBTFUL

from .furnished import (
    BILLS,
    COPIES,
    DOUBT,
    LETTER,
    PLAIN,
    PORTRAITS,
    ROME,
    SCAN,
    SHOT,
    SNOW,
    SUGGESTED,
    WITH_IT,
)

Path = tuple[str, ...]
"""Of an album or tag, from the top."""
DATED = {ROME: "2019/07", SNOW: "2019/12"} | dict.fromkeys(COPIES, "2010/01")
PLACED = {ROME: "Italy/Rome", SNOW: "Germany/Munich"}

QUERIES = {"type=document": "document", "date=2019": "2019"}
OWN = {"people": {"_unnamed", "_review", "_ignored"}, "tags": {"_suggested", "_untagged"}}


class Refused(Exception):  # noqa: N818 -- as the kernel says it
    """A gesture that makes no sense."""

    def __init__(self, number: int) -> None:
        super().__init__(errno.errorcode[number])
        self.number = number


class Face(NamedTuple):
    """As models see it."""

    picture: str
    cluster: int | None
    confidence: float


@dataclass
class Guesses:
    """What is DERIVED: faces, and whose cluster each is in; of a copy, which other one is best."""

    faces: dict[int, Face] = field(default_factory=dict[int, Face])
    owners: dict[int, str | None] = field(default_factory=dict[int, "str | None"])
    """Cluster -> name of its person, or `#<cluster>` of one who has none."""


def home(name: str) -> str:
    """Where a file of the furnished library lies."""
    above = {SCAN: "old/", ROME: "2019/", SNOW: "2019/", LETTER: "papers/"}
    above |= dict.fromkeys(COPIES, "copies/") | dict.fromkeys((*BILLS, SHOT), "Inbox/")
    return above.get(name, "") + name


class Household:
    """Everything that people have said. Copies are equal until one of them is changed."""

    def __init__(self) -> None:
        names = [*PORTRAITS, DOUBT, PLAIN, SCAN, ROME, SNOW, LETTER, *COPIES, *BILLS, SHOT]
        self.homes = {name: home(name) for name in names}
        """Path in the source of every asset that is there."""
        self.lying: dict[str, str] = {}
        """The same of those in the trash."""
        self.months: dict[str, str] = {}
        self.cities: dict[str, str] = {}
        self.captions: dict[str, str] = {}
        self.stars: dict[str, int] = {}
        self.folders: dict[str, dict[Path, set[str]]] = {"albums": {}, "tags": {}}
        self.favorites: set[str] = set()
        self.saved: dict[str, str] = {}
        self.persons: dict[str, bool] = {}
        """Name (`#<cluster>` where there is none) -> whether hidden."""
        self.yes: dict[int, str] = {}
        self.no: set[tuple[int, str]] = set()
        self.tagged: dict[tuple[str, str], bool] = {}
        """Picture and person -> whether it is in it, as a whole."""
        self.no_dogs: set[str] = set()
        self.not_there: set[str] = set()
        """What is not to be filed where it is proposed."""
        self.copies = True
        """Nobody has said that they are none."""

    def copy(self) -> Self:
        """To be changed alone."""
        return copy.deepcopy(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Household) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    # --- albums, tags, favorites ----------------------------------------------------------------------------------

    def make(self, kind: str, path: Path) -> None:
        """mkdir."""
        tree = self.folders[kind]
        if path in tree:
            raise Refused(errno.EEXIST)
        tree[path] = set()

    def move(self, kind: str, old: Path, new: Path) -> None:
        """rename of a folder: a tag onto a tag makes them one."""
        tree = self.folders[kind]
        if new[: len(old)] == old:
            if new == old:
                return
            raise Refused(errno.EINVAL)
        if old[: len(new)] == new:
            raise Refused(errno.ENOTEMPTY)
        if new in tree and kind == "albums":
            raise Refused(errno.EEXIST)
        for path in [path for path in tree if path[: len(old)] == old]:
            tree.setdefault(new + path[len(old) :], set()).update(tree.pop(path))

    def drop(self, kind: str, path: Path) -> None:
        """rmdir: what is in the trash may come back, what was purged does not count."""
        tree = self.folders[kind]
        if any(other[:-1] == path for other in tree):
            raise Refused(errno.ENOTEMPTY)
        if tree[path] & (self.homes.keys() | self.lying.keys()):
            raise Refused(errno.ENOTEMPTY)
        del tree[path]

    def tag(self, name: str, paths: set[Path]) -> None:
        """user.xdg.tags: exactly these."""
        tree = self.folders["tags"]
        for path in paths:
            for end in range(1, len(path) + 1):
                tree.setdefault(path[:end], set())
        for path, members in tree.items():
            (members.add if path in paths else members.discard)(name)

    # --- dates and places -----------------------------------------------------------------------------------------

    def date(self, name: str, month: str) -> None:
        """Into a month: only what nobody has dated in the file."""
        if name in DATED:
            raise Refused(errno.EPERM)
        self.months[name] = month

    def place(self, name: str, city: str) -> None:
        """Into a city: only what the file places nowhere."""
        if name in PLACED:
            raise Refused(errno.EPERM)
        self.cities[name] = city

    def month(self, name: str) -> str:
        """In which folder of by-date it is."""
        return self.months.get(name) or DATED.get(name, "_undated")

    def city(self, name: str) -> str:
        """In which folder of places it is."""
        return self.cities.get(name) or PLACED.get(name, "_nowhere")

    # --- people ---------------------------------------------------------------------------------------------------

    def person_of(self, guesses: Guesses, face: int) -> str | None:
        """Whose face it is: as people say, else whose cluster it is in, unless people say no."""
        if face in self.yes:
            return self.yes[face]
        cluster = guesses.faces[face].cluster
        owner = guesses.owners.get(cluster) if cluster is not None else None
        return owner if owner is not None and (face, owner) not in self.no else None

    def is_in(self, guesses: Guesses, person: str, name: str) -> bool:
        """A yes to a face; else what is said of the whole picture; else a face that is surely that person's."""
        faces = [id_ for id_, face in guesses.faces.items() if face.picture == name]
        if any(self.yes.get(face) == person for face in faces):
            return True
        guessed = any(
            self.person_of(guesses, face) == person
            for face in faces
            if guesses.faces[face].confidence >= DOUBTFUL
        )
        return self.tagged.get((name, person), guessed)

    def pictures(self, guesses: Guesses, person: str) -> set[str]:
        """What is in the person's folder."""
        return {name for name in self.homes if self.is_in(guesses, person, name)}

    def new_person(self, name: str, *, hidden: bool = False) -> None:
        """mkdir."""
        if name in self.persons:
            raise Refused(errno.EEXIST)
        self.persons[name] = hidden

    def say(self, face: int, person: str, *, is_it: bool) -> None:
        """A yes takes it from whoever had it; a no leaves what others are."""
        if is_it:
            self.yes[face] = person
            self.no.discard((face, person))
            return
        if self.yes.get(face) == person:
            del self.yes[face]
        self.no.add((face, person))

    def join(self, guesses: Guesses, cluster: int, person: str) -> None:
        """A group is that person: the faces that are surely of it."""
        faces = {
            id_: face
            for id_, face in guesses.faces.items()
            if face.cluster == cluster and id_ not in self.yes
        }
        sure = [id_ for id_, face in faces.items() if face.confidence >= DOUBTFUL]
        for face in sure or faces:
            self.say(face, person, is_it=True)

    def put(self, guesses: Guesses, name: str, person: str, meant: frozenset[int]) -> bool:
        """A picture to a person, whose face is among *meant*. False, and nothing is changed, where only a likeness could tell
        which face is meant."""
        faces = [id_ for id_, face in guesses.faces.items() if face.picture == name]
        if any(self.yes.get(face) == person for face in faces):
            self.tagged.pop((name, person), None)
            return True
        free = [face for face in faces if face not in self.yes or face in meant]
        whose = {face: self.person_of(guesses, face) for face in free}
        nobodys = [face for face in free if whose[face] is None]
        for some in (
            [face for face in free if face in meant],
            [face for face in free if whose[face] == person],
            [face for face in nobodys if (face, person) not in self.no],
            nobodys,
        ):
            if len(some) > 1:
                return False
            if some:
                self.say(some[0], person, is_it=True)
                if self.tagged.get((name, person)) is False:
                    del self.tagged[name, person]
                return True
        self.tagged[name, person] = True
        return True

    def theirs(self, guesses: Guesses, name: str, person: str) -> frozenset[int]:
        """The faces in a picture that are that person's."""
        return frozenset(
            id_
            for id_, face in guesses.faces.items()
            if face.picture == name and self.person_of(guesses, id_) == person
        )

    def take(self, name: str, person: str, theirs: frozenset[int]) -> None:
        """A picture from a person: a lasting no."""
        self.tagged[name, person] = False
        for face in theirs:
            if self.yes.get(face, person) == person:
                self.say(face, person, is_it=False)
            else:  # somebody else's by the same gesture
                self.no.add((face, person))

    def merge(self, person: str, into: str) -> None:
        """The two are one: a yes to either is a yes."""
        if self.persons[into]:
            raise Refused(errno.EEXIST)
        for face in [face for face, who in self.yes.items() if who == person]:
            self.say(face, into, is_it=True)
        for face, who in [pair for pair in self.no if pair[1] == person]:
            self.no.remove((face, who))
            if self.yes.get(face) != into:
                self.no.add((face, into))
        for (name, who), is_in in [item for item in self.tagged.items() if item[0][1] == person]:
            del self.tagged[name, who]
            self.tagged[name, into] = is_in or self.tagged.get((name, into), False)
        del self.persons[person]

    def call(self, person: str, name: str) -> None:
        """Another name; one that was somebody's is refused here: see `merge`."""
        if name in self.persons and name != person:
            raise Refused(errno.EEXIST)
        hidden = self.persons.pop(person)
        self.persons[name] = hidden
        self.yes = {face: name if who == person else who for face, who in self.yes.items()}
        self.no = {(face, name if who == person else who) for face, who in self.no}
        self.tagged = {
            (picture, name if who == person else who): is_in
            for (picture, who), is_in in self.tagged.items()
        }

    def forget(self, person: str) -> None:
        """There is no such person."""
        del self.persons[person]
        self.yes = {face: who for face, who in self.yes.items() if who != person}
        self.no = {pair for pair in self.no if pair[1] != person}
        self.tagged = {pair: is_in for pair, is_in in self.tagged.items() if pair[1] != person}

    def dismiss(self, guesses: Guesses, person: str) -> None:
        """rmdir: only who is in nothing, also in nothing that may come back."""
        there = self.homes.keys() | self.lying.keys()
        said = {guesses.faces[face].picture for face, who in self.yes.items() if who == person}
        said |= {name for (name, who), is_in in self.tagged.items() if who == person and is_in}
        if self.pictures(guesses, person) or said & there:
            raise Refused(errno.ENOTEMPTY)
        self.forget(person)

    # --- trash, inbox, copies -------------------------------------------------------------------------------------

    def trash(self, name: str) -> None:
        """rm in files/."""
        self.lying[name] = self.homes.pop(name)

    def restore(self, name: str) -> None:
        """mv out of trash/."""
        self.homes[name] = self.lying.pop(name)

    def purge(self, names: list[str]) -> None:
        """rm in trash/: gone for good."""
        for name in names:
            del self.lying[name]

    def accept(self, name: str) -> None:
        """A bill goes where it belongs, and the picture with what goes along."""
        self.homes[name] = f"Letters/Bills/{name}"

    def discard(self, name: str, into: str) -> None:
        """A copy to the trash: what was said of it is said of the other one, where nothing else is."""
        self.trash(name)
        for tree in self.folders.values():
            for members in tree.values():
                if name in members:
                    members.add(into)
        if name in self.favorites:
            self.favorites.add(into)
        for (picture, person), is_in in list(self.tagged.items()):
            if picture == name:
                self.tagged.setdefault((into, person), is_in)

    @property
    def group(self) -> list[str]:
        """The copies that are shown as such."""
        there = [name for name in COPIES if name in self.homes]
        return there if self.copies and len(there) > 1 else []

    # --- what is seen ---------------------------------------------------------------------------------------------

    def listing(self, guesses: Guesses) -> dict[str, set[str]]:
        """Every folder whose names people have a say in."""
        there = set(self.homes)
        found: dict[str, set[str]] = {
            "favorites": self.favorites & there,
            "albums": set(),
            "tags": OWN["tags"].copy(),
        }
        for kind, tree in self.folders.items():
            for path, members in tree.items():
                found.setdefault("/".join((kind, *path)), set()).update(members & there)
            for path in tree:
                found["/".join((kind, *path[:-1]))].add(path[-1])
        used = list(self.folders["tags"].values())
        found["tags/_untagged"] = there.difference(*used)
        dogs = {name for name in SUGGESTED if name in there and name not in self.no_dogs}
        found["tags/_suggested"] = {"dog"} if dogs else set()
        if dogs:
            found["tags/_suggested/dog"] = dogs
        for name in there:
            found.setdefault(f"by-date/{self.month(name)}", set()).add(name)
            found.setdefault(f"places/{self.city(name)}", set()).add(name)
        found |= self._people(guesses)
        found["saved"] = set(self.saved)
        for name, query in self.saved.items():
            wanted = QUERIES[query]
            found[f"saved/{name}"] = {
                each
                for each in there
                if (
                    self.month(each).startswith("2019")
                    if wanted == "2019"
                    else each.endswith(".txt")
                )
            }
        waiting = {name for name, path in self.homes.items() if path.startswith("Inbox/")}
        along = set(WITH_IT) if SHOT in waiting else set[str]()
        found["inbox"] = {"_suggested", "_accept"} | waiting | along
        if waiting - self.not_there:
            found["inbox/_suggested/photos/Letters/Bills"] = waiting - self.not_there
        else:
            found["inbox/_suggested"] = set()
        group = self.group
        found["duplicates"] = {group[0]} if group else set()
        if group:
            found[f"duplicates/{group[0]}"] = {"_copies.txt", *group}
        if self.lying:
            found["trash/TODAY"] = set(self.lying)
        else:
            found["trash"] = set()
        for name, path in self.homes.items():
            found.setdefault(f"files/photos/{path.rpartition('/')[0]}".rstrip("/"), set()).add(name)
            if name == SHOT:
                found[f"files/photos/{path.rpartition('/')[0]}"].update(WITH_IT)
        return found

    def _people(self, guesses: Guesses) -> dict[str, set[str]]:
        shown = {person for person, hidden in self.persons.items() if not hidden}
        found = {"people": OWN["people"] | shown, "people/_review": set(), "people/_ignored": set()}
        for person, hidden in self.persons.items():
            label = f"C{int(person[1:]):03d}" if person.startswith("#") else person
            where = f"people/_ignored/{label}" if hidden else f"people/{label}"
            found[where] = self.pictures(guesses, person)
            if hidden:
                found["people/_ignored"].add(label)
        for id_, face in guesses.faces.items():
            owner = self.person_of(guesses, id_)
            if (
                owner in shown
                and face.confidence < DOUBTFUL
                and id_ not in self.yes
                and face.picture in self.homes
            ):
                found["people/_review"].add(str(owner))
                found.setdefault(f"people/_review/{owner}", set()).add(face.picture)
        return found


PARTIAL = ("files/photos",)
"""Folders in which other things stand too: below them only that what is listed is there."""
