"""People: named, merged, hidden, confirmed and refused."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.e2e.deciding import Refused

from .machine import WHICH, Machine, one

if TYPE_CHECKING:
    from tests.e2e.deciding import Household

NAMES = st.sampled_from(["Alice", "Bob", "Carol"])


class People(Machine):
    """Who is in which picture."""

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
        cluster = one(groups, which)

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
        cluster = one(groups, which)

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
        if not (shown := self.shown()) or (old := one(shown, which)) == name:
            return

        def change(said: Household) -> None:
            said.merge(old, name) if name in said.persons else said.call(old, name)

        self.act(("move", f"people/{old}", f"people/{name}"), change)

    @rule(which=WHICH)
    def forget_a_person(self, which: int) -> None:
        if shown := self.shown():
            name, guesses = one(shown, which), self.guesses()
            self.act(
                ("rmdir", f"people/{name}"),
                lambda said: said.dismiss(guesses, name),
            )

    @rule(which=WHICH)
    def hide_a_person(self, which: int) -> None:
        if shown := self.shown():
            name = one(shown, which)
            self.act(("move", f"people/{name}", f"people/_ignored/{name}"),
                     lambda said: said.persons.update({name: True}))  # fmt: skip

    @rule(which=WHICH, name=NAMES, by_removing=st.booleans())
    def show_somebody_again(self, which: int, name: str, by_removing: bool) -> None:
        hidden = sorted(person for person, is_hidden in self.said.persons.items() if is_hidden)
        if not hidden:
            return
        who, guesses = one(hidden, which), self.guesses()
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
        who, guesses = one(shown, person), self.guesses()
        source, name, meant = self.here(self.asset(which)), self.asset(which), frozenset[int]()
        groups = self.groups()
        if groups and group % 2:
            cluster = one(groups, group)
            faces = {
                id_: face
                for id_, face in guesses.faces.items()
                if face.cluster == cluster and face.picture in self.said.homes
            }
            name = one(sorted({face.picture for face in faces.values()}), which)
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
        who, guesses = one(shown, person), self.guesses()
        if pictures := sorted(self.said.pictures(guesses, who)):
            name = one(pictures, which)
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
        who = one(shown, person)
        to = one([each for each in shown if each != who], other)
        pictures = sorted(self.said.pictures(guesses, who) - self.said.pictures(guesses, to))
        if not pictures:
            return
        name = one(pictures, which)
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
        who, name = one(doubts, which)
        path = f"people/_review/{who}/{name}"
        (face,) = self.said.theirs(guesses, name, who)
        if no:
            self.act(("unlink", path), lambda said: said.say(face, who, is_it=False))
        elif not self.said.is_in(guesses, who, name):
            self.act(
                ("move", path, f"people/{who}/{name}"),
                lambda said: said.put(guesses, name, who, frozenset([face])),
            )
