"""Fixtures of several tests here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.daemon.desk import Desk


@pytest.fixture
def desk(workshop: Any) -> Desk:
    """On a library with one of everything."""
    return Desk(workshop)
