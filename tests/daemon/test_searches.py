"""The searches of the mount: there when somebody searches, not loaded before."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from havend.searches import LateSearcher

PROGRAM = """
import sys
from pathlib import Path
from havend import session
from havenfs.config import State
with session.opened(State(root=Path(sys.argv[1])), Path(sys.argv[2])) as operations:
    date = operations.lookup(1, b"by-date").nodeid
    assert list(operations.listing(date).entries)
print(*sorted({"numpy", "PIL", "onnxruntime", "havenfs.models.registry"} & set(sys.modules)))
"""


def test_a_mount_in_which_nobody_searches_loads_neither_numpy_nor_models(
    household: Any, tmp_path: Any
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, household.state.root, tmp_path / "point"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


def test_the_first_search_answers_like_any_other(household: Any) -> None:
    searcher = LateSearcher(household.catalog, household.state)
    first = searcher.search("invoice", limit=10)
    assert first.hits
    assert searcher.search("invoice", limit=10).hits == first.hits
