"""`python -m havenweb` as a process: ready, refused, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from havenfs import owner
from havenfs.errors import ConfigError
from havenweb.__main__ import listen

if TYPE_CHECKING:
    from pathlib import Path


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "havenweb", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(30)
        process = start(
            "--state", str(tmp_path / "state"), "--http", "127.0.0.1:0",
            NOTIFY_SOCKET=str(tmp_path / "notify"),
        )  # fmt: skip
        with process:
            assert process.stderr
            line = process.stderr.readline()
            assert "the page is at http://127.0.0.1:" in line
            assert b"READY=1" in notify.recv(100)
            with urllib.request.urlopen(line.split()[-1] + "api/status", timeout=20) as answer:
                assert answer.status == 200
            process.send_signal(number)
            assert process.wait(20) == 0
            assert process.stderr.read() == ""


def test_an_address_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with start("--state", str(tmp_path), "--http", address) as process:
            _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert errors.splitlines() == [
        f"web: ERROR --http {address}: is in use: end the program there or choose another port"
    ]


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:8440", "192.168.1.5:80", "[::]:80", ":80", "nas:80", "127.0.0.1", "127.0.0.1:99999"],
)
def test_an_address_that_is_not_loopback_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match=r"--http "):
        listen(address)


def test_answers_do_not_wait_for_the_other_end_to_acknowledge() -> None:
    with listen("127.0.0.1:0") as listener:
        assert (
            listener.proto == socket.IPPROTO_TCP
        )  # what asyncio looks at before it sets TCP_NODELAY


def test_loopback_in_every_spelling_is_served() -> None:
    for address in ("127.0.0.1:0", "localhost:0", "[::1]:0"):
        listen(address).close()


def test_more_than_a_decision_can_be_is_not_read(tmp_path: Path) -> None:
    with start("--state", str(tmp_path), "--http", "127.0.0.1:0") as process:
        assert process.stderr
        address = process.stderr.readline().split()[-1]
        key = owner.key(tmp_path / "owner.key")
        request = urllib.request.Request(
            f"{address}api/operations/{'0' * 16}/undo",
            data=b'{"rest": ' + b" " * 70_000 + b"true}",
            headers={"authorization": f"Bearer {key}"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        assert refused.value.code == 422
        assert "more than 65536 bytes" in refused.value.read().decode()
        process.terminate()
