"""Originals that move: trash, inbox, copies, and new bytes in any folder that takes them."""

from __future__ import annotations

import errno
import time
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.e2e.deciding import Household, Refused
from tests.e2e.furnished import BILLS, COPIES, JPEG, SHOT

from .folders import Folders
from .machine import WHICH, one
from .people import People


class Originals(Folders, People):
    """What happens to files."""

    @rule(which=WHICH)
    def remove_an_original(self, which: int) -> None:
        name = self.asset(which)
        if len(self.said.homes) > 12 and name != SHOT:  # whose RAW would be seen then
            self.act(
                ("unlink", f"files/photos/{self.said.homes[name]}"),
                lambda said: said.trash(name),
            )

    @rule(which=WHICH)
    def restore(self, which: int) -> None:
        if self.said.lying:
            name = one(sorted(self.said.lying), which)
            lies, home = (
                f"trash/TODAY/{name}",
                f"files/photos/{self.said.lying[name]}",
            )
            self.act(("move", lies, home), lambda said: said.restore(name))

    @rule(which=WHICH, rare=st.integers(0, 3))
    def purge(self, which: int, rare: int) -> None:
        if self.said.lying and not rare:
            name = one(sorted(self.said.lying), which)
            lies = f"trash/TODAY/{name}"
            self.act(("unlink", lies), lambda said: said.purge([name]), undone=False)

    @rule(rare=st.integers(0, 5))
    def purge_a_day(self, rare: int) -> None:
        """One decision, though as with any `rm -r` a kill may find some of it deleted."""
        if self.said.lying and not rare:
            there = list(self.said.lying)
            self.act(
                ("rmdir", "trash/TODAY"),
                lambda said: said.lying.clear(),
                undone=False,
                partly=[
                    partial(Household.purge, names=there[:end]) for end in range(1, len(there))
                ],
            )

    @rule(which=WHICH, no=st.booleans())
    def answer_where_it_belongs(self, which: int, no: bool) -> None:
        """A bill, or a picture, which goes there with its RAW and its sidecar."""
        waiting = [
            name for name in (*BILLS, SHOT)
            if self.said.homes.get(name, "").startswith("Inbox/") and name not in self.said.not_there
        ]  # fmt: skip
        if not waiting:
            return
        name = one(waiting, which)
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
        name = one(group, which)
        best = next(each for each in ranked if each != name)
        self.act(("unlink", f"{folder}/{name}"), lambda said: said.discard(name, best))

    @rule(folder=WHICH, good=st.integers(0, 4))
    def upload(self, folder: int, good: int) -> None:
        """New bytes into any folder that takes them."""
        guesses, fillable = self.guesses(), self.fillable()
        people = [f"people/{person}" for person in self.shown()]
        path = one([*sorted(fillable), *people, "by-date/2019/12", "places/Germany/Munich"], folder)
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
