"""Packed answers: what is kept of directories, and what is not."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Any

from havend.direct import replies, wire
from havend.direct.replies import Folder, Replies
from havend.stats import Attributes

from .conftest import entries

if TYPE_CHECKING:
    import pytest

ASSET = 1 << 60
MONTH = "by-date/2015/05"


def _full(shelf: Any, count: int = 60) -> None:
    for number in range(count):
        shelf.add(f"m/{number:04}.jpg", b"%d" % number, taken="2015-05-05T05:05:05")


def _asked(*_: object) -> None:
    raise AssertionError("the catalog was asked")


def _attributes(**more: Any) -> Attributes:
    fields: dict[str, Any] = {
        "nodeid": 7, "number": 8, "mode": 0o100644, "nlink": 1, "uid": 1, "gid": 2, "size": 10,
        "mtime_ns": -1, "atime_ns": 1_500_000_001, "ctime_ns": 3, "rdev": 0, "blocks": 4,
    }  # fmt: skip
    return Attributes(**{**fields, **more})


def test_an_entry_has_every_field_in_its_place() -> None:
    packed = replies.entry(_attributes(entry_s=1.5, attributes_s=300.0, generation=9))
    timeouts = (1, 300, 500_000_000, 0)
    times = (
        1,
        -1,
        0,
        500_000_001,
        999_999_999,
        3,
    )  # before 1970: seconds below zero, never nanoseconds
    rest = (0o100644, 1, 1, 2, 0, 4096, 0)
    assert wire.ENTRY.unpack(packed) == (7, 9, *timeouts, 8, 10, 4, *times, *rest)


def test_attributes_alone_are_the_same_without_the_name() -> None:
    found = _attributes(entry_s=1.5, attributes_s=2.25)
    answer = wire.ATTR.unpack(replies.attributes(found))
    assert answer[:3] == (2, 250_000_000, 0)
    assert answer[3:] == wire.ENTRY.unpack(replies.entry(found))[6:]


def _folder(count: int, *, nodeid: int = ASSET) -> Folder:
    folder = Folder()
    for number in range(count):
        packed = replies.entry(_attributes(nodeid=nodeid + number)) + wire.dirent(
            1, 1, 0, b"12345678"
        )
        folder.places[b"%08d" % number] = len(folder.packed)
        folder.packed += packed
        folder.ends.append(len(folder.packed))
    return folder


def test_what_is_kept_stays_within_its_limit_and_the_oldest_goes() -> None:
    kept = Replies(limit=10 * _folder(10).cost())
    for parent in range(1, 30):
        kept.keep(parent, _folder(10), kept.age)
        kept.folder(1)
    assert 0 < len(kept) <= kept.limit
    assert kept.folder(1) is not None
    assert kept.folder(2) is None
    assert kept.folder(29) is not None


def test_a_folder_larger_than_the_limit_is_not_kept() -> None:
    kept = Replies(limit=1000)
    kept.keep(1, _folder(10), kept.age)
    assert kept.folder(1) is None
    assert len(kept) == 0


def test_an_inode_that_changed_takes_every_folder_with_it_that_shows_it() -> None:
    kept = Replies()
    kept.keep(1, _folder(10), kept.age)
    kept.keep(2, _folder(10, nodeid=ASSET + 100), kept.age)
    kept.forget_inode(ASSET + 5)
    assert kept.folder(1) is None
    assert kept.folder(2) is not None
    assert len(kept) == _folder(10).cost()


def test_what_was_begun_before_a_change_is_not_kept_after_it() -> None:
    kept = Replies()
    age = kept.age
    kept.forget_directory(99)
    kept.keep(1, _folder(10), age)
    assert kept.folder(1) is None


def test_forgetting_everything_leaves_nothing() -> None:
    kept = Replies()
    kept.keep(1, _folder(10), kept.age)
    kept.forget_all()
    assert (kept.folder(1), len(kept)) == (None, 0)


# --- through the protocol ----------------------------------------------------------------------------------------


def test_a_kept_listing_is_the_same_and_asks_no_catalog(
    workshop: Any, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _full(workshop)
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk(MONTH)
        first = kernel.list(nodeid)
        monkeypatch.setattr("havenfs.catalog.Catalog.read", _asked)
        assert kernel.list(nodeid, size=2000) == first
        name, number = first[5]
        assert struct.unpack_from("<Q", kernel.ask(wire.LOOKUP, nodeid, name + b"\0"))[0] == number


def test_lookups_of_one_folder_are_soon_answered_from_its_listing(
    workshop: Any, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _full(workshop)
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk(MONTH)
        answers = [kernel.ask(wire.LOOKUP, nodeid, b"%04d.jpg\0" % n) for n in range(30)]
        assert len({answer[:8] for answer in answers}) == 30
        monkeypatch.setattr("havenfs.catalog.Catalog.read", _asked)
        assert kernel.ask(wire.LOOKUP, nodeid, b"0003.jpg\0") == answers[3]
        assert kernel.ask(wire.LOOKUP, nodeid, b"0059.jpg\0")


def test_a_kept_listing_agrees_with_lookups(workshop: Any, served: Any) -> None:
    _full(workshop)
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk(MONTH)
        handle, _, _ = wire.OPENED.unpack(kernel.ask(wire.OPENDIR, nodeid, wire.OPEN_IN.pack(0, 0)))
        body = wire.READ_IN.pack(handle, 0, 3000, 0, 0, 0, 0)
        looked_up = kernel.ask(wire.LOOKUP, nodeid, b"0000.jpg\0")
        listed = {
            name: entry for name, entry, _ in entries(kernel.ask(wire.READDIRPLUS, nodeid, body))
        }
        assert listed[b"0000.jpg"] == looked_up


def test_what_changed_is_not_answered_from_what_was_kept(workshop: Any, served: Any) -> None:
    _full(workshop, 20)
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk(MONTH)
        assert len(kernel.list(nodeid)) == 22
        workshop.add("m/more.jpg", b"more", taken="2015-05-05T05:05:05")
        kernel.operations.news()
        kernel.server.notifier.entry(nodeid, b"more.jpg")
        kernel.server.notifier.settle()
        assert kernel.receive()[1] == wire.NOTIFY_INVAL_ENTRY
        assert len(kernel.list(nodeid)) == 23


def test_a_listing_that_grew_old_while_it_was_read_is_believed_briefly(
    workshop: Any, served: Any
) -> None:
    _full(workshop)
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk(MONTH)
        kernel.list(nodeid)  # kept from here on
        handle, _, _ = wire.OPENED.unpack(kernel.ask(wire.OPENDIR, nodeid, wire.OPEN_IN.pack(0, 0)))

        def seconds(offset: int) -> int:
            body = wire.READ_IN.pack(handle, offset, 1000, 0, 0, 0, 0)
            *_, (_, entry, _) = entries(kernel.ask(wire.READDIRPLUS, nodeid, body))
            return wire.ENTRY.unpack(entry)[2]

        assert seconds(0) == 300
        kernel.server.notifier.entry(nodeid, b"0030.jpg")
        assert kernel.receive()[1] == wire.NOTIFY_INVAL_ENTRY
        assert seconds(6) == 1
        kernel.operations.news()


def test_rewinding_shows_the_directory_as_it_is_now(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk("files/desk")
        handle, _, _ = wire.OPENED.unpack(kernel.ask(wire.OPENDIR, nodeid, wire.OPEN_IN.pack(0, 0)))
        body = wire.READ_IN.pack(handle, 0, 4096, 0, 0, 0, 0)

        def names() -> list[bytes]:
            return [name for name, _, _ in entries(kernel.ask(wire.READDIRPLUS, nodeid, body))]

        assert names() == [b".", b".."]
        (workshop.root.parent / "desk/new").touch()
        assert names() == [b".", b"..", b"new"]


def test_cookies_hold_while_entries_come_and_go(workshop: Any, served: Any) -> None:
    desk = workshop.root.parent / "desk"
    for number in range(50):
        (desk / f"{number:03}").touch()
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk("files/desk")
        handle, _, _ = wire.OPENED.unpack(kernel.ask(wire.OPENDIR, nodeid, wire.OPEN_IN.pack(0, 0)))
        seen, offset = [], 0
        while True:
            body = wire.READ_IN.pack(handle, offset, 1000, 0, 0, 0, 0)
            part = list(entries(kernel.ask(wire.READDIRPLUS, nodeid, body)))
            if not part:
                break
            seen += [name for name, _, _ in part]
            offset = part[-1][2]
            (desk / seen[-1].decode()).unlink(missing_ok=True) if offset > 2 else None
            (desk / f"aaa{time.time_ns()}").touch()
        assert seen == [b".", b"..", *(b"%03d" % number for number in range(50))]


def test_readdir_without_attributes_has_the_same_names(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk("files/photos")
        handle, _, _ = wire.OPENED.unpack(kernel.ask(wire.OPENDIR, nodeid, wire.OPEN_IN.pack(0, 0)))
        answer = kernel.ask(wire.READDIR, nodeid, wire.READ_IN.pack(handle, 0, 4096, 0, 0, 0, 0))
        names = []
        while answer:
            _, _, length, kind = wire.DIRENT.unpack_from(answer)
            assert kind == 4
            names.append(answer[24 : 24 + length])
            answer = answer[24 + (length + 7 & ~7) :]
        assert names == [name for name, _ in kernel.list(nodeid)]


def test_each_name_that_was_listed_is_counted_and_can_be_forgotten(
    workshop: Any, served: Any
) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk("files/photos")
        before = len(kernel.operations.table)
        listed = kernel.list(nodeid)
        assert kernel.list(nodeid) == listed
        assert len(kernel.operations.table) == before + len(listed) - 2
        for _, number in listed:
            if number:
                kernel.send(wire.FORGET, number, wire.FORGET_IN.pack(1))
        ones = [wire.FORGET_ONE.pack(number, 1) for _, number in listed if number]
        kernel.send(wire.BATCH_FORGET, 0, wire.BATCH_IN.pack(len(ones), 0) + b"".join(ones))
        kernel.ask(wire.GETATTR, wire.ROOT, wire.GETATTR_IN.pack(0, 0, 0))
        assert len(kernel.operations.table) == before
