from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from havenfs.entities import Source, SourceId
from havenfs.errors import NotFound
from havenfs.originals.walks import Walks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_walk_is_kept_for_a_while_and_let_go(tmp_path: Path):
    (tmp_path / "a/b").mkdir(parents=True)
    source = Source(id=SourceId(1), name="s", root=bytes(tmp_path))
    walks = Walks()
    before = descriptors()
    walks.keep(100)
    first = walks.to(source, b"a/b")
    assert walks.to(source, b"a/b") is first
    walks.moved(source, b"a")
    assert walks.to(source, b"a/b") is not first
    walks.let_go()
    assert walks.to(source, b"a/b") is walks.to(source, b"a/b")
    walks.let_go(all_of_them=True)
    del first
    assert descriptors() == before
    with pytest.raises(NotFound):
        walks.to(source, b"a/c")


@pytest.mark.usefixtures("restless")
def test_threads_that_walk_and_let_go_at_once_do_not_meet(tmp_path: Path):
    for number in range(300):
        (tmp_path / str(number)).mkdir()
    source = Source(id=SourceId(1), name="s", root=bytes(tmp_path))
    walks = Walks()
    walks.keep(0.001)
    before = descriptors()
    stop = threading.Event()

    def walk(start: int) -> None:
        for turn in range(3000):
            path = b"%d" % ((start + turn * 7) % 300)
            assert os.fstat(walks.to(source, path).fd).st_ino

    def let_go() -> None:
        while not stop.is_set():
            walks.let_go()
            walks.moved(source, b"7")

    with ThreadPoolExecutor(4) as pool:
        letting = pool.submit(let_go)
        try:
            for each in [pool.submit(walk, start) for start in (0, 100, 200)]:
                each.result(60)
        finally:
            stop.set()
        letting.result(10)
    walks.let_go(all_of_them=True)
    assert descriptors() == before
