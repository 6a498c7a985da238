"""The owner's key: made once, for the owner's eyes alone."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from havenfs import owner
from havenfs.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "owner.key"
    first = owner.key(path)
    assert len(first) == owner.LENGTH
    assert owner.key(path) == owner.read(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert owner.key(tmp_path / "other.key") != first


def test_programs_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as programs:
        found = list(programs.map(owner.key, [tmp_path / "owner.key"] * 64))
    assert len(set(found)) == 1
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 43, b"x" * 400])
def test_what_holds_no_key_opens_nothing_and_is_made_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "owner.key"
    path.write_bytes(content)
    path.chmod(0o600)
    assert owner.read(path) is None
    assert len(owner.key(path)) == owner.LENGTH
    assert owner.read(path) == owner.key(path)


def test_a_key_that_others_can_read_is_refused_and_the_words_say_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "owner.key"
    owner.key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="remove it, and a new one is made"):
        owner.read(path)
    path.unlink()
    assert owner.read(path) is None
    assert owner.key(path)


def test_the_link_is_the_pages_address_with_the_key(tmp_path: Path) -> None:
    path = tmp_path / "owner.key"
    assert owner.link("127.0.0.1:8440", path) == f"http://127.0.0.1:8440/?key={owner.key(path)}"


def test_a_state_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be made"):
        owner.key(tmp_path / "missing" / "owner.key")
