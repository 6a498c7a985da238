"""Sources: configured, renamed, moved, away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from havenfs.catalog import Catalog, sources
from havenfs.config import SourceConfig
from havenfs.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "catalog.db")


def configure(catalog: Catalog, **roots: Path):
    return catalog.write(
        sources.configure, [SourceConfig(name=name, root=root) for name, root in roots.items()]
    )


def test_sources_that_swap_their_names_keep_their_files(catalog: Catalog, tmp_path: Path) -> None:
    one, two = configure(catalog, a=tmp_path / "1", b=tmp_path / "2")
    again = configure(catalog, b=tmp_path / "1", a=tmp_path / "2")
    assert [(s.id, s.name) for s in again] == [(one.id, "b"), (two.id, "a")]


def test_a_source_whose_directory_moved_is_the_same_source(
    catalog: Catalog, tmp_path: Path
) -> None:
    (before,) = configure(catalog, a=tmp_path / "old")
    (after,) = configure(catalog, a=tmp_path / "new")
    assert after.id == before.id
    assert after.root == bytes(tmp_path / "new")


def test_a_source_that_is_not_configured_any_more_is_hidden_and_its_name_is_free(
    catalog: Catalog, tmp_path: Path
) -> None:
    (old,) = configure(catalog, a=tmp_path / "1")
    (new,) = configure(catalog, a=tmp_path / "1")
    assert new.id == old.id
    configure(catalog, b=tmp_path / "2")
    assert [s.name for s in catalog.read(sources.present)] == ["b"]
    with pytest.raises(NotFound):
        catalog.read(sources.by_name, "a")
    (back,) = configure(catalog, a=tmp_path / "1")
    assert back.id == old.id


def test_a_disk_that_is_away_hides_its_source_until_it_returns(
    catalog: Catalog, tmp_path: Path
) -> None:
    (source,) = configure(catalog, a=tmp_path)
    catalog.write(sources.set_present, source.id, False)
    assert not catalog.read(sources.present)
    assert [s.name for s in catalog.read(sources.configured)] == ["a"]
    catalog.write(sources.set_present, source.id, True)
    assert catalog.read(sources.by_name, "a") == source
