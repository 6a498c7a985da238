"""A real smbd on loopback with the shipped share definition, and two clients: smbclient and smbprotocol."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import smbclient
from smbprotocol.exceptions import SMBOSError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

DEFINITION = Path(__file__).parents[3] / "packaging/samba/havenfs.conf"
USER, PASSWORD = "nobody", "Tr0ub4dor"  # a user that every system has, and a password of smbd's own


class Share:
    """A share, asked as one user by either client. Paths are relative to it."""

    def __init__(self, directory: Path, port: int, name: str) -> None:
        self.directory = directory
        self.port = port
        self.name = name
        self.options: dict[str, Any] = {
            "username": USER,
            "password": PASSWORD,
            "port": port,
            "connection_cache": {},
        }

    def ask(self, commands: str, *, cwd: Path | None = None) -> str:
        """What smbclient says to its commands, errors too."""
        done = subprocess.run(
            self._client(commands),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
        return done.stdout + done.stderr

    @contextmanager
    def asking(self, commands: str) -> Generator[Path]:
        """An smbclient that goes on asking; the file that it writes to."""
        output = self.directory / "asked"
        with output.open("wb") as file:
            process = subprocess.Popen(
                ["stdbuf", "-o0", *self._client(commands)], stdout=file, stderr=file
            )
        try:
            yield output
        finally:
            process.kill()
            process.wait()

    def _client(self, commands: str) -> list[str]:
        return [
            "smbclient", f"//127.0.0.1/{self.name}", "-p", str(self.port),
            "-U", f"{USER}%{PASSWORD}", "-s", str(self.directory / "smb.conf"), "-c", commands,
        ]  # fmt: skip

    def path(self, relative: str) -> str:
        """A path as smbprotocol wants it."""
        return rf"\\127.0.0.1\{self.name}" + "\\" + relative.replace("/", "\\")

    def list(self, relative: str, pattern: str = "*") -> list[str]:
        """The names in a folder."""
        return smbclient.listdir(self.path(relative), search_pattern=pattern, **self.options)

    def open(self, relative: str, mode: str = "rb", **options: Any) -> Any:
        """A file; everybody may do everything with it meanwhile."""
        opening: Any = smbclient.open_file  # typed for literal modes only
        return opening(
            self.path(relative), mode=mode, share_access="rwd", **self.options, **options
        )

    def read(self, relative: str) -> bytes:
        """The bytes of a file."""
        with self.open(relative) as file:
            return file.read()

    def write(self, relative: str, data: bytes) -> None:
        """A new file, or other bytes in an old one."""
        with self.open(relative, "wb") as file:
            file.write(data)

    def stat(self, relative: str) -> Any:
        """Attributes."""
        return smbclient.stat(self.path(relative), **self.options)

    def rename(self, relative: str, new: str) -> None:
        """Move."""
        smbclient.rename(self.path(relative), self.path(new), **self.options)

    def remove(self, relative: str) -> None:
        """Delete a file."""
        smbclient.remove(self.path(relative), **self.options)

    def mkdir(self, relative: str) -> None:
        """Make a folder."""
        smbclient.mkdir(self.path(relative), **self.options)

    def rmdir(self, relative: str) -> None:
        """Delete a folder."""
        smbclient.rmdir(self.path(relative), **self.options)

    @contextmanager
    def refused(self, *statuses: int) -> Generator[None]:
        """What stands in it fails with one of these (smbprotocol.header.NtStatus)."""
        with pytest.raises(SMBOSError) as error:
            yield
        assert error.value.ntstatus in statuses, error.value

    def reconnect(self) -> None:
        """Drop the connections of smbprotocol; the next request makes new ones."""
        smbclient.reset_connection_cache(
            fail_on_error=False, connection_cache=self.options["connection_cache"]
        )


@contextmanager
def serving(
    directory: Path, shares: dict[str, Path], more: str = ""
) -> Generator[dict[str, Share]]:
    """An smbd whose files lie in *directory*: each share is the shipped definition with a name and a path of its own, and
    *more* lines."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    for part in ("lock", "state", "cache", "private", "pid", "ncalrpc"):
        (directory / part).mkdir(parents=True)
    definitions = "\n".join(
        DEFINITION.read_text()
        .replace("[havenfs]", f"[{name}]")
        .replace("path = /srv/haven", f"path = {path}")
        + f"\n{more}\n"
        for name, path in shares.items()
    )
    settings = directory / "smb.conf"
    settings.write_text(
        f"""[global]
        server role = standalone
        rpc start on demand helpers = no
        smb ports = {port}
        interfaces = 127.0.0.1
        bind interfaces only = yes
        lock directory = {directory}/lock
        state directory = {directory}/state
        cache directory = {directory}/cache
        private dir = {directory}/private
        pid directory = {directory}/pid
        ncalrpc dir = {directory}/ncalrpc
        passdb backend = tdbsam:{directory}/passdb.tdb
        log file = {directory}/log
        load printers = no
        disable spoolss = yes
{definitions}
"""
    )
    subprocess.run(
        ["smbpasswd", "-c", settings, "-a", "-s", USER],
        input=f"{PASSWORD}\n{PASSWORD}\n".encode(),
        check=True,
        timeout=30,
        stdout=subprocess.DEVNULL,
    )
    process = subprocess.Popen(
        ["smbd", "--foreground", "--no-process-group", "-s", settings],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # its children die with the group
    )

    def listening() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    served = {name: Share(directory, port, name) for name in shares}
    try:
        for _ in range(1500):
            if listening():
                break
            assert process.poll() is None, (directory / "log").read_text()
            signal.sigtimedwait([], 0.01)
        yield served
    finally:
        for share in served.values():
            share.reconnect()
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


@pytest.fixture
def room() -> Iterator[Path]:
    """A directory that smbd's users may enter, unlike pytest's own: its processes look for each other's locks there as the
    user whom they serve, and take those that they cannot see for dead."""
    made = Path(tempfile.mkdtemp(prefix="haven-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def point(serve: Any, workshop: Any, room: Path) -> Iterator[Path]:
    """A mount of a library: `photos` and `desk` can be written to, by the user of the share too."""
    for root in (workshop.root, workshop.root.parent / "desk"):
        root.chmod(0o777)
    with serve(workshop.state.root, room / "mnt") as mount:
        yield mount.point


@pytest.fixture
def smb(point: Path, room: Path) -> Iterator[Share]:
    """The share of that mount."""
    with serving(room / "smb", {"havenfs": point}) as shares:
        yield shares["havenfs"]


@pytest.fixture
def start_smbd() -> Callable[..., Any]:
    """`with start_smbd(directory, {name: path}) as shares:` for tests that need more than one share or mount."""
    return serving
