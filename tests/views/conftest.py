"""The tree over the household, searched by words alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from havenfs.retrieval.search import Searcher
from havenfs.views import open_tree

if TYPE_CHECKING:
    from havenfs.views import Folder


@pytest.fixture
def tree(household: Any) -> Folder:
    """The root."""
    return open_tree(household.catalog, Searcher(household.catalog, None))
