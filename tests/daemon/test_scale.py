"""What operations cost in a library of many assets, counted in statements and in steps of the database."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from havend import session
from havend.inodes import ROOT
from havenfs.config import State
from tests.bench import million

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from havend.operations import Operations

ASSETS = 60_000
PAGE = 256


class Cost:
    """The statements run on the connection of this thread since the last look."""

    def __init__(self, db: apsw.Connection) -> None:
        self.statements = 0
        self.steps = 0
        db.trace_v2(apsw.SQLITE_TRACE_PROFILE, self._ran, id=self)

    def _ran(self, event: dict[str, Any]) -> None:
        self.statements += event["sql"] not in ("BEGIN", "COMMIT")
        self.steps += event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]

    def taken(self) -> tuple[int, int]:
        """(statements, steps) since the last call."""
        taken = self.statements, self.steps
        self.statements = self.steps = 0
        return taken


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    directory = tmp_path_factory.mktemp("scale")
    million.write(directory / "state", directory / "root", ASSETS)
    with session.opened(State(root=directory / "state"), directory / "mnt") as operations:
        yield operations


@pytest.fixture
def cost(operations: Operations) -> Iterator[Cost]:
    db = operations.library.catalog.connection()
    made = Cost(db)
    yield made
    db.trace_v2(0, None, id=made)


def walk(operations: Operations, path: str) -> int:
    nodeid = ROOT
    for name in filter(None, path.split("/")):
        nodeid = operations.lookup(nodeid, name.encode()).nodeid
    return nodeid


def test_opening_a_mount_asks_for_no_asset(tmp_path: Path):
    million.write(tmp_path / "state", tmp_path / "root", ASSETS)
    steps = 0

    def ran(event: dict[str, Any]) -> None:
        nonlocal steps
        steps += event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]

    def watch(db: apsw.Connection) -> None:
        db.trace_v2(apsw.SQLITE_TRACE_PROFILE, ran)

    apsw.connection_hooks.append(watch)
    try:
        with session.opened(State(root=tmp_path / "state"), tmp_path / "mnt") as operations:
            listing = operations.listing(ROOT)
            names = {entry[0] for entry in listing.entries}
            operations.statfs(ROOT)
            for name in names - {b"files", b".haven"}:
                operations.getattr(operations.lookup(ROOT, name).nodeid)
    finally:
        apsw.connection_hooks.remove(watch)
    assert {b"by-date", b"places", b"types", b"search"} <= names
    assert steps < ASSETS / 20


def test_a_cold_find_costs_few_statements_a_folder(operations: Operations, cost: Cost):
    entries: defaultdict[str, int] = defaultdict(int)
    folders = 0
    waiting = [(walk(operations, view), view) for view in ("by-date", "places", "types")]
    cost.taken()
    while waiting:
        nodeid, path = waiting.pop()
        listing = operations.listing(nodeid)
        folders += 1
        found = 0
        for entry in listing.entries:
            name, node = entry
            found += 1
            attributes = operations.admit(node, nodeid, name)
            if stat.S_ISDIR(attributes.mode):
                waiting.append((attributes.nodeid, f"{path}/{os.fsdecode(name)}"))
        entries[path] = found
        statements, steps = cost.taken()
        assert statements <= 6 + -(-found // PAGE), path
        # The folders above the assets know nothing of how many there are: a few steps a month or place.
        assert steps <= 20_000 + 400 * found, path
    assert folders > 400
    assert sum(entries.values()) > 3 * ASSETS


def test_a_lookup_costs_one_statement_whatever_the_folder_holds(operations: Operations, cost: Cost):
    folders = {path: walk(operations, path) for path in ("types/photos", million.CROWDED)}
    cost.taken()
    for nodeid in folders.values():
        found = operations.lookup(nodeid, million.name(ASSETS - ASSETS % 10).encode())
        statements, steps = cost.taken()
        assert statements <= 1
        assert steps <= 200
        assert operations.getattr(found.nodeid).size == found.size


def test_a_page_of_a_listing_is_all_that_is_held(operations: Operations):
    listing = operations.listing(walk(operations, "types/photos"))
    assert len(listing.entries) > ASSETS / 2
    middle = len(listing.entries) // 2
    first, again = listing.entries[middle], listing.entries[middle]
    assert first is not None
    assert again is not None
    assert first[0] == again[0]
    with pytest.raises(IndexError):
        listing.entries[len(listing.entries)]


def test_what_the_kernel_forgets_is_forgotten(operations: Operations):
    before = len(operations.table)
    counts: defaultdict[int, int] = defaultdict(int)
    waiting = [(walk(operations, view), view) for view in ("by-date", "places", "types")]
    for nodeid, _ in waiting:
        counts[nodeid] += 1
    while waiting:
        nodeid, path = waiting.pop()
        for name, node in operations.listing(nodeid).entries:
            attributes = operations.admit(node, nodeid, name)
            counts[attributes.nodeid] += 1
            if stat.S_ISDIR(attributes.mode):
                waiting.append((attributes.nodeid, path))
    assert len(counts) > ASSETS
    assert len(operations.table) < 1000, "assets are found again from their numbers"
    for nodeid, count in counts.items():
        operations.forget(nodeid, count)
    assert len(operations.table) <= before
    # And an asset that was forgotten is still itself, for a program that has kept its number (NFS).
    leaf = next(nodeid for nodeid in counts if operations.getattr(nodeid).size)
    assert operations.getattr(leaf).nodeid == leaf
