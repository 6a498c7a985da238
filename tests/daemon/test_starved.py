"""Who waits for a processor is given more time; who hangs is not."""

from __future__ import annotations

import os

from havend import starved
from havend.starved import QUEUED_S, Turns

BEGAN = Turns(ran_s=5.0, waited_s=2.0, runnable=False)


def test_what_was_waited_is_added_to_a_limit():
    slept = Turns(ran_s=5.1, waited_s=9.0, runnable=False)
    assert starved.credit(BEGAN, slept, given_s=0.0, most_s=1.0) == 7.0
    assert starved.credit(BEGAN, slept, given_s=7.0, most_s=1.0) == 7.0


def test_who_stands_in_the_queue_is_given_more_until_it_has_had_the_limit_of_a_processor():
    queued = Turns(ran_s=5.9, waited_s=2.0, runnable=True)
    assert starved.credit(BEGAN, queued, given_s=3.0, most_s=1.0) == 3.0 + QUEUED_S
    endless = Turns(ran_s=6.0, waited_s=2.0, runnable=True)
    assert starved.credit(BEGAN, endless, given_s=3.0, most_s=1.0) == 3.0


def test_who_sleeps_is_given_nothing_for_it():
    asleep = Turns(ran_s=5.0, waited_s=2.0, runnable=False)
    assert starved.credit(BEGAN, asleep, given_s=0.0, most_s=1.0) == 0.0


def test_the_scheduler_is_asked_for_a_process_and_those_below_it():
    mine = starved.turns(os.getpid())
    assert mine.runnable
    assert mine.ran_s > 0
    assert starved.turns(1 << 22) == Turns()  # beyond any pid
