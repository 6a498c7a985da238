"""Dates, places and attributes."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import rule

from havenfs.catalog import browse, corrections
from tests.e2e.deciding import Refused

from .folders import FOLDERS
from .machine import WAYS, WHICH, Machine, one

if TYPE_CHECKING:
    from tests.e2e.deciding import Household, Path as Steps

MONTHS = st.sampled_from(["2019/07", "1987/05", "1987/06"])
CITIES = st.sampled_from(["Italy/Rome", "Italy/Siena", "France/Paris"])


class Corrections(Machine):
    """What people say of a picture."""

    def waits(self, name: str) -> bool:
        """Whether it is to be looked at first, because it is new or has been moved. No decision: no worker does so here."""
        asset = self.shelf.catalog.read(browse.asset, (), name)
        return self.shelf.catalog.read(corrections.found, asset.id).waiting

    @rule(which=WHICH, month=MONTHS, way=WAYS)
    def date_by_dropping(self, which: int, month: str, way: str) -> None:
        name = self.asset(which)
        if self.said.month(name) == month:
            return
        self.made(f"by-date/{month}")

        def change(said: Household) -> None:
            if self.waits(name):
                raise Refused(errno.EBUSY)
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
            if self.waits(name):
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
            name = one(described, which)
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
