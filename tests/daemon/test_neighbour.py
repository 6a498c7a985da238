"""When the indexer holds back, and why: pressure of others, not its own; quiet hours; searches."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

import pytest
import trio
import trio.testing

from havend import neighbour, pressure
from havend.neighbour import MANNERS, Neighbour, reason
from havend.pressure import Level, Reading
from havenfs.config import Budget
from havenfs.settings import Indexing, Quiet, Span

BACKGROUND = MANNERS[Budget.BACKGROUND]


class Machine:
    """A kernel whose disk is as busy as `others` says, and busier by `ours` while the indexer is at work."""

    def __init__(self) -> None:
        self.others = 0.0
        self.ours = 0.0
        self.at_work = False
        self._io = 0.0
        self._at = 0.0

    def reading(self) -> Reading:
        now = trio.current_time()
        self._io += (self.others + (self.ours if self.at_work else 0.0)) * (now - self._at)
        self._at = now
        return Reading(now, self._io, 0.0, 0.0)

    def __call__(self, _shares: dict[str, float]) -> Machine:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    async def wait(self) -> None:
        while self.others + self.ours < 0.15:
            await trio.sleep(0.5)
        await trio.sleep(0.1)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(pressure, "reading", found.reading)
    monkeypatch.setattr(pressure, "Alarm", found)
    monkeypatch.setattr(pressure, "counted", lambda: True)
    return found


class Watched:
    """A neighbour in an indexer that always has work, and works whenever it may."""

    def __init__(self, machine: Machine, indexing: Indexing) -> None:
        self.machine = machine
        self.said: list[str | None] = []
        self.neighbour = Neighbour(
            indexing,
            busy=lambda: machine.at_work,
            wanted=lambda: True,
            changed=self._changed,
        )
        machine.at_work = True

    def _changed(self) -> None:
        self.said.append(self.neighbour.waits)
        self.machine.at_work = self.neighbour.waits is None


async def test_it_pauses_while_others_use_the_disk_and_says_so(
    machine: Machine, autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    watched = Watched(machine, Indexing(budget=Budget.BACKGROUND))
    nursery.start_soon(watched.neighbour.run)
    await trio.sleep(60)
    assert watched.said == []
    machine.others = 0.43
    await trio.sleep(10)
    assert watched.neighbour.waits == "the disk is busy (I/O pressure 43%)"
    machine.others = 0.0
    await trio.sleep(10)
    assert watched.neighbour.waits is None


async def test_it_does_not_take_its_own_work_for_that_of_others(
    machine: Machine, autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    watched = Watched(machine, Indexing(budget=Budget.BACKGROUND))
    machine.ours = 0.9
    nursery.start_soon(watched.neighbour.run)
    idle = 0
    for _ in range(36_000):
        await trio.sleep(0.1)
        idle += not machine.at_work
    assert not any(said and "busy" in said for said in watched.said)
    assert idle < 0.05 * 36_000  # what finding out cost in an hour
    machine.others = 0.5  # and it still finds out
    await trio.sleep(2 * neighbour.TRIALS_S)
    assert watched.neighbour.waits == "the disk is busy (I/O pressure 50%)"


async def test_full_steam_heeds_nobody(
    machine: Machine, autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    watched = Watched(machine, Indexing(budget=Budget.FULL))
    machine.others = 1.0
    nursery.start_soon(watched.neighbour.run)
    await trio.sleep(300)
    assert not any(watched.said[-1:])


async def test_a_change_of_the_budget_counts_at_once(
    machine: Machine, autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    watched = Watched(machine, Indexing(budget=Budget.BACKGROUND))
    machine.others = 0.4
    nursery.start_soon(watched.neighbour.run)
    await trio.sleep(10)
    assert watched.neighbour.waits
    watched.neighbour.use(Indexing(budget=Budget.FULL))
    await trio.sleep(10)
    assert watched.neighbour.waits is None


async def test_in_quiet_hours_it_rests_and_says_until_when(nursery: trio.Nursery) -> None:
    now = datetime.now()  # noqa: DTZ005 -- the owner's clock
    span = Span((now.hour * 60 + now.minute - 5) % 1440, (now.hour * 60 + now.minute + 60) % 1440)
    resting = Neighbour(
        Indexing(quiet=Quiet((span,))), busy=bool, wanted=lambda: True, changed=lambda: None
    )
    nursery.start_soon(resting.run)
    await trio.testing.wait_all_tasks_blocked()
    end = {f"quiet hours until {now + timedelta(minutes=m):%H:%M}" for m in (60, 61)}
    assert resting.waits in end
    resting.use(Indexing())
    await trio.testing.wait_all_tasks_blocked()
    assert resting.waits is None


async def test_it_steps_back_while_somebody_searches(
    machine: Machine, autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    watched = Watched(machine, Indexing(budget=Budget.BACKGROUND))
    nursery.start_soon(watched.neighbour.run)
    await trio.sleep(1)
    watched.neighbour.searching()
    await trio.sleep(1)
    assert watched.neighbour.waits == "somebody is searching"
    await trio.sleep(neighbour.SEARCH_S)
    assert watched.neighbour.waits is None


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (Level(io=0.1, memory=0.01, cpu=0.4), None),
        (Level(io=0.9, memory=0.06), "memory is short (pressure 6%)"),
        (Level(io=0.2), "the disk is busy (I/O pressure 20%)"),
        (Level(cpu=0.72), "the processor is busy (72%)"),
    ],
)
def test_each_reason_has_its_words(level: Level, said: str | None) -> None:
    assert reason(level, BACKGROUND) == said


async def test_the_kernel_s_own_counters_move_with_work() -> None:
    before = pressure.reading()
    until = trio.current_time() + 0.5
    while trio.current_time() < until:
        pass
    level = pressure.reading().since(before)
    assert 0 < level.cpu <= 1
    assert 0 <= level.io <= 1


async def test_an_alarm_goes_off_under_pressure_or_by_the_clock() -> None:
    # One microsecond of waiting in two seconds would do; a machine without pressure files answers by the clock.
    with pressure.Alarm({"cpu": 0.001}) as alarm, trio.fail_after(30):
        async with trio.open_nursery() as nursery:

            async def work() -> None:
                while True:
                    await trio.to_thread.run_sync(sum, range(300_000), abandon_on_cancel=True)

            for _ in range(6):
                nursery.start_soon(work)
            await alarm.wait()
            nursery.cancel_scope.cancel()
