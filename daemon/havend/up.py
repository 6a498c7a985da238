"""`havenfs up`: every program in the foreground, for a laptop or a first try. What systemd does on a NAS, in small.

One trio loop; each program is a child process that says READY=1 over sd_notify, is started again when it dies, and
goes when we go, however we go (setpriv --pdeathsig; it hangs on the *thread* that started the child: so children are
started on the main thread, never through a worker thread).
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from havenfs import owner
from havenfs.catalog import Catalog
from havenfs.config import State

from . import exits, mountpoint as mountpoints, report, serving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from havenfs.config import SourceConfig

log = logging.getLogger(__name__)

STOP_S = 10.0  # the mount waits for open files of clients; the indexer for the file in hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One child: what people call it and how it is started."""

    name: str
    arguments: tuple[str, ...]


class Failed(Exception):  # noqa: N818
    """A program ended in a way that no restart mends."""


def main(
    state: State,
    sources: Sequence[SourceConfig],
    mountpoint: Path,
    http: str | None,
    *,
    transport: str,
    indexing: Sequence[str],
    made_mountpoint: bool,
    verbose: bool,
) -> int:
    """Run until Ctrl-C or SIGTERM; *indexing* are further arguments for the indexer. Returns the exit code."""
    common = ("--state", str(state.root))
    programs = [
        Program(
            name="mount",
            arguments=("mount", *common, "--mount", str(mountpoint), "--transport", transport),
        ),
        Program(
            name="index",
            arguments=(
                "index",
                "run",
                *common,
                *indexing,
                *(
                    part
                    for s in sources
                    for part in ("--writable" if s.writable else "--source", str(s.root))
                ),
            ),
        ),
    ]
    if http is not None:
        programs.append(
            Program(
                name="web", arguments=("web", *common, "--http", http, "--mount", str(mountpoint))
            )
        )
    if verbose:
        programs = [Program(name=p.name, arguments=("--verbose", *p.arguments)) for p in programs]
    code = 0
    try:
        trio.run(_run, state, programs, mountpoint, http)
    except* Failed:
        code = exits.USAGE  # the program itself has said why
    finally:
        mountpoints.bury(mountpoint)  # of a mount that was killed and not started again yet
        if made_mountpoint:
            with contextlib.suppress(OSError):
                mountpoint.rmdir()
    return code


async def _run(
    state: State, programs: Sequence[Program], mountpoint: Path, http: str | None
) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serving.stop_on_signal, nursery.cancel_scope)
        async with trio.open_nursery() as starting:
            for program in programs:
                starting.start_soon(nursery.start, _keep_running, program)
        _say(_banner(state, mountpoint, http))
        nursery.start_soon(_show_progress, state)


async def _keep_running(program: Program, *, task_status: trio.TaskStatus[None]) -> None:
    """Start *program*, tell when it is ready for the first time, and start it again whenever it dies."""
    told = False
    pause = 1.0
    while True:
        with (
            _notify_socket(program.name) as notify,
            _started(program, notify.getsockname()) as process,
        ):
            began = trio.current_time()
            async with trio.open_nursery() as nursery:

                async def tell_when_ready() -> None:
                    nonlocal told
                    while True:
                        await trio.lowlevel.wait_readable(notify)
                        if b"READY=1" in notify.recv(4096).split(b"\n") and not told:
                            told = True
                            task_status.started()

                nursery.start_soon(tell_when_ready)
                code = await _ended(process)
                nursery.cancel_scope.cancel()
        if code == exits.USAGE:
            raise Failed(program.name)
        if trio.current_time() - began > 60:
            pause = 1.0
        log.warning(
            "the %s program ended (%s); starting it again in %d s",
            program.name,
            _manner(code),
            pause,
        )
        await trio.sleep(pause)
        pause = min(pause * 2, 30.0)


@contextlib.contextmanager
def _notify_socket(name: str):  # noqa: ANN202
    """A datagram socket in the abstract name space (no path to clean up, no path too long)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as notify:
        notify.bind(f"\0havenfs-{os.getpid()}-{name}")
        yield notify


@contextlib.contextmanager
def _started(program: Program, notify: bytes | str):  # noqa: ANN202
    """The running child; on leaving it is asked to end, waited for, and killed if it does not."""
    address = notify.decode() if isinstance(notify, bytes) else notify
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "havend", *program.arguments],
        env={**os.environ, "NOTIFY_SOCKET": "@" + address.lstrip("\0")},
        stdin=subprocess.DEVNULL,
        process_group=0,  # Ctrl-C reaches us alone; we end the programs in order
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                log.warning("the %s program does not end; killing it", program.name)
                process.kill()
                process.wait()


async def _ended(process: subprocess.Popen[bytes]) -> int:
    descriptor = os.pidfd_open(process.pid)
    try:
        await trio.lowlevel.wait_readable(descriptor)
    finally:
        os.close(descriptor)
    return process.wait()


def _manner(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


# --- words ----------------------------------------------------------------------------------------------------


def _banner(state: State, mountpoint: Path, http: str | None) -> str:
    here = shlex.quote(str(mountpoint))
    command = (
        "havenfs"
        if shutil.which("havenfs")
        else shlex.quote(str(Path(sys.executable).with_name("havenfs")))
    )
    elsewhere = "" if state == State.default() else f" --state {shlex.quote(str(state.root))}"
    page = _page(state, http, f"{command} web{elsewhere}") if http else ""
    offer = report.offer(state)
    model = f"\nPictures are searched by a miniature model. {offer}\n" if offer else ""
    return f"""
HavenFS is up. Ctrl-C ends it and unmounts.

  folder     {mountpoint}{page}

Try, in another terminal:
  ls {here}/by-date
  ls {here}/places
  ls {here}/search/'dog in the snow'
  cat {here}/search/README.txt
  {command} search{elsewhere} red car
{model}"""


def _page(state: State, http: str, command: str) -> str:
    """Where the page is. With the key on a terminal alone: a log may be shared with people who help."""
    if sys.stdout.isatty():
        return f"\n  web page   {owner.link(http, state.owner_key)}"
    return f"""
  web page   http://{http}/
             to change something there, open what this prints: {command} --link --http {http}"""


async def _show_progress(state: State) -> None:
    """One line that is rewritten on a terminal; in a log, a line when it has something new to say."""
    terminal = sys.stderr.isatty()
    shown = ""
    done = False
    with Catalog(state.catalog) as catalog:
        while True:
            status = await trio.to_thread.run_sync(report.status_of, catalog, state)
            line = status.progress_line()
            if line != shown and (terminal or not done or not status.finished):
                shown = line
                if terminal:
                    sys.stderr.write(
                        f"\r\033[K{line}" + ("\n" if status.finished and not done else "")
                    )
                    sys.stderr.flush()
                else:
                    _say(line)
            done = status.finished
            # 15 ms of processor each: often only while somebody watches the queue shrink.
            await trio.sleep(0.5 if terminal and not done else 5.0)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
