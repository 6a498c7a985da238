"""Worker processes: what they answer, what they may, how they die."""

from __future__ import annotations

import json
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
from PIL import Image, ImageDraw

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
    NoModel,
    Ready,
    frame,
)
from havenfs.config import State
from havenfs.entities import Kind, ModelId, Stage
from havenfs.models import registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BUSY = "import ctypes; ctypes.CDLL(None).prctl(1, 9)\nwhile True: pass"
"""A process that wants a processor all the time, and ends with us."""


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    settings = Settings(state=State(root=tmp_path / "state"), readable=(bytes(tmp_path),))
    async with Worker(settings) as worker:
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
    model = registry.builtin()
    answer = await worker.ask(EncodeText("a dog on a beach", model.id), timeout_s=60)
    assert isinstance(answer, Encoded)
    assert answer.model == model.id


async def test_a_text_is_not_embedded_by_another_model_than_the_one_asked_for(
    worker: Worker,
) -> None:
    answer = await worker.ask(EncodeText("a dog", ModelId("gone@000000000000")), timeout_s=60)
    assert isinstance(answer, NoModel)


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


async def test_a_worker_that_gets_no_processor_is_not_taken_for_one_that_hangs(
    worker: Worker, tmp_path: Path
) -> None:
    path = photo(tmp_path / "a.jpg", (4000, 3000))
    await worker.ask(look(path, Stage.PREVIEW), timeout_s=60)
    assert worker.pid is not None
    alone = {min(os.sched_getaffinity(0))}
    os.sched_setaffinity(worker.pid, alone)
    busy = [
        subprocess.Popen([sys.executable, "-c", BUSY], preexec_fn=lambda: os.sched_setaffinity(0, alone))
        for _ in range(3)
    ]  # fmt: skip
    try:
        began = trio.current_time()
        answer = await worker.ask(look(path, Stage.PREVIEW), timeout_s=0.5)
        took = trio.current_time() - began
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert isinstance(answer, Found)
    assert took > 0.5, "the others were not busy enough"


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
    settings = Settings(state=State(root=tmp_path), readable=(bytes(tmp_path),), memory=210 << 20)
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
    nice, core, data, fresh, reached = json.loads(done.stdout)
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
            *("--readable", str(tmp_path)),
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


ATTACK = """
import ctypes, json, os, signal, socket, subprocess, sys
from pathlib import Path
from havend import confine
state, originals, outside, scratch, port = (Path(a) for a in sys.argv[2:7])
walls = confine.confine(int(sys.argv[1]), readable=[bytes(originals)], scratch=scratch)
libc = ctypes.CDLL(None, use_errno=True)

def syscall(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "")

def memory():
    keep = []
    while True:
        keep.append(bytearray(64 << 20))

original = originals / "a.jpg"
tries = {
    "read an original": lambda: original.read_bytes(),
    "list the originals": lambda: os.listdir(originals),
    "write a file of its own": lambda: (scratch / "x").write_bytes(b"x"),
    "make and remove a directory of its own": lambda: ((scratch / "d").mkdir(), (scratch / "d").rmdir()),
    "start tesseract": lambda: subprocess.run(["tesseract", "--version"], check=True, capture_output=True),
    "start a thread": lambda: __import__("threading").Thread(target=int).start(),
    "load numpy and onnxruntime": lambda: __import__("onnxruntime"),
    "change an original": lambda: open(original, "r+b"),
    "cut an original": lambda: os.truncate(original, 0),
    "remove an original": lambda: original.unlink(),
    "rename an original": lambda: original.rename(originals / "b.jpg"),
    "take an original away": lambda: original.rename(scratch / "b.jpg"),
    "add to the originals": lambda: (originals / "new").write_bytes(b""),
    "link an original": lambda: os.link(original, scratch / "linked"),
    "change a mode": lambda: original.chmod(0),
    "change a time": lambda: os.utime(original, (0, 0)),
    "change an owner": lambda: os.chown(original, 1, 1),
    "set an attribute": lambda: os.setxattr(original, "user.x", b"x"),
    "write to the state directory": lambda: (state / "catalog.db").open("wb"),
    "read the state directory": lambda: (state / "secret").read_bytes(),
    "read elsewhere": lambda: (outside / "secret").read_bytes(),
    "list elsewhere": lambda: os.listdir(outside),
    "read /etc/shadow": lambda: open("/etc/shadow").read(),
    "write to /tmp": lambda: open("/tmp/havenfs-attack", "w"),
    "write to /proc": lambda: open("/proc/sys/kernel/hostname", "w"),
    "start a shell": lambda: subprocess.run(["/bin/sh", "-c", "true"], check=True),
    "start what it wrote": lambda: (
        (scratch / "program").write_bytes(Path("/bin/true").read_bytes()),
        os.execv(scratch / "program", ["program"]),
    ),
    "open a socket": lambda: socket.create_connection(("127.0.0.1", int(str(port))), 1),
    "open a unix socket": lambda: socket.socket(socket.AF_UNIX),
    "trace its parent": lambda: syscall(101, 16, os.getppid(), 0, 0),
    "read its parent's memory": lambda: open(f"/proc/{os.getppid()}/mem", "rb"),
    "read its parent's environment": lambda: open(f"/proc/{os.getppid()}/environ", "rb").read(),
    "signal its parent": lambda: os.kill(os.getppid(), signal.SIGCONT),
    "mount": lambda: syscall(165, b"none", b"/tmp", b"tmpfs", 0, 0),
    "have a name space of its own": lambda: syscall(272, 0x10000000),
    "clone into a name space": lambda: syscall(56, 0x10000000 | 17, 0, 0, 0, 0),
    "load a program into the kernel": lambda: syscall(321, 0, 0, 0),
    "use io_uring": lambda: syscall(425, 1, 0),
    "keep a key": lambda: syscall(250, 0, -1, 0),
    "handle faults": lambda: syscall(323, 0),
    "make a device": lambda: os.mknod(scratch / "device", 0o20600, os.makedev(1, 1)),
    "become more": lambda: os.setgroups([0]),
    "take all memory": memory,
}
done = {}
for name, what in tries.items():
    try:
        what()
        done[name] = True
    except (OSError, MemoryError, subprocess.SubprocessError) as error:
        done[name] = False
print(json.dumps([walls, done]))
"""

MAY = {
    "read an original",
    "list the originals",
    "write a file of its own",
    "make and remove a directory of its own",
    "start tesseract",
    "start a thread",
    "load numpy and onnxruntime",
}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the attack's numbers are of x86-64")
def test_a_decoder_that_was_taken_over_can_read_the_originals_and_nothing_else(
    tmp_path: Path,
) -> None:
    for name in ("state", "originals", "outside", "scratch"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "secret").write_text("x")
    original = photo(tmp_path / "originals/a.jpg")
    before = original.read_bytes(), original.stat()
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = subprocess.run(
            [
                *(sys.executable, "-c", ATTACK, str(os.getpid())),
                *(str(tmp_path / n) for n in ("state", "originals", "outside", "scratch")),
                str(server.getsockname()[1]),
            ],
            capture_output=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr.decode()
    walls, could = json.loads(done.stdout)
    assert walls == []  # this kernel has everything
    assert {name for name, did in could.items() if did} == MAY
    assert len(could) > 40
    after = original.stat()
    assert (original.read_bytes(), after.st_mtime_ns, after.st_mode) == (
        before[0],
        before[1].st_mtime_ns,
        before[1].st_mode,
    )


async def test_a_worker_reads_words_inside_its_walls(tmp_path: Path) -> None:
    page = Image.new("RGB", (900, 300), "white")
    ImageDraw.Draw(page).text((40, 100), "Invoice for three badgers", fill=0, font_size=48)
    page.save(tmp_path / "a.png")
    settings = Settings(state=State(root=tmp_path / "state"), readable=(bytes(tmp_path),))
    async with Worker(settings) as worker:
        answer = await worker.ask(
            look(tmp_path / "a.png", Stage.TEXT, mime="image/png"), timeout_s=60
        )
        assert worker.walls == ()
        scratch = worker.scratch
        assert scratch.is_dir()
    assert isinstance(answer, Found)
    assert answer.findings.text is not None
    assert "badgers" in answer.findings.text.body
    assert not scratch.exists()


async def test_a_disk_that_came_after_the_worker_is_read_by_the_next_one(tmp_path: Path) -> None:
    root = tmp_path / "usb"
    settings = Settings(state=State(root=tmp_path / "state"), readable=(bytes(root),))
    async with Worker(settings) as worker:
        assert isinstance(await worker.ask(Identify(bytes(root / "a.jpg")), timeout_s=30), Gone)
        root.mkdir()
        path = photo(root / "a.jpg")
        assert await worker.ask(Identify(bytes(path)), timeout_s=30) == Gone(
            "its disk was not there when this worker was shut in", anew=True
        )
        await worker.stop()
        assert isinstance(await worker.ask(Identify(bytes(path)), timeout_s=30), Identified)


async def test_a_worker_is_let_into_nothing_that_it_was_not_told_of(
    worker: Worker, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = photo(tmp_path_factory.mktemp("elsewhere") / "a.jpg")
    answer = await worker.ask(Identify(bytes(path)), timeout_s=30)
    assert isinstance(answer, Gone)
