"""Decisions, undo, replay and writing the journal anew in any order, against a model of dictionaries."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from havenfs.catalog import Catalog, given
from havenfs.decisions import Keeper, values
from havenfs.errors import Conflict, Exists, InvalidName, NotEmpty, NotFound

CONTENTS = [bytes([n]) * 32 for n in range(3)]
UIDS = ["u0", "u1", "u2", "u3"]
NAMES = ["a", "A", "b", "c"]

contents = st.sampled_from(CONTENTS)
uids = st.sampled_from(UIDS)
names = st.sampled_from(NAMES)

Folders = dict[str, tuple[str | None, str]]


class Model:
    """What ought to hold: plain values, and a copy of all of them a step."""

    def __init__(self) -> None:
        self.folders: Folders = {}
        self.members: set[tuple[str, bytes]] = set()
        self.favorites: set[bytes] = set()
        self.stars: dict[bytes, int] = {}

    def copy(self) -> Model:
        twin = Model()
        twin.folders, twin.members = dict(self.folders), set(self.members)
        twin.favorites, twin.stars = set(self.favorites), dict(self.stars)
        return twin

    def below(self, uid: str) -> set[str]:
        found = {uid}
        while True:
            more = {u for u, (parent, _) in self.folders.items() if parent in found} | found
            if more == found:
                return found
            found = more

    def twin(self, uid: str, parent: str | None, name: str) -> str | None:
        for other, (where, known) in self.folders.items():
            if other != uid and where == parent and known.casefold() == name.casefold():
                return other
        return None

    def place(self, uid: str, parent: str | None, name: str) -> bool:
        """Put a folder somewhere; False where it cannot stand."""
        if parent is not None and (parent not in self.folders or parent in self.below(uid)):
            return False
        if self.twin(uid, parent, name) is not None:
            return False
        self.folders[uid] = (parent, name)
        return True

    def merge(self, uid: str, into: str) -> None:
        del self.folders[uid]
        for other, content in [pair for pair in self.members if pair[0] == uid]:
            self.members.remove((other, content))
            self.members.add((into, content))
        for child, (_, name) in [pair for pair in self.folders.items() if pair[1][0] == uid]:
            twin = self.twin(child, into, name)
            if twin is None:
                self.folders[child] = (into, name)
            else:
                self.merge(child, twin)

    def cells(self) -> set[tuple[object, ...]]:
        """Every single thing that holds: what undo puts back piece by piece."""
        found: set[tuple[object, ...]] = set()
        found.update(("folder", uid, *where) for uid, where in self.folders.items())
        found.update(("member", *pair) for pair in self.members)
        found.update(("favorite", content) for content in self.favorites)
        found.update(("stars", *pair) for pair in self.stars.items())
        return found

    @classmethod
    def of(cls, cells: set[tuple[object, ...]]) -> Model | None:
        """The model in which this holds; None when it contradicts itself."""
        model = cls()
        for kind, *rest in cells:
            if kind == "folder":
                uid, parent, name = rest
                if uid in model.folders:
                    return None
                model.folders[uid] = (parent, name)  # type: ignore[index, assignment]
            elif kind == "member":
                model.members.add(tuple(rest))  # type: ignore[arg-type]
            elif kind == "favorite":
                model.favorites.add(rest[0])  # type: ignore[arg-type]
            else:
                if rest[0] in model.stars:
                    return None
                model.stars[rest[0]] = rest[1]  # type: ignore[index, assignment]
        for uid, (parent, name) in model.folders.items():
            if parent is not None and parent not in model.folders:
                return None
            if model.twin(uid, parent, name) is not None:
                return None
            seen = {uid}
            while parent is not None:
                if parent in seen:
                    return None
                seen.add(parent)
                parent = model.folders[parent][0]
        if any(uid not in model.folders for uid, _ in model.members):
            return None
        return model


def key(cell: tuple[object, ...]) -> tuple[object, ...]:
    """What the cell is about: of its kind there is one at a time."""
    return cell[:2] if cell[0] in ("folder", "stars") else cell


class Machine(RuleBasedStateMachine):
    """One catalog and its journal, and what they ought to say."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="decisions-"))
        self.model = Model()
        self.done: list[tuple[str, Model, Model]] = []
        """Id of each operation, and the model before and after it."""
        self.open()

    def open(self) -> None:
        self.catalog = Catalog(self.root / "catalog.db")
        self.keeper = Keeper(self.catalog, self.root / "decisions.jsonl")
        self.keeper.recover()

    def teardown(self) -> None:
        self.catalog.close()
        shutil.rmtree(self.root)

    def decide(self, decision: values.Decision, wanted: Model | None) -> None:
        """*wanted*: the model afterwards; None: it must be refused."""
        try:
            done = self.keeper.decide(decision, by="me")
        except (Exists, InvalidName, NotEmpty, NotFound):
            assert wanted is None
            return
        assert wanted is not None
        assert (done is None) == (wanted.cells() == self.model.cells())
        if done is not None:
            self.done.append((done.id, self.model, wanted))
        self.model = wanted

    @rule(uid=uids, parent=st.none() | uids, name=names)
    def make_folder(self, uid: str, parent: str | None, name: str) -> None:
        wanted = self.model.copy()
        good = uid not in wanted.folders and wanted.place(uid, parent, name)
        album = values.Folder.ALBUM
        decision = values.MakeFolder(uid=uid, folder=album, name=name, parent=parent)
        self.decide(decision, wanted if good else None)

    @rule(uid=uids, parent=st.none() | uids, name=names)
    def move_folder(self, uid: str, parent: str | None, name: str) -> None:
        wanted = self.model.copy()
        good = uid in wanted.folders and wanted.place(uid, parent, name)
        self.decide(values.MoveFolder(uid=uid, name=name, parent=parent), wanted if good else None)

    @rule(uid=uids, into=uids)
    def merge_folders(self, uid: str, into: str) -> None:
        wanted = self.model.copy()
        good = {uid, into} <= wanted.folders.keys() and into not in wanted.below(uid)
        if good:
            wanted.merge(uid, into)
        self.decide(values.MergeFolders(uid=uid, into=into), wanted if good else None)

    @rule(uid=uids)
    def remove_folder(self, uid: str) -> None:
        wanted = self.model.copy()
        used = any(u == uid for u, _ in wanted.members) or len(wanted.below(uid)) > 1
        known = wanted.folders.pop(uid, None) is not None
        self.decide(values.RemoveFolder(uid=uid), wanted if known and not used else None)

    @rule(uid=uids, chosen=st.sets(contents, min_size=1), inside=st.booleans())
    def fill(self, uid: str, chosen: set[bytes], inside: bool) -> None:
        wanted = self.model.copy()
        pairs = {(uid, content) for content in chosen}
        wanted.members = wanted.members | pairs if inside else wanted.members - pairs
        decision = values.Fill(uid=uid, contents=tuple(chosen), inside=inside)
        self.decide(decision, wanted if uid in wanted.folders else None)

    @rule(chosen=st.sets(contents, min_size=1), favorite=st.booleans())
    def set_favorite(self, chosen: set[bytes], favorite: bool) -> None:
        wanted = self.model.copy()
        wanted.favorites = wanted.favorites | chosen if favorite else wanted.favorites - chosen
        self.decide(values.SetFavorite(contents=tuple(chosen), favorite=favorite), wanted)

    @rule(content=contents, stars=st.none() | st.integers(0, 5))
    def set_rating(self, content: bytes, stars: int | None) -> None:
        wanted = self.model.copy()
        wanted.stars.pop(content, None)
        if stars is not None:
            wanted.stars[content] = stars
        self.decide(values.SetRating(contents=(content,), stars=stars), wanted)

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        operation, before, after = data.draw(st.sampled_from(self.done))
        came, went = after.cells() - before.cells(), before.cells() - after.cells()
        now = self.model.cells()
        # Rows that did not stay as they were left, and rows where something else stands by now, are conflicts.
        touched = {key(cell) for cell in came | went}
        as_left = {cell for cell in now if key(cell) in touched} == came
        wanted = Model.of((now - came) | went) if as_left else None
        try:
            done = self.keeper.revert(operation, by="me")
        except Conflict:
            assert wanted is None
            return
        assert wanted is not None
        assert done is not None
        self.done.append((done.id, self.model, wanted))
        self.model = wanted

    @rule()
    def lose_the_catalog(self) -> None:
        self.catalog.close()
        for file in self.root.glob("catalog.db*"):
            file.unlink()
        self.open()

    @rule()
    def write_the_journal_anew(self) -> None:
        self.keeper.compact()

    @rule()
    def lose_the_journal(self) -> None:
        if not self.done:
            return
        self.keeper.journal.path.unlink()
        self.keeper.recover()

    @invariant()
    def everything_is_as_decided(self) -> None:
        found = Model()
        read = self.catalog.read
        for uid, _, parent, name, _ in read(given.rows, "collection"):
            found.folders[str(uid)] = (None if parent is None else str(parent), str(name))
        for uid, content in read(given.rows, "member"):
            found.members.add((str(uid), bytes.fromhex(str(content))))
        for (content,) in read(given.rows, "favorite"):
            found.favorites.add(bytes.fromhex(str(content)))
        for content, stars in read(given.rows, "given_rating"):
            found.stars[bytes.fromhex(str(content))] = int(stars or 0)
        assert found.cells() == self.model.cells()


Machine.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestMachine = Machine.TestCase
