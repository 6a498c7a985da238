from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from havend import checks
from havenfs.config import SourceConfig, State
from havenfs.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> State:
    return checks.state(tmp_path / "state")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    directory = tmp_path / "photos"
    directory.mkdir()
    return directory


def test_a_state_directory_is_made_for_its_owner_alone(tmp_path: Path):
    made = checks.state(tmp_path / "deep" / "state")
    assert made.root.stat().st_mode & 0o777 == 0o700


def test_a_missing_source_is_told_with_its_path(tmp_path: Path, state: State):
    with pytest.raises(ConfigError, match="nowhere does not exist"):
        checks.sources([tmp_path / "nowhere"], state)


def test_a_source_that_is_a_file_is_refused(tmp_path: Path, state: State):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="is not a folder"):
        checks.sources([tmp_path / "file"], state)


def test_overlapping_sources_are_refused_either_way_round(photos: Path, state: State):
    inner = photos / "2019"
    inner.mkdir()
    for order in ([photos, inner], [inner, photos]):
        with pytest.raises(ConfigError, match="overlap"):
            checks.sources(order, state)


def test_sources_that_share_only_a_prefix_of_their_names_do_not_overlap(
    tmp_path: Path, state: State
):
    for name in ("a", "ab"):
        (tmp_path / name).mkdir()
    assert [s.name for s in checks.sources([tmp_path / "a", tmp_path / "ab"], state)] == ["a", "ab"]


def test_sources_of_the_same_name_get_different_folders(tmp_path: Path, state: State):
    roots = [tmp_path / "one" / "Photos", tmp_path / "two" / "photos"]
    for root in roots:
        root.mkdir(parents=True)
    assert [s.name for s in checks.sources(roots, state)] == ["Photos", "photos (2)"]


def test_a_state_directory_inside_a_source_is_refused_unless_it_is_hidden(photos: Path):
    with pytest.raises(ConfigError, match="lies inside the source"):
        checks.sources([photos], State(root=photos / "state"))
    assert checks.sources([photos], State(root=photos / ".state"))


def test_a_mount_point_is_made_when_only_its_last_part_is_missing(tmp_path: Path, state: State):
    assert checks.mountpoint(tmp_path / "mnt", (), state).is_dir()
    with pytest.raises(ConfigError, match="mkdir -p"):
        checks.mountpoint(tmp_path / "no" / "mnt", (), state)


def test_a_mount_point_that_is_not_empty_is_refused(photos: Path, state: State):
    (photos / "a.jpg").touch()
    with pytest.raises(ConfigError, match="not empty"):
        checks.mountpoint(photos, (), state)


def test_a_mount_point_and_a_source_may_not_contain_each_other(photos: Path, state: State):
    source = SourceConfig(name="photos", root=photos)
    for path in (photos, photos / "mnt", photos.parent):
        with pytest.raises(ConfigError, match="overlap"):
            checks.mountpoint(path, (source,), state)


def test_a_place_where_something_is_mounted_is_refused(state: State):
    with pytest.raises(ConfigError, match="mounted at /proc already"):
        checks.mountpoint(checks.Path("/proc"), (), state)


def test_a_path_is_found_without_touching_it(tmp_path: Path):
    assert not checks.listed(tmp_path / "a")
    os.symlink("nowhere", tmp_path / "a")
    assert checks.listed(tmp_path / "a")


def test_writable_sources_are_marked_and_mix_with_others(tmp_path: Path, state: State):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    found = checks.sources([tmp_path / "a"], state, writable=[tmp_path / "b", tmp_path / "c"])
    assert [(s.name, s.writable) for s in found] == [("a", False), ("b", True), ("c", True)]


def test_a_writable_source_may_not_overlap_with_a_read_only_one(photos: Path, state: State):
    (photos / "2019").mkdir()
    with pytest.raises(ConfigError, match="overlap"):
        checks.sources([photos], state, writable=[photos / "2019"])
    with pytest.raises(ConfigError, match="given twice"):
        checks.sources([photos], state, writable=[photos])


def test_at_least_one_folder_must_be_named(state: State):
    with pytest.raises(ConfigError, match="--source DIR"):
        checks.sources([], state)
