"""A folder of `files/` that may be written, over each transport, and the same folder on the disk below."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from havenfs.catalog import Catalog, sources
from havenfs.config import SourceConfig, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Place:
    """An empty directory, seen from both sides."""

    files: Path
    """In the mount."""
    disk: Path
    """Where it really lies."""


class Run(Protocol):
    """Run a program that must succeed."""

    def __call__(
        self,
        *command: object,
        seconds: float = 60,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> str: ...


@pytest.fixture(scope="module")
def desk(serve: Any) -> Iterator[Place]:
    """A writable source, mounted once for all tests of a module."""
    if os.geteuid() != 0:
        pytest.fail("owners, devices and other people's rights can only be tested as root")
    # Not pytest's own directory, which nobody but root may enter: some tests are other people.
    room = Path(tempfile.mkdtemp(prefix="haven-posix-"))
    try:
        room.chmod(0o755)
        root = room / "desk"
        root.mkdir()
        state = State(root=room / "state")
        with Catalog(state.catalog) as catalog:
            catalog.write(sources.configure, [SourceConfig(name="desk", root=root, writable=True)])
        with serve(state.root, room / "mnt") as mount:
            yield Place(mount.point / "files/desk", root)
    finally:
        shutil.rmtree(room)


@pytest.fixture
def place(desk: Place) -> Iterator[Place]:
    """A directory of its own for a test; anybody may write in it."""
    name = tempfile.mkdtemp(dir=desk.disk, prefix="test-")
    made = Place(desk.files / Path(name).name, Path(name))
    made.disk.chmod(0o777)
    yield made
    shutil.rmtree(made.files)


@pytest.fixture(scope="session")
def run() -> Run:
    """`run("git", "fsck", cwd=…)`: its standard output; whatever it says on failure is the test's message."""
    return _run


def _run(
    *command: object,
    seconds: float = 60,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    process = subprocess.Popen(
        list(map(str, command)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="surrogateescape",
        env=env or {**os.environ, "LC_ALL": "C.UTF-8"},
        cwd=cwd,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # what it has started as well
        output, _ = process.communicate()
        pytest.fail(f"{command}: not done within {seconds} s\n{output[-4000:]}")
    assert process.returncode == 0, f"{command}: {process.returncode}\n{output[-4000:]}"
    return output
