"""Which disks sleep: told from counters that stand still, through partitions and mappings, without touching a disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from havend import disks
from havend.disks import Disks

if TYPE_CHECKING:
    from pathlib import Path


class Sys:
    """A machine's /sys/dev/block: a disk with one partition, and a mapping over it."""

    def __init__(self, directory: Path) -> None:
        self.numbers = directory / "dev"
        self.disk = directory / "block" / "sda"
        (self.disk / "queue").mkdir(parents=True)
        (self.disk / "sda1").mkdir()
        (self.disk / "sda1/partition").write_text("1\n")
        mapping = directory / "block" / "dm-0"
        (mapping / "slaves").mkdir(parents=True)
        (mapping / "slaves/sda1").symlink_to(self.disk / "sda1")
        self.numbers.mkdir()
        (self.numbers / "8:0").symlink_to(self.disk)
        (self.numbers / "8:1").symlink_to(self.disk / "sda1")
        (self.numbers / "254:0").symlink_to(mapping)
        self.rotational(True)
        self.count(1)

    def rotational(self, yes: bool) -> None:
        (self.disk / "queue/rotational").write_text(f"{int(yes)}\n")

    def count(self, reads: int) -> None:
        (self.disk / "stat").write_text(f"   {reads} 0 8 1 2 3 4 5 6 7\n")


@pytest.fixture
def system(tmp_path: Path) -> Sys:
    return Sys(tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(disks.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("device", [(8, 0), (8, 1), (254, 0)])
def test_a_disk_whose_counters_stand_still_sleeps_until_they_move(
    system: Sys, clock: list[float], device: tuple[int, int]
) -> None:
    found = Disks(system.numbers)
    number = os.makedev(*device)
    assert not found.asleep(b"/photos", number)
    clock[0] += disks.STILL_S - 1
    assert not found.asleep(b"/photos", number)
    clock[0] += 1
    assert found.asleep(b"/photos", number)
    system.count(2)
    assert not found.asleep(b"/photos", number)


def test_one_that_the_kernel_has_suspended_sleeps_at_once(system: Sys, clock: list[float]) -> None:
    (system.disk / "device/power").mkdir(parents=True)
    (system.disk / "device/power/runtime_status").write_text("suspended\n")
    assert Disks(system.numbers).asleep(b"/photos", os.makedev(8, 1))


def test_flash_and_disks_that_the_kernel_does_not_tell_of_never_sleep(
    system: Sys, clock: list[float]
) -> None:
    system.rotational(False)
    found = Disks(system.numbers)
    for number in (os.makedev(8, 1), os.makedev(0, 77), os.makedev(9, 9)):
        found.asleep(b"/nowhere", number)
        clock[0] += 10 * disks.STILL_S
        assert not found.asleep(b"/nowhere", number)


def test_this_machine_s_own_disks_are_found(tmp_path: Path) -> None:
    assert Disks().asleep(bytes(tmp_path), tmp_path.stat().st_dev) in (True, False)
