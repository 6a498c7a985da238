"""Programs written to break file systems: stress-ng's stressors, fs_mark and dbench, all in `files/`."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

pytestmark = pytest.mark.fuse

# Left out: what tests the kernel around a file system (binderfs, eventfd, inotify, procfs, sync of the whole machine),
# what wanders over every mount of the machine (getdent), and what needs an ioctl of ext4's own (chattr, inode-flags,
# fiemap, verity): see ARCHITECTURE.md.
# Not link: over direct it has met ENOENT, once in four runs and never alone. Hard links are also tried by rsync, the state
# machine and, outside CI, pjdfstest.
NAMES = (
    "access", "chdir", "chmod", "chown", "dentry", "dir", "dirdeep", "dirmany", "filename", "fstat",
    "mknod", "open", "rename", "symlink", "touch", "utime", "xattr",
)  # fmt: skip
# Not fsize: what a process may allocate (RLIMIT_FSIZE) is not ours to see in fallocate; see ARCHITECTURE.md.
BYTES = (
    "copy-file", "fallocate", "fcntl", "fpunch", "hdd", "iomix", "mmap", "readahead", "seek", "sendfile",
    "sync-file",
)  # fmt: skip
LOCKS = ("flock", "locka", "lockf", "lockofd")


@pytest.mark.parametrize(
    ("stressors", "seconds", "options"),
    [
        # What they make they must remove again, which --timeout does not count.
        (NAMES, 2, ("--dentries", 500, "--chdir-dirs", 200, "--dirdeep-inodes", 1000)),
        (
            BYTES,
            2,
            ("--mmap-file", "--mmap-bytes", "8m", "--hdd-bytes", "16m", "--iomix-bytes", "16m"),
        ),
        (LOCKS, 2, ()),
    ],
    ids=["names", "bytes", "locks"],
)
def test_stressors_that_verify_what_they_read_find_nothing_wrong(
    place: Any, run: Any, stressors: tuple[str, ...], seconds: int, options: tuple[Any, ...]
):
    output = run(
        "stress-ng", "--temp-path", place.files, "--verify", "--timeout", seconds, "--timestamp",
        *(part for name in stressors for part in (f"--{name}", 1)),
        *options,
        seconds=110,
        cwd=place.files,
    )  # fmt: skip
    assert "successful run completed" in output
    assert not re.search(r"fail:|skip", output), output
    assert os.listdir(place.disk) == []


def test_fs_mark_writes_and_syncs_small_files(place: Any, run: Any):
    (place.files / "here").mkdir()
    output = run(
        "fs_mark", "-d", "here", "-n", 400, "-s", 10_000, "-S", 5, "-D", 8, "-k", "-t", 2,
        "-l", place.disk.parent / "fs_mark.log",
        cwd=place.files,  # it takes paths of at most 40 bytes
    )  # fmt: skip
    assert "Files/sec" in output
    found = [path for path in place.disk.rglob("*") if path.is_file()]
    assert len(found) == 800
    assert {path.stat().st_size for path in found} == {10_000}


def test_dbench_plays_an_office_of_clients(place: Any, run: Any):
    output = run(
        "dbench", "--directory", place.files, "--loadfile", "/usr/share/dbench/client.txt",
        "--timelimit", 4, "--xattr", 4,
    )  # fmt: skip
    assert re.search(r"^Throughput [0-9.]+ MB/sec", output, re.MULTILINE), output
    ours = output.replace(
        "failed to create barrier semaphore", ""
    )  # its own, in the kernel's memory
    assert not re.search("error|fail", ours, re.IGNORECASE), output
