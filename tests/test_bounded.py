from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from havenfs.bounded import Bounded


def test_the_keys_that_were_set_last_stay() -> None:
    held: Bounded[str, int] = Bounded(3)
    for number, key in enumerate("abcad"):
        held[key] = number
    assert dict(held) == {"c": 2, "a": 3, "d": 4}
    held.pop("a")
    held["e"] = 5
    assert list(held) == ["c", "d", "e"]


def test_threads_that_set_and_drop_at_once_leave_no_more_than_may_be() -> None:
    held: Bounded[int, int] = Bounded(10)

    def work(start: int) -> None:
        for number in range(start, start + 20_000):
            held[number % 37] = number
            held.pop((number * 7) % 37, None)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert len(held) <= 10
