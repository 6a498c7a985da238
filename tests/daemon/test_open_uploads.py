"""Uploads that are open: who waits for them, and what a server that fails leaves of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from havend import session
from havend.inodes import ROOT
from havenfs.errors import Stale
from tests.daemon.desk import ME

if TYPE_CHECKING:
    from pathlib import Path

    from havend.handles import Opened
    from havend.operations import Operations


def upload(operations: Operations, album: bytes = b"Summer") -> tuple[int, Opened]:
    """Number and open file of one that is half there."""
    albums = operations.lookup(ROOT, b"albums").nodeid
    parent = operations.mkdir(albums, album, 0o755, ME).nodeid
    found, opened = operations.create(parent, b"a.jpg.part", 0o644, os.O_RDWR, ME)
    operations.write(opened.handle, 0, b"half of a photo")
    return found.nodeid, opened


def test_a_server_that_fails_leaves_uploads_to_its_successor_and_one_that_ends_does_not(
    workshop: Any, tmp_path: Path
):
    kept: list[int] = []

    def links() -> int:
        return os.fstat(kept[-1]).st_nlink

    def fail() -> None:
        with session.opened(workshop.state, tmp_path / "mnt") as operations:
            kept.append(os.dup(upload(operations)[1].handle))
            raise KeyError("a mistake of ours")

    with pytest.raises(KeyError):
        fail()
    assert links() == 1
    with session.opened(workshop.state, tmp_path / "mnt") as operations:
        assert links() == 1, "somebody has it open"
        kept.append(os.dup(upload(operations, b"Winter")[1].handle))
    assert links() == 0
    for descriptor in kept:
        os.close(descriptor)


def test_an_open_that_is_refused_keeps_nothing_open(workshop: Any, tmp_path: Path):
    with session.opened(workshop.state, tmp_path / "mnt") as operations:
        nodeid, opened = upload(operations)
        operations.release(opened.handle)
        loose = opened.loose
        assert loose is not None
        assert loose.opens == 0
        path = os.path.join(loose.source.root, loose.path)
        os.rename(path, path + b".old")  # another file takes its place
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        with pytest.raises(Stale):
            operations.open(nodeid, os.O_RDWR, ME)
        assert loose.opens == 0
