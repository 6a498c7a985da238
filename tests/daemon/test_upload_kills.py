"""Kills at random lines of what files an upload: afterwards it is there, whole and in its album, or nothing of it is.

A child puts files into an album through Operations, without a kernel, and says after each close how many it has had. It kills
itself after a random number of the lines that stage, place, record and decide, so that every instant between the first byte
and the answer is as likely. Shows what a killed process leaves; what a power cut leaves rests on fsync.
"""

from __future__ import annotations

import os
import random
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from havend import session
from havend.inodes import ROOT
from havenfs.catalog import Catalog, browse, collections, given, sources
from havenfs.decisions import Keeper, values
from havenfs.entities import Caller
from havenfs.ingest.arrival import Arrivals
from havenfs.originals import disk, staging
from tests.decisions import dying

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 60
LINES = 700  # an upload takes some 450 of those traced
TRACED = (
    "views/uploads/uploading.py",
    "originals/staging.py",
    "views/uploads/loose.py",
    "originals/disk.py",
    "ingest/arrival.py",
    "decisions/keeper.py",
    "catalog/catalog.py",
    "catalog/connections.py",
)
ME = Caller(os.getuid(), os.getgid(), os.getpid())


def content(number: int) -> bytes:
    return b"\xff\xd8\xff\xe0" + b"%08d" % number * 2000


def put(operations: Any, album: int, number: int) -> None:
    found, opened = operations.create(
        album, b"p%d.jpg" % number, 0o644, os.O_WRONLY | os.O_EXCL, ME
    )
    data = content(number)
    operations.write(opened.handle, 0, data[:5000])
    operations.write(opened.handle, 5000, data[5000:])
    operations.flush(opened.handle)
    operations.release(opened.handle)
    operations.forget(found.nodeid, 1)


def child(shelf: Any, point: Path, start: int, out: int, lines: int) -> None:
    with session.opened(shelf.state, point) as operations:
        albums = operations.lookup(ROOT, b"albums")
        album = operations.lookup(albums.nodeid, b"Kills").nodeid
        sys.settrace(dying.after(lines, TRACED))
        for number in range(start, start + 1000):
            put(operations, album, number)
            os.write(out, b"%d\n" % (number + 1))


def killed(shelf: Any, point: Path, start: int, lines: int) -> int:
    """How many uploads were answered for when the child was killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        try:
            child(shelf, point, start, writing, lines)
        finally:
            os._exit(1)
    os.close(writing)
    told = b""
    while data := os.read(reading, 65536):
        told += data
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), status
    return int(told.split()[-1]) if told else start


def test_a_kill_at_any_line_leaves_an_upload_whole_in_its_album_or_not_at_all(
    workshop: Any, tmp_path: Path
) -> None:
    chance = random.Random(7)
    desk = workshop.root.parent / "desk"
    keeper = Keeper(workshop.catalog, workshop.state.journal)
    album = values.MakeFolder(uid="kills", folder=values.Folder.ALBUM, name="Kills")
    keeper.decide(album, by="me")
    workshop.catalog.close()
    held, unanswered = 0, 0
    for _ in range(KILLS):
        told = killed(workshop, tmp_path / "mnt", held, chance.randrange(1, LINES))
        with session.opened(workshop.state, tmp_path / "mnt"):
            pass
        assert not (desk / ".havenfs-uploads").exists()
        originals = sorted(path.read_bytes() for path in (desk / "Uploads").rglob("*.jpg"))
        with Catalog(workshop.state.catalog) as catalog:
            collected = (browse.Condition("collected", "kills"),)
            shown = len(catalog.read(browse.assets, collected))
            assert len(catalog.read(given.rows, "member")) == shown
            assert catalog.read(collections.below, "album", None)[0].uid == "kills"
        assert originals == [content(number) for number in range(shown)]
        assert told <= shown <= told + 1
        unanswered += shown > told
        held = shown
    assert held > KILLS // 3
    assert unanswered, "no kill hit between the commit and the answer: more kills, or another seed"


def test_what_a_scan_saw_of_an_upload_that_a_kill_left_goes_with_it(
    workshop: Any, tmp_path: Path
) -> None:
    (desk,) = [s for s in workshop.catalog.read(sources.present) if s.name == "desk"]
    waiting, descriptor = staging.make(desk, 0o644, nullcontext())
    os.write(descriptor, content(1))
    placed = staging.place(desk, waiting, descriptor, b"new.jpg", nullcontext())
    os.close(descriptor)

    def shown() -> list[str]:
        return [row[0] for row in workshop.catalog.read(_names)]

    Arrivals(workshop.catalog).written(desk, placed)  # the indexer starts before the mount
    assert "new.jpg" in shown()
    with session.opened(workshop.state, tmp_path / "mnt"):
        pass
    assert not os.path.lexists(disk.path(desk, placed))
    assert "new.jpg" not in shown()


def _names(db: Any) -> list[tuple[str]]:
    return db.execute("SELECT name FROM visible").fetchall()
