"""A Debian package is built from its source inside `files/`: a compiler, make, tar, patches and executable files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.fuse

FETCHED = Path(__file__).parents[3] / ".cache/debian-source"  # `make test` brings it


@pytest.fixture(scope="session")
def on_the_disk(run: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What comes out on the disk."""
    return built(run, tmp_path_factory.mktemp("debian"))


def built(run: Any, where: Path) -> str:
    """Unpack, patch, compile and pack; the contents of the package and the checksum of its program."""
    (description,) = FETCHED.glob("tree_*.dsc")
    source = where / "tree"
    run("dpkg-source", "--extract", description, source)
    run("dpkg-buildpackage", "--build=binary", "--no-sign", cwd=source, seconds=110)
    (package,) = where.glob("tree_*.deb")
    return run("dpkg-deb", "--contents", package) + run("sha256sum", "tree", cwd=source)


def test_a_source_package_builds_as_it_does_on_the_disk(place: Any, run: Any, on_the_disk: str):
    assert built(run, place.files) == on_the_disk
    program = place.files / "tree/tree"
    assert run(program, "-aixn", cwd=place.files) == run(program, "-aixn", cwd=place.disk)
