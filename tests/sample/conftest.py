"""One small sample library for all tests of this folder, drawn once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from havenfs.sample import library

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.sample.truth import Truth

PHOTOS = 40


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sample") / "library"


@pytest.fixture(scope="session")
def told() -> list[tuple[int, int]]:
    """What the drawing reported about its progress."""
    return []


@pytest.fixture(scope="session")
def drawn(directory: Path, told: list[tuple[int, int]]) -> Truth:
    return library.write(
        directory, photos=PHOTOS, seed=7, progress=lambda done, total: told.append((done, total))
    )
