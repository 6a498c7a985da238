"""What `havenfs up` says when everything runs; that it runs is in tests/e2e/test_up.py."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import pytest

from havend import up
from havenfs import owner
from havenfs.config import State

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(root=tmp_path)


def test_a_terminal_is_shown_the_link_that_opens_the_page(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, terminal = os.openpty()
    with os.fdopen(terminal, "w") as shown:
        monkeypatch.setattr(sys, "stdout", shown)
        said = up._banner(state, state.root / "mnt", "127.0.0.1:8440")
    assert f"http://127.0.0.1:8440/?key={owner.read(state.owner_key)}\n" in said


def test_what_may_be_a_log_is_told_how_to_get_it(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    said = up._banner(state, state.root / "mnt", "127.0.0.1:9000")
    assert "  http://127.0.0.1:9000/\n" in said
    assert f"web --state {state.root} --link --http 127.0.0.1:9000" in said
    assert "key=" not in said
