"""A machine that decides: every gesture of the views, in any order, and after each whether the folders are as a model in dicts says.

How a gesture reaches the views, and what is killed meanwhile, those say who extend `Gestures`. A gesture is a word and paths
below the top of the tree, TODAY standing for the only day in the trash.
"""

from __future__ import annotations

import errno
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from havend import decisions
from havenfs.catalog import Catalog, given, sources
from havenfs.decisions import Keeper
from havenfs.ingest.arrival import Arrivals
from havenfs.ingest.scan import scan
from havenfs.views import readme

from .deciding import QUERIES, Face, Guesses, Household, Refused
from .furnished import BILLS, COPIES, JPEG, SUGGESTED, furnished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.conftest import Shelf

    from .deciding import Path as Steps

    Change = Callable[[Household], object]
    Gesture = tuple[Any, ...]

LASTING_S = 6.0
"""What follows elsewhere from a decision is seen within 50 ms on a quiet machine, and answers of searches within a second."""

FOLDERS = st.sampled_from([("a",), ("b",), ("a", "c"), ("b", "c")])
KINDS = st.sampled_from(["albums", "tags"])
NAMES = st.sampled_from(["Alice", "Bob", "Carol"])
MONTHS = st.sampled_from(["2019/07", "1987/05", "1987/06"])
CITIES = st.sampled_from(["Italy/Rome", "Italy/Siena", "France/Paris"])
WHICH = st.integers(0, 50)
WAYS = st.sampled_from(["link", "move", "copy"])


def _as_said(listed: set[str], names: set[str], *, partial: bool) -> bool:
    """Whether a folder lists these names, or only README.txt in place of nothing; *partial*: these among others."""
    if readme.NAME in listed and all(name.startswith("_") for name in names):
        listed = listed - {readme.NAME}
    return listed == names or (partial and names <= listed)


class Gestures(RuleBasedStateMachine):
    """A furnished library, and what has been said of it."""

    rooms: ClassVar[Iterator[Path]]
    """An empty folder for each run."""

    def __init__(self) -> None:
        super().__init__()
        self.room = next(self.rooms)
        self.shelf: Shelf = furnished(self.room)
        self.said = Household()
        self.done: list[tuple[str, Household]] = []
        """Each operation that can be taken back, and what held before it."""
        self.uploads = 0

    # --- hands and eyes -------------------------------------------------------------------------------------------

    @abstractmethod
    def attempt(self, gesture: Gesture) -> tuple[int | None, bool]:
        """Carry it out: the errno that was answered, 0 for done, None for no answer; and whether whoever asked need not have
        noticed any kill."""

    @abstractmethod
    def carry_out(self, gesture: Gesture) -> None:
        """The same without a kill. Raises OSError."""

    @abstractmethod
    def listed(self, folder: str) -> list[str] | None:
        """Names in a folder; None: it is not there."""

    @abstractmethod
    def attribute(self, path: str, name: str) -> bytes:
        """An extended attribute."""

    def exists(self, path: str) -> bool:
        above, _, name = path.rpartition("/")
        return name in (self.listed(above) or [])

    def made(self, path: str) -> None:
        """mkdir -p of the last two steps."""
        for folder in (path.rpartition("/")[0], path):
            if not self.exists(folder):
                self.carry_out(("mkdir", folder))

    # --- how ------------------------------------------------------------------------------------------------------

    def here(self, name: str) -> str:
        """A path of an asset in the views."""
        return f"by-date/{self.said.month(name)}/{name}"

    def asset(self, which: int) -> str:
        return _one(sorted(self.said.homes), which)

    def guesses(self) -> Guesses:
        return self.shelf.catalog.read(_guesses)

    @property
    def keeper(self) -> Keeper:
        return Keeper(self.shelf.catalog, self.shelf.state.journal)

    def wrong(self, said: Household) -> dict[str, tuple[list[str] | None, list[str]]]:
        """Folders that list something else than they should, with both."""
        found: dict[str, tuple[list[str] | None, list[str]]] = {}
        for folder, names in said.listing(self.guesses()).items():
            listed = self.listed(folder)
            if listed is None or not _as_said(
                set(listed), names, partial=folder.startswith("files/")
            ):
                found[folder] = listed, sorted(names)
        return found

    def settle(self, *either: Household) -> Household:
        """Wait until the folders are as one of these says; which one."""
        end = time.monotonic() + LASTING_S
        while True:
            wrong: list[Any] = []
            for said in either:
                if not (found := self.wrong(said)):
                    return said
                wrong.append(found)
            assert time.monotonic() < end, wrong
            time.sleep(0.01)

    def act(self, gesture: Gesture, change: Change, *, undone: bool = True) -> None:
        """Carry out a gesture, and *change* in the model."""
        wanted, number = self.said.copy(), 0
        try:
            change(wanted)
        except Refused as refused:
            wanted, number = self.said, refused.number
        answer, unnoticed = self.attempt(gesture)
        if unnoticed or answer == 0:
            assert answer == number, f"{gesture[:3]}: {_name(answer)} in place of {_name(number)}"
            before, self.said = self.said, self.settle(wanted)
        else:
            before, self.said = self.said, self.settle(self.said, wanted)
        if not undone or not unnoticed:
            self.done.clear()
        elif self.said != before:
            (newest,) = self.keeper.last(1)
            self.done.append((newest.operation.id, before))

    def look(self) -> None:
        """What the indexer does when it starts: originals that were moved without a word are found where they are, and hashed."""
        for source in self.shelf.catalog.read(sources.present):
            scan(self.shelf.catalog, source)
            for path in self.shelf.catalog.read(_new):
                Arrivals(self.shelf.catalog).written(source, path)

    def the_journal_says_the_same(self) -> None:
        with Catalog(self.room / "again.db") as again:
            Keeper(again, self.shelf.state.journal).recover()
            for table in given.TABLES:
                assert again.read(given.rows, table) == self.shelf.catalog.read(given.rows, table)

    # --- second thoughts ------------------------------------------------------------------------------------------

    @rule(deep=st.integers(1, 3))
    def take_back(self, deep: int) -> None:
        for _ in range(deep):
            if not self.done:
                return
            operation, before = self.done.pop()
            if operation not in {each.operation.id for each in self.keeper.last(200)}:
                self.done.clear()  # removals that followed one another have become one
                return
            for name, home in self.said.homes.items():
                if name not in before.homes and name not in before.lying:
                    before.homes[name] = home  # what was uploaded stays among the originals
            decisions.undo(self.shelf.state, operation, rest=False)
            self.said = self.settle(before)

    # --- albums, tags, favorites ----------------------------------------------------------------------------------

    @rule(kind=KINDS, path=FOLDERS)
    def make_a_folder(self, kind: str, path: Steps) -> None:
        if len(path) > 1 and path[:-1] not in self.said.folders[kind]:
            return
        self.act(("mkdir", _joined(kind, path)), lambda said: said.make(kind, path))

    @rule(kind=KINDS, which=WHICH, new=FOLDERS)
    def move_a_folder(self, kind: str, which: int, new: Steps) -> None:
        tree = self.said.folders[kind]
        if not tree or (len(new) > 1 and new[:-1] not in tree):
            return
        old = _one(sorted(tree), which)
        self.act(
            ("move", _joined(kind, old), _joined(kind, new)),
            lambda said: said.move(kind, old, new),
        )

    @rule(kind=KINDS, which=WHICH)
    def remove_a_folder(self, kind: str, which: int) -> None:
        tree = self.said.folders[kind]
        if tree:
            path = _one(sorted(tree), which)
            self.act(("rmdir", _joined(kind, path)), lambda said: said.drop(kind, path))

    def fillable(self) -> dict[str, Callable[[Household], set[str]]]:
        """Folders that people fill with anything, and the members of each."""
        found: dict[str, Callable[[Household], set[str]]] = {
            "favorites": lambda said: said.favorites
        }
        for kind, tree in self.said.folders.items():
            for path in tree:
                found[_joined(kind, path)] = lambda said, kind=kind, path=path: said.folders[kind][
                    path
                ]
        return found

    @rule(folder=WHICH, which=WHICH, way=WAYS, original=st.booleans())
    def put_in(self, folder: int, which: int, way: str, original: bool) -> None:
        path, members = _one(sorted(self.fillable().items()), folder)
        name = self.asset(which)
        there = name in members(self.said)
        if there and way != "link":
            return  # for the kernel they are one file, or one to be written to
        source = f"files/photos/{self.said.homes[name]}" if original else self.here(name)

        def change(said: Household) -> None:
            if there:
                raise Refused(errno.EEXIST)
            members(said).add(name)

        self.act((way, source, f"{path}/{name}"), change)

    def filled(self) -> list[tuple[str, str]]:
        """Folder and name of all that can be taken out."""
        return [
            (path, name)
            for path, members in sorted(self.fillable().items())
            for name in sorted(members(self.said) & self.said.homes.keys())
        ]

    @rule(which=WHICH, several=st.integers(1, 3))
    def take_out(self, which: int, several: int) -> None:
        """Several in a row become one operation."""
        for _ in range(several):
            if not (filled := self.filled()):
                return
            path, name = _one(filled, which)
            members = self.fillable()[path]
            self.act(("unlink", f"{path}/{name}"),
                     lambda said, members=members, name=name: members(said).discard(name))  # fmt: skip

    @rule(which=WHICH, folder=WHICH)
    def move_on(self, which: int, folder: int) -> None:
        """From one album or tag to another of its kind; to one of the other kind, or to favorites, it is added."""
        if not (filled := self.filled()):
            return
        path, name = _one(filled, which)
        new, members = _one(sorted(self.fillable().items()), folder)
        if name in members(self.said):
            return
        leaves = path.partition("/")[0] == new.partition("/")[0]
        before = self.fillable()[path]

        def change(said: Household) -> None:
            members(said).add(name)
            if leaves:
                before(said).discard(name)

        self.act(("move", f"{path}/{name}", f"{new}/{name}"), change)

    @rule(which=WHICH, no=st.booleans())
    def answer_a_suggested_tag(self, which: int, no: bool) -> None:
        dogs = [
            name for name in SUGGESTED if name in self.said.homes and name not in self.said.no_dogs
        ]
        if not dogs:
            return
        name = _one(dogs, which)
        path = f"tags/_suggested/dog/{name}"
        if no:
            self.act(("unlink", path), lambda said: said.no_dogs.add(name))
        elif ("a",) in self.said.folders["tags"] and name not in self.said.folders["tags"]["a",]:
            self.act(("move", path, f"tags/a/{name}"),
                     lambda said: said.folders["tags"]["a",].add(name))  # fmt: skip

    @rule(query=st.sampled_from([*QUERIES, "colour=red"]))
    def save_a_search(self, query: str) -> None:
        def change(said: Household) -> None:
            if query in said.saved:
                raise Refused(errno.EEXIST)
            if query not in QUERIES:
                raise Refused(errno.EINVAL)
            said.saved[query] = query

        self.act(("mkdir", f"saved/{query}"), change)

    @rule(
        which=WHICH,
        new=st.sampled_from(["Found", "Others", ""]),
        query=st.sampled_from([*QUERIES, ""]),
    )
    def change_a_saved_search(self, which: int, new: str, query: str) -> None:
        """Another name or query for it, or none."""
        if not self.said.saved:
            return
        name = _one(sorted(self.said.saved), which)
        path = f"saved/{name}"
        if query:
            same = [
                each for each, known in self.said.saved.items() if known == self.said.saved[name]
            ]
            self.act(("setxattr", path, "user.haven.query", query.encode()),
                     lambda said: said.saved.update(dict.fromkeys(same, query)))  # fmt: skip
        elif not new:
            self.act(("rmdir", path), lambda said: said.saved.pop(name))
        elif new not in self.said.saved:
            self.act(("move", path, f"saved/{new}"),
                     lambda said: said.saved.update({new: said.saved.pop(name)}))  # fmt: skip

    # --- dates, places, attributes ----------------------------------------------------------------------------------

    @rule(which=WHICH, month=MONTHS, way=WAYS)
    def date_by_dropping(self, which: int, month: str, way: str) -> None:
        name = self.asset(which)
        if self.said.month(name) == month:
            return
        self.made(f"by-date/{month}")

        def change(said: Household) -> None:
            if name.startswith("new"):
                raise Refused(errno.EBUSY)  # nobody has looked at it yet
            said.date(name, month)

        source, target = self.here(name), f"by-date/{month}/{name}"
        self.act((way, source, target), change)

    @rule(which=WHICH, city=CITIES)
    def place_by_dropping(self, which: int, city: str) -> None:
        name = self.asset(which)
        if self.said.city(name) == city:
            return
        self.made(f"places/{city}")

        def change(said: Household) -> None:
            if name.startswith("new"):
                raise Refused(errno.EBUSY)
            said.place(name, city)

        source, target = (
            f"places/{self.said.city(name)}/{name}",
            f"places/{city}/{name}",
        )
        self.act(("move", source, target), change)

    @rule(which=WHICH, month=MONTHS)
    def date_by_an_attribute(self, which: int, month: str) -> None:
        name = self.asset(which)
        path = self.here(name)
        if name in self.said.months:
            self.act(("removexattr", path, "user.haven.date"), lambda said: said.months.pop(name))
        else:
            value = f"{month.replace('/', '-')}-02".encode()
            self.act(
                ("setxattr", path, "user.haven.date", value),
                lambda said: said.months.update({name: month}),
            )

    @rule(which=WHICH, words=st.sampled_from(["Nelly", "at home"]), stars=st.integers(0, 5))
    def describe(self, which: int, words: str, stars: int) -> None:
        name = self.asset(which)
        path = self.here(name)
        self.act(
            ("setxattr", path, "user.xdg.comment", words.encode()),
            lambda said: said.captions.update({name: words}),
        )
        path = self.here(name)
        self.act(
            ("setxattr", path, "user.baloo.rating", b"%d" % (2 * stars)),
            lambda said: said.stars.update({name: stars}),
        )

    @rule(which=WHICH)
    def what_was_described_is_read(self, which: int) -> None:
        described = sorted(
            self.said.homes.keys() & (self.said.captions.keys() | self.said.stars.keys())
        )
        if described:
            name = _one(described, which)
            if name in self.said.captions:
                assert (
                    self.attribute(self.here(name), "user.xdg.comment").decode()
                    == self.said.captions[name]
                )
            if name in self.said.stars:
                assert (
                    int(self.attribute(self.here(name), "user.baloo.rating"))
                    == 2 * self.said.stars[name]
                )

    @rule(which=WHICH, paths=st.sets(FOLDERS, min_size=1, max_size=2))
    def tag_by_an_attribute(self, which: int, paths: set[Steps]) -> None:
        name = self.asset(which)
        path, value = self.here(name), ",".join("/".join(path) for path in sorted(paths))
        self.act(
            ("setxattr", path, "user.xdg.tags", value.encode()),
            lambda said: said.tag(name, paths),
        )

    # --- people -----------------------------------------------------------------------------------------------------

    def shown(self) -> list[str]:
        return sorted(person for person, hidden in self.said.persons.items() if not hidden)

    def groups(self) -> list[int]:
        """Clusters that are nobody's, with something to be seen in them."""
        guesses = self.guesses()
        sizes: dict[int, set[str]] = {}
        for face in guesses.faces.values():
            if (
                face.cluster is not None
                and guesses.owners[face.cluster] is None
                and face.picture in self.said.homes
            ):
                sizes.setdefault(face.cluster, set()).add(face.picture)
        return sorted(cluster for cluster, pictures in sizes.items() if len(pictures) > 1)

    @rule(name=NAMES)
    def make_a_person(self, name: str) -> None:
        self.act(("mkdir", f"people/{name}"), lambda said: said.new_person(name))

    @rule(which=WHICH, name=NAMES)
    def name_a_group(self, which: int, name: str) -> None:
        """Or say that it is somebody who is known."""
        guesses = self.guesses()
        if not (groups := self.groups()):
            return
        cluster = _one(groups, which)

        def change(said: Household) -> None:
            if said.persons.get(name):
                raise Refused(errno.EEXIST)  # hidden
            said.persons.setdefault(name, False)
            said.join(guesses, cluster, name)

        path = f"people/_unnamed/C{cluster:03d}"
        self.act(("move", path, f"people/{name}"), change)

    @rule(which=WHICH)
    def hide_a_group(self, which: int) -> None:
        guesses = self.guesses()
        if not (groups := self.groups()):
            return
        cluster = _one(groups, which)

        def change(said: Household) -> None:
            said.new_person(f"#{cluster}", hidden=True)
            said.join(guesses, cluster, f"#{cluster}")

        label = f"C{cluster:03d}"
        self.act(
            ("move", f"people/_unnamed/{label}", f"people/_ignored/{label}"),
            change,
        )

    @rule(which=WHICH, name=NAMES)
    def rename_a_person(self, which: int, name: str) -> None:
        """Onto somebody: the two are one."""
        if not (shown := self.shown()) or (old := _one(shown, which)) == name:
            return

        def change(said: Household) -> None:
            said.merge(old, name) if name in said.persons else said.call(old, name)

        self.act(("move", f"people/{old}", f"people/{name}"), change)

    @rule(which=WHICH)
    def forget_a_person(self, which: int) -> None:
        if shown := self.shown():
            name, guesses = _one(shown, which), self.guesses()
            self.act(
                ("rmdir", f"people/{name}"),
                lambda said: said.dismiss(guesses, name),
            )

    @rule(which=WHICH)
    def hide_a_person(self, which: int) -> None:
        if shown := self.shown():
            name = _one(shown, which)
            self.act(("move", f"people/{name}", f"people/_ignored/{name}"),
                     lambda said: said.persons.update({name: True}))  # fmt: skip

    @rule(which=WHICH, name=NAMES, by_removing=st.booleans())
    def show_somebody_again(self, which: int, name: str, by_removing: bool) -> None:
        hidden = sorted(person for person, is_hidden in self.said.persons.items() if is_hidden)
        if not hidden:
            return
        who, guesses = _one(hidden, which), self.guesses()
        nameless = who.startswith("#")
        folder = f"people/_ignored/{f'C{int(who[1:]):03d}' if nameless else who}"
        pictures = sorted(self.said.pictures(guesses, who))
        if by_removing and pictures:
            self.act(("unlink", f"{folder}/{pictures[0]}"),
                     lambda said: said.forget(who) if nameless else said.persons.update({who: False}))  # fmt: skip
            return

        def change(said: Household) -> None:
            if name in said.persons and name != who:
                said.merge(who, name)
            else:
                said.call(who, name)
                said.persons[name] = False

        self.act(("move", folder, f"people/{name}"), change)

    @rule(which=WHICH, person=WHICH, group=WHICH)
    def put_to_a_person(self, which: int, person: int, group: int) -> None:
        """A picture that is linked in, or moved out of a group, which it brings along."""
        if not (shown := self.shown()):
            return
        who, guesses = _one(shown, person), self.guesses()
        source, name, meant = self.here(self.asset(which)), self.asset(which), frozenset[int]()
        groups = self.groups()
        if groups and group % 2:
            cluster = _one(groups, group)
            faces = {
                id_: face
                for id_, face in guesses.faces.items()
                if face.cluster == cluster and face.picture in self.said.homes
            }
            name = _one(sorted({face.picture for face in faces.values()}), which)
            source = f"people/_unnamed/C{cluster:03d}/{name}"
            meant = frozenset(id_ for id_, face in faces.items() if face.picture == name)
        if self.said.is_in(guesses, who, name) or not self.said.copy().put(
            guesses, name, who, meant
        ):
            return
        target = f"people/{who}/{name}"
        gesture = "move" if meant else "link"
        self.act((gesture, source, target), lambda said: said.put(guesses, name, who, meant))

    @rule(which=WHICH, person=WHICH)
    def take_from_a_person(self, which: int, person: int) -> None:
        if not (shown := self.shown()):
            return
        who, guesses = _one(shown, person), self.guesses()
        if pictures := sorted(self.said.pictures(guesses, who)):
            name = _one(pictures, which)
            theirs = self.said.theirs(guesses, name, who)
            self.act(
                ("unlink", f"people/{who}/{name}"),
                lambda said: said.take(name, who, theirs),
            )

    @rule(which=WHICH, person=WHICH, other=WHICH)
    def move_to_another_person(self, which: int, person: int, other: int) -> None:
        shown, guesses = self.shown(), self.guesses()
        if len(shown) < 2:
            return
        who = _one(shown, person)
        to = _one([each for each in shown if each != who], other)
        pictures = sorted(self.said.pictures(guesses, who) - self.said.pictures(guesses, to))
        if not pictures:
            return
        name = _one(pictures, which)
        theirs = self.said.theirs(guesses, name, who)
        if not self.said.copy().put(guesses, name, to, theirs):
            return

        def change(said: Household) -> None:
            said.put(guesses, name, to, theirs)
            said.take(name, who, theirs)

        self.act(
            ("move", f"people/{who}/{name}", f"people/{to}/{name}"),
            change,
        )

    @rule(which=WHICH, no=st.booleans())
    def review(self, which: int, no: bool) -> None:
        guesses = self.guesses()
        listing = self.said.listing(guesses)
        doubts = [
            (person, name)
            for person in sorted(listing["people/_review"])
            for name in sorted(listing[f"people/_review/{person}"])
        ]
        if not doubts:
            return
        who, name = _one(doubts, which)
        path = f"people/_review/{who}/{name}"
        (face,) = self.said.theirs(guesses, name, who)
        if no:
            self.act(("unlink", path), lambda said: said.say(face, who, is_it=False))
        elif not self.said.is_in(guesses, who, name):
            self.act(
                ("move", path, f"people/{who}/{name}"),
                lambda said: said.put(guesses, name, who, frozenset([face])),
            )

    # --- originals ----------------------------------------------------------------------------------------------------

    @rule(which=WHICH)
    def remove_an_original(self, which: int) -> None:
        name = self.asset(which)
        if len(self.said.homes) > 12:
            self.act(
                ("unlink", f"files/photos/{self.said.homes[name]}"),
                lambda said: said.trash(name),
            )

    @rule(which=WHICH)
    def restore(self, which: int) -> None:
        if self.said.lying:
            name = _one(sorted(self.said.lying), which)
            lies, home = (
                f"trash/TODAY/{name}",
                f"files/photos/{self.said.lying[name]}",
            )
            self.act(("move", lies, home), lambda said: said.restore(name))

    @rule(which=WHICH, rare=st.integers(0, 3))
    def purge(self, which: int, rare: int) -> None:
        if self.said.lying and not rare:
            name = _one(sorted(self.said.lying), which)
            lies = f"trash/TODAY/{name}"
            self.act(("unlink", lies), lambda said: said.lying.pop(name), undone=False)

    @rule(which=WHICH, no=st.booleans())
    def answer_where_a_bill_belongs(self, which: int, no: bool) -> None:
        waiting = [
            name for name in BILLS
            if self.said.homes.get(name, "").startswith("Inbox/") and name not in self.said.not_there
        ]  # fmt: skip
        if not waiting:
            return
        name = _one(waiting, which)
        path = f"inbox/_suggested/photos/Letters/Bills/{name}"
        if no:
            self.act(("unlink", path), lambda said: said.not_there.add(name))
        else:
            self.act(
                ("move", path, f"inbox/_accept/{name}"),
                lambda said: said.accept(name),
            )

    @rule(which=WHICH, none=st.integers(0, 4))
    def remove_a_copy(self, which: int, none: int) -> None:
        if not (group := self.said.group):
            return
        folder = f"duplicates/{group[0]}"
        if not none:
            self.act(("rmdir", folder), lambda said: setattr(said, "copies", False), undone=False)
            return
        ranked = [each for each in self.listed(folder) or () if each in COPIES]
        name = _one(group, which)
        best = next(each for each in ranked if each != name)
        self.act(("unlink", f"{folder}/{name}"), lambda said: said.discard(name, best))

    @rule(folder=WHICH, good=st.integers(0, 4))
    def upload(self, folder: int, good: int) -> None:
        """New bytes into any folder that takes them."""
        guesses, fillable = self.guesses(), self.fillable()
        people = [f"people/{person}" for person in self.shown()]
        path = _one(
            [*sorted(fillable), *people, "by-date/2019/12", "places/Germany/Munich"], folder
        )
        corrects = path.startswith(("by-date/", "places/"))
        if corrects and not self.exists(path):
            return
        self.uploads += 1
        name = f"new{self.uploads}.jpg"
        data = (JPEG if good else b"MZ\0\1") + b"%d " % self.uploads * 3000

        def change(said: Household) -> None:
            if not good:
                raise Refused(errno.EINVAL)
            if corrects:
                raise Refused(errno.EPERM)  # it may say itself when and where
            said.homes[name] = f"{time.strftime('Uploads/%Y/%m')}/{name}"
            if path.startswith("people/"):
                said.put(guesses, name, path.partition("/")[2], frozenset())
            else:
                fillable[path](said).add(name)

        self.act(("write", f"{path}/{name}", data), change)


def _one(options: Sequence[Any], which: int) -> Any:
    return options[which % len(options)]


def _joined(kind: str, path: Steps) -> str:
    return "/".join((kind, *path))


def _name(number: int | None) -> str:
    return errno.errorcode.get(number or 0, "done")


def _new(db: Any) -> list[bytes]:
    return [path for (path,) in db.execute("SELECT path FROM file WHERE state = 'new'")]


def _guesses(db: Any) -> Guesses:
    rows = db.execute(
        "SELECT f.id, a.name, m.cluster_id, ifnull(m.confidence, 0) FROM face f JOIN asset a ON a.id = f.asset_id"
        " LEFT JOIN face_cluster m ON m.face_id = f.id"
    )
    faces = {id_: Face(name, cluster, confidence) for id_, name, cluster, confidence in rows}
    owners: dict[int, str | None] = {}
    for cluster, person, name in db.execute(
        "SELECT c.id, c.person, p.name FROM cluster c LEFT JOIN person p ON p.uid = c.person"
    ):
        owners[cluster] = name or (f"#{cluster}" if person else None)
    return Guesses(faces, owners)
