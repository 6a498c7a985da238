"""The main job as a newcomer meets it: one command, a folder, Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from havenfs.sample import library

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

pytestmark = pytest.mark.fuse


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sample") / "library"
    library.write(directory, photos=24, seed=3)
    return directory


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def up(sample: Path, tmp_path: Path) -> Generator[tuple[subprocess.Popen[str], Path, int]]:
    """`havenfs up` in a process of its own; ended, and its mount gone, whatever the test does."""
    mount = tmp_path / "mnt"
    port = free_port()
    output = (tmp_path / "output").open("w+")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "havend", "up", "--source", str(sample), "--mount", str(mount),
            "--state", str(tmp_path / "state"), "--http", f"127.0.0.1:{port}",
        ],
        stdout=output,
        stderr=output,
        text=True,
    )  # fmt: skip
    try:
        wait_for(
            lambda: (
                "HavenFS is up" in (tmp_path / "output").read_text() or process.poll() is not None
            )
        )
        assert process.poll() is None, (tmp_path / "output").read_text()
        yield process, mount, port
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if mount.exists() and os.path.ismount(mount):
            subprocess.run(["umount", "--lazy", mount], check=False)
        output.close()


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def test_one_command_mounts_a_folder_indexes_it_and_shows_the_page(sample: Path, tmp_path: Path):
    with up(sample, tmp_path) as (process, mount, port):
        assert {"by-date", "files", "places", "search", "types"} <= set(os.listdir(mount))
        wait_for(lambda: os.listdir(mount / "by-date") != [])
        wait_for(lambda: len(os.listdir(mount / "types" / "photos")) >= 24)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            assert "HavenFS" in page.read().decode()
        said = (tmp_path / "output").read_text()
        commands = re.findall(
            r"^  ((?:ls|cat|\S*havenfs) (?!models install).*)$", said, re.MULTILINE
        )
        assert len(commands) == 5
        for command in commands:
            assert subprocess.run(["sh", "-c", command], timeout=60).returncode == 0, command
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert not mount.exists(), "the mount point was made by us, so it goes with us"
    said = (tmp_path / "output").read_text()
    assert re.search(r"folder +" + re.escape(str(mount)), said)
    assert f"http://127.0.0.1:{port}/" in said
    assert "Traceback" not in (tmp_path / "output").read_text()


def test_who_has_the_link_takes_back_on_the_page_what_was_done_in_a_folder(
    sample: Path, tmp_path: Path
):
    with up(sample, tmp_path) as (_, mount, port):
        (mount / "albums" / "Summer").mkdir()
        link = subprocess.run(
            [
                sys.executable, "-m", "havend", "web", "--link", "--http", f"127.0.0.1:{port}",
                "--state", str(tmp_path / "state"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout.strip()  # fmt: skip
        page, key = link.split("?key=")
        assert key not in (tmp_path / "output").read_text(), "what is no terminal may be a log"
        assert "havenfs web" in (tmp_path / "output").read_text()
        with urllib.request.urlopen(f"{page}api/operations", timeout=30) as answer:
            (made,) = json.load(answer)["operations"]
        assert made["words"] == "made the album “Summer”"
        request = urllib.request.Request(
            f"{page}api/operations/{made['id']}/undo",
            data=b"",
            headers={"authorization": f"Bearer {key}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert json.load(answer)["words"] == "took back: made the album “Summer”"
        wait_for(lambda: not (mount / "albums" / "Summer").exists(), 5)


def test_a_second_one_on_the_same_mount_point_says_why_it_will_not_start(
    sample: Path, tmp_path: Path
):
    with up(sample, tmp_path) as (_, mount, _):
        second = subprocess.run(
            [
                sys.executable, "-m", "havend", "up", "--source", str(sample), "--mount", str(mount),
                "--state", str(tmp_path / "other"), "--no-http",
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )  # fmt: skip
    assert second.returncode == 2
    assert "mounted" in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_machine_without_fuse_is_told_how_to_get_it(sample: Path, tmp_path: Path):
    arguments = [
        "--source",
        sample,
        "--mount",
        tmp_path / "mnt",
        "--state",
        tmp_path / "state",
        "--no-http",
    ]
    result = subprocess.run(
        # In a mount name space of its own, where /dev is empty.
        [
            "unshare",
            "--mount",
            "sh",
            "-c",
            'mount -t tmpfs none /dev && exec "$@"',
            "sh",
            sys.executable,
            "-m",
            "havend",
            "up",
            *map(str, arguments),
        ],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("havenfs: /dev/fuse is missing. Load it with 'modprobe fuse'")
    assert result.stderr.count("\n") == 1


def test_a_program_that_is_killed_is_started_again(sample: Path, tmp_path: Path):
    with up(sample, tmp_path) as (process, mount, _):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        serving = next(
            int(p)
            for p in children
            if b"\0mount\0--state" in Path(f"/proc/{p}/cmdline").read_bytes()
        )
        os.kill(serving, signal.SIGKILL)

        def answers_again() -> bool:
            try:
                return "files" in os.listdir(mount)
            except OSError:
                return False

        wait_for(answers_again, 20)
