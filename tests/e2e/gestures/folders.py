"""Albums, tags, favorites and saved searches."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.e2e.deciding import QUERIES, Refused
from tests.e2e.furnished import SUGGESTED

from .machine import WAYS, WHICH, Machine, one

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.deciding import Household, Path as Steps

FOLDERS = st.sampled_from([("a",), ("b",), ("a", "c"), ("b", "c")])
KINDS = st.sampled_from(["albums", "tags"])


class Folders(Machine):
    """What people make and fill."""

    @rule(kind=KINDS, path=FOLDERS)
    def make_a_folder(self, kind: str, path: Steps) -> None:
        if len(path) > 1 and path[:-1] not in self.said.folders[kind]:
            return
        self.act(("mkdir", joined(kind, path)), lambda said: said.make(kind, path))

    @rule(kind=KINDS, which=WHICH, new=FOLDERS)
    def move_a_folder(self, kind: str, which: int, new: Steps) -> None:
        tree = self.said.folders[kind]
        if not tree or (len(new) > 1 and new[:-1] not in tree):
            return
        old = one(sorted(tree), which)
        self.act(
            ("move", joined(kind, old), joined(kind, new)),
            lambda said: said.move(kind, old, new),
        )

    @rule(kind=KINDS, which=WHICH)
    def remove_a_folder(self, kind: str, which: int) -> None:
        tree = self.said.folders[kind]
        if tree:
            path = one(sorted(tree), which)
            self.act(("rmdir", joined(kind, path)), lambda said: said.drop(kind, path))

    def fillable(self) -> dict[str, Callable[[Household], set[str]]]:
        """Folders that people fill with anything, and the members of each."""
        found: dict[str, Callable[[Household], set[str]]] = {
            "favorites": lambda said: said.favorites
        }
        for kind, tree in self.said.folders.items():
            for path in tree:
                found[joined(kind, path)] = lambda said, kind=kind, path=path: said.folders[kind][
                    path
                ]
        return found

    @rule(folder=WHICH, which=WHICH, way=WAYS, original=st.booleans())
    def put_in(self, folder: int, which: int, way: str, original: bool) -> None:
        path, members = one(sorted(self.fillable().items()), folder)
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
            path, name = one(filled, which)
            members = self.fillable()[path]
            self.act(("unlink", f"{path}/{name}"),
                     lambda said, members=members, name=name: members(said).discard(name))  # fmt: skip

    @rule(which=WHICH, folder=WHICH)
    def move_on(self, which: int, folder: int) -> None:
        """From one album or tag to another of its kind; to one of the other kind, or to favorites, it is added."""
        if not (filled := self.filled()):
            return
        path, name = one(filled, which)
        new, members = one(sorted(self.fillable().items()), folder)
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
        name = one(dogs, which)
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
        name = one(sorted(self.said.saved), which)
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


def joined(kind: str, path: Steps) -> str:
    return "/".join((kind, *path))
