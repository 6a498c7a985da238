"""Previews: kept by content, replaced, missing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from havenfs.catalog.thumbnails import Thumbnails
from havenfs.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path


def test_a_preview_is_found_by_content_and_size_from_any_thread(tmp_path: Path) -> None:
    with Thumbnails(tmp_path / "thumbnails.db") as thumbnails:
        thumbnails.put(b"1" * 32, b"small", b"large")
        thumbnails.put(b"1" * 32, b"small2", b"large2")
        with ThreadPoolExecutor(2) as threads:
            assert threads.submit(thumbnails.get, b"1" * 32, 256).result() == b"small2"
            assert threads.submit(thumbnails.get, b"1" * 32, 1440).result() == b"large2"


def test_an_unknown_content_has_no_preview(tmp_path: Path) -> None:
    with Thumbnails(tmp_path / "thumbnails.db") as thumbnails:
        thumbnails.put(b"1" * 32, b"small", b"large")
        thumbnails.remove(b"1" * 32)
        with pytest.raises(NotFound):
            thumbnails.get(b"1" * 32, 256)


def test_a_batch_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with Thumbnails(tmp_path / "thumbnails.db") as thumbnails:
        with pytest.raises(TypeError):
            thumbnails.put_all([(b"1", b"s", b"l", None), (b"2", object(), b"l", None)])  # pyright: ignore[reportArgumentType]
        with pytest.raises(NotFound):
            thumbnails.get(b"1", 256)
