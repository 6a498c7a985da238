"""The indexer and its workers beside a real disk that hangs. Needs root."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
import trio

from havend import indexer, pool
from havend.protocol import Identified, Identify
from havenfs.catalog import Catalog
from havenfs.config import SourceConfig, State

from .sick_disks import hanging

if TYPE_CHECKING:
    from pathlib import Path

JPEG = b"\xff\xd8\xff\xe0"
GONE_S = 10.0


async def test_a_worker_that_a_hanging_disk_holds_is_buried_when_the_disk_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outer disk has taken the request already when the inner one hangs: from there on no signal ends a process."""
    monkeypatch.setattr(pool, "KILL_S", 0.5)
    behind, inner, outer = (tmp_path / name for name in ("behind", "inner", "outer"))
    for directory in (behind, inner, outer):
        directory.mkdir()
    (behind / "a.jpg").write_bytes(JPEG)
    settings = pool.Settings(state=State(root=tmp_path / "state"), readable=(bytes(outer),))
    with hanging(behind, inner) as server, hanging(inner, outer):
        async with pool.Worker(settings) as worker:
            question = Identify(bytes(outer / "a.jpg"))
            assert isinstance(await worker.ask(question, timeout_s=30), Identified)
            held = f"/proc/{worker.pid}"
            server.send_signal(signal.SIGSTOP)
            with pytest.raises(pool.WorkerDiedError, match="took longer"):
                await worker.ask(question, timeout_s=1)
            assert os.path.exists(held)
            server.send_signal(signal.SIGCONT)
            with trio.fail_after(GONE_S):
                while os.path.exists(held):
                    await trio.sleep(0.05)


async def test_an_indexer_goes_on_while_a_disk_hangs_and_hides_it_until_it_answers(
    tmp_path: Path,
) -> None:
    state = State(root=tmp_path / "state")
    roots = {name: tmp_path / name for name in ("well", "sick")}
    for root in (*roots.values(), tmp_path / "behind"):
        root.mkdir()
    (tmp_path / "behind" / "a.jpg").write_bytes(JPEG + b"A")
    with hanging(tmp_path / "behind", roots["sick"]) as server, Catalog(state.catalog) as catalog:

        def shown() -> set[str]:
            return set(
                catalog.read(
                    lambda db: [row[0].decode() for row in db.execute("SELECT path FROM visible")]
                )
            )

        async def until(expected: set[str], seconds: float) -> None:
            with trio.fail_after(seconds):
                while shown() != expected:
                    await trio.sleep(0.1)

        async with trio.open_nursery() as nursery:
            await nursery.start(
                indexer.run,
                state,
                [SourceConfig(name=name, root=root) for name, root in roots.items()],
            )
            await until({"a.jpg"}, 20)
            server.send_signal(signal.SIGSTOP)
            (roots["well"] / "b.jpg").write_bytes(JPEG + b"B")
            await until({"b.jpg"}, 40)  # and a.jpg is hidden
            server.send_signal(signal.SIGCONT)
            await until({"a.jpg", "b.jpg"}, 20)
            nursery.cancel_scope.cancel()
