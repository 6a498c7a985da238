"""A repository lives in `files/`: git renames, links, locks and maps files, and checks every byte that it gets back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.fuse

ENVIRONMENT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory, run: Any) -> Path:
    """A repository of 300 files in 30 folders and three commits, on the disk."""
    root = tmp_path_factory.mktemp("upstream")
    git(run, root, "init", "--initial-branch=main")
    for version in range(3):
        for number in range(300):
            path = root / f"folder {number % 30}/file {number}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{number} {version if number % 3 == version else ''}\n" * number)
        (root / "link").unlink(missing_ok=True)
        (root / "link").symlink_to(f"folder 0/file {version * 30}.txt")
        (root / "program").write_text(f"#!/bin/sh\necho {version}\n")
        (root / "program").chmod(0o755)
        git(run, root, "add", "--all")
        git(run, root, "commit", "--message", f"version {version}")
    return root


def git(run: Any, where: Path, *arguments: str) -> str:
    return run("git", "-C", where, *arguments, env=ENVIRONMENT)


def test_a_clone_is_whole_and_can_be_worked_in(place: Any, run: Any, upstream: Path):
    clone = place.files / "clone"
    run("git", "clone", "--no-local", upstream, clone, env=ENVIRONMENT)
    git(run, clone, "fsck", "--full", "--strict")
    assert git(run, clone, "status", "--porcelain") == ""
    assert run(clone / "program") == "2\n"

    git(run, clone, "checkout", "-b", "work", "HEAD~2")
    assert run(clone / "program") == "0\n"
    (clone / "folder 1/file 1.txt").write_text("changed here\n")
    git(run, clone, "mv", "folder 2", "folder two")
    git(run, clone, "commit", "--all", "--message", "work")
    git(run, clone, "rebase", "main")
    git(run, clone, "gc", "--aggressive", "--prune=now")
    git(run, clone, "repack", "-adf")
    git(run, clone, "fsck", "--full", "--strict")
    assert git(run, clone, "status", "--porcelain") == ""
    git(run, place.disk / "clone", "fsck", "--full", "--strict")
    assert git(run, place.disk / "clone", "status", "--porcelain") == ""

    git(run, clone, "worktree", "add", place.files / "tree", "main")
    assert run("diff", "-r", "--exclude=.git", upstream, place.files / "tree") == ""
