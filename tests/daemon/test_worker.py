"""Worker processes: what they answer, what they may, how they die."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import trio
from blake3 import blake3
from PIL import Image

from havend import confine
from havend.pool import Settings, Worker, WorkerDiedError
from havend.protocol import (
    ANSWERS,
    LENGTH,
    Bad,
    Encoded,
    EncodeText,
    Found,
    Gone,
    Identified,
    Identify,
    Look,
    Ready,
    frame,
)
from havenfs.config import State
from havenfs.entities import Kind, Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    async with Worker(Settings(state=State(root=tmp_path / "state"))) as worker:
        yield worker


def photo(path: Path, size: tuple[int, int] = (640, 480)) -> Path:
    Image.linear_gradient("L").resize(size).convert("RGB").save(path)
    return path


def look(path: Path, *stages: Stage, mime: str = "image/jpeg") -> Look:
    return Look(
        path=bytes(path),
        relative=os.fsencode(path.name),
        kind=Kind.PHOTO,
        mime=mime,
        mtime_ns=path.stat().st_mtime_ns,
        stages=frozenset(stages),
    )


async def test_a_worker_hashes_looks_and_goes_on_after_bad_files(
    worker: Worker, tmp_path: Path
) -> None:
    path = photo(tmp_path / "a.jpg")
    answer = await worker.ask(Identify(bytes(path)), timeout_s=30)
    assert isinstance(answer, Identified)
    assert answer.identity.hash == blake3(path.read_bytes()).digest()
    assert isinstance(await worker.ask(Identify(bytes(tmp_path / "none.jpg")), timeout_s=30), Gone)
    assert isinstance(await worker.ask(Identify(bytes(tmp_path)), timeout_s=30), Bad)
    pid = worker.pid
    answer = await worker.ask(look(path, Stage.METADATA, Stage.PREVIEW, Stage.EMBED), timeout_s=60)
    assert isinstance(answer, Found)
    found = answer.findings
    assert not found.failed
    assert found.preview is not None
    assert found.preview.small[:4] == b"RIFF"
    (embedding,) = found.embeddings
    assert np.linalg.norm(np.frombuffer(embedding.vector, "<f4")) == pytest.approx(1, abs=1e-3)
    assert worker.pid == pid


async def test_a_text_is_embedded_by_the_same_model(worker: Worker) -> None:
    answer = await worker.ask(EncodeText("a dog on a beach"), timeout_s=60)
    assert isinstance(answer, Encoded)
    assert answer.model.startswith("mini-clip@")


async def test_a_killed_worker_is_named_and_replaced(worker: Worker, tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg")
    await worker.ask(Identify(bytes(path)), timeout_s=30)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match="SIGKILL"):
        await worker.ask(Identify(bytes(path)), timeout_s=30)
    assert isinstance(await worker.ask(Identify(bytes(path)), timeout_s=30), Identified)


async def test_a_worker_that_hangs_is_killed_in_time(worker: Worker, tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg")
    await worker.ask(Identify(bytes(path)), timeout_s=30)
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(WorkerDiedError, match="took longer than 1 s"):
        await worker.ask(Identify(bytes(path)), timeout_s=1)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_cancelled_question_leaves_no_process_behind(
    worker: Worker, tmp_path: Path
) -> None:
    path = photo(tmp_path / "a.jpg")
    await worker.ask(Identify(bytes(path)), timeout_s=30)
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with trio.move_on_after(0.2):
        await worker.ask(Identify(bytes(path)), timeout_s=30)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_picture_that_wants_too_much_memory_fails_alone(tmp_path: Path) -> None:
    huge = tmp_path / "huge.png"
    Image.new("RGB", (7500, 6000)).save(huge, compress_level=1)  # 135 MB of pixels
    small = photo(tmp_path / "small.jpg")
    settings = Settings(state=State(root=tmp_path), memory=210 << 20)
    async with Worker(settings) as worker:
        before = await worker.ask(look(small, Stage.PREVIEW), timeout_s=60)
        assert isinstance(before, Found)
        assert before.findings.preview is not None
        answer = await worker.ask(look(huge, Stage.PREVIEW, mime="image/png"), timeout_s=60)
        reason = answer.reason if isinstance(answer, Bad) else ""
        if isinstance(answer, Found):
            reason = answer.findings.failed[Stage.PREVIEW]
        assert "memory" in reason
        after = await worker.ask(look(small, Stage.PREVIEW), timeout_s=60)
        assert isinstance(after, Found)
        assert after.findings.preview is not None


PROBE = """
import json, os, resource, socket, sys
from havend import confine
confine.confine(int(sys.argv[1]))
names = [name for _, name in socket.if_nameindex()]
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[2])), 1)
    reached = True
except OSError:
    reached = False
with open("/proc/self/status") as status:
    fresh = [line.split()[1] for line in status if line.startswith("NoNewPrivs")]
print(json.dumps([os.nice(0), resource.getrlimit(resource.RLIMIT_CORE)[0],
                  resource.getrlimit(resource.RLIMIT_DATA)[0], fresh, reached]))
"""


def test_a_confined_process_has_little_and_reaches_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-c", PROBE, str(os.getpid()), str(port)],
            capture_output=True,
            check=True,
            timeout=30,
        )
    nice, core, data, fresh, reached = __import__("json").loads(done.stdout)
    assert nice >= 10
    assert (core, data, fresh) == (0, confine.MEMORY, ["1"])
    # Some containers forbid name spaces; there the process says so.
    assert not reached or b"network" in done.stderr


def test_a_worker_prints_nothing_but_answers_and_ends_with_its_input(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "havend.worker"),
            *("--state", str(tmp_path), "--parent", str(os.getpid())),
        ],
        input=frame(Identify(bytes(path))),
        capture_output=True,
        check=True,
        timeout=60,
    )
    answers = []
    rest = done.stdout
    while rest:
        (length,) = LENGTH.unpack(rest[:4])
        answers.append(ANSWERS.decode(rest[4 : 4 + length]))
        rest = rest[4 + length :]
    assert [type(a) for a in answers] == [Ready, Identified]


def test_a_request_of_absurd_length_ends_the_worker(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "havend.worker"),
            *("--state", str(tmp_path), "--parent", str(os.getpid())),
        ],
        input=struct.pack("!I", 1 << 31),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0


def test_a_worker_whose_parent_is_gone_does_not_start(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "havend.worker"),
            *("--state", str(tmp_path), "--parent", "1"),
        ],
        input=b"",
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == b""
