"""A file system of three files, as little as a supervisor can look after. Run as a program: MOUNTPOINT BEHAVIOUR.

who      the pid of the server that answers; opened anew each time
kept     a real file, opened once by the first server; its handle is that descriptor
fatal    asking for it ends the server, in the way that BEHAVIOUR says: crash, exit, hang
"""

from __future__ import annotations

import errno
import logging
import os
import select
import signal
import stat
import sys
import time
from pathlib import Path
from typing import NoReturn

from havend import exits, mountpoint as mountpoints
from havend.direct import device, kept, ledger, supervisor, wire
from havend.direct.ledger import INIT
from havend.direct.supervisor import Inheritance, Supervisor
from havenfs import service
from havenfs.errors import ConfigError

NAMES = {b"who": 2, b"kept": 3, b"fatal": 4}


def attributes(nodeid: int) -> tuple[int, ...]:
    mode, nlink = (stat.S_IFDIR | 0o755, 2) if nodeid == 1 else (stat.S_IFREG | 0o644, 1)
    return (nodeid, 4096, 8, 0, 0, 0, 0, 0, 0, mode, nlink, 0, 0, 0, 4096, 0)


def serve(inheritance: Inheritance) -> None:
    behaviour = sys.argv[2]
    if behaviour == "stillborn":
        raise ValueError("a bug at the start")
    if behaviour == "mistaken":
        raise ConfigError("that cannot work")
    device, ledger = inheritance.fuse, inheritance.ledger
    poll = select.poll()
    poll.register(device, select.POLLIN)
    os.open(
        "/etc/hostname", os.O_RDONLY
    )  # a leftover: would reach the limit after a few hundred deaths
    time.sleep(float(os.environ.get("STARTING", "0")))
    inheritance.ready()
    while True:
        try:
            poll.poll()
            message = memoryview(os.read(device, 1 << 20 | 1 << 13))
        except BlockingIOError:
            continue
        except OSError:
            return  # unmounted
        _, opcode, unique, nodeid, *_ = wire.HEADER.unpack_from(message)
        body = message[wire.HEAD :]
        inheritance.beat[0] = unique
        try:
            answer = answered(opcode, nodeid, body, inheritance)
        except OSError as error:
            os.write(device, wire.ANSWER.pack(wire.ANSWER_HEAD, -(error.errno or 5), unique))
            continue
        if answer is not None:
            head = wire.ANSWER.pack(wire.ANSWER_HEAD + len(answer), 0, unique)
            os.write(device, head + answer)
        if opcode == wire.RELEASE:
            handle = wire.RELEASE_IN.unpack(body)[0]
            if handle in ledger.held():
                ledger.drop(handle)
                os.close(handle)


def answered(opcode: int, nodeid: int, body: memoryview, inheritance: Inheritance) -> bytes | None:
    match opcode:
        case wire.INIT:
            _, minor, _, _ = wire.offered(body)
            inheritance.ledger.note(INIT, b"agreed")
            flags = wire.INIT_EXT
            resend = wire.HAS_RESEND >> 32
            return wire.INIT_OUT.pack(7, minor, 0, flags, 8, 6, 4096, 1, 1, 0, resend, 0, 0)
        case wire.LOOKUP:
            found = NAMES.get(wire.name_after(body, 0))
            if found is None:
                raise FileNotFoundError(2, "no such name")
            return wire.ENTRY.pack(found, 0, 0, 0, 0, 0, *attributes(found))
        case wire.GETATTR:
            return wire.ATTR.pack(0, 0, 0, *attributes(nodeid))
        case wire.OPEN if nodeid == 4:
            return end(sys.argv[2])
        case wire.OPEN:
            handle = 0
            if nodeid == 3:
                handle = os.open(os.environ["KEPT"], os.O_RDONLY | os.O_CLOEXEC)
                inheritance.ledger.hold(handle, b"")
            return wire.OPENED.pack(handle, wire.FOPEN_DIRECT_IO, 0)
        case wire.READ:
            handle, offset, size, *_ = wire.READ_IN.unpack(body)
            if nodeid == 2:
                time.sleep(float(os.environ.get("SLOW", "0")))
                return f"{os.getpid()} {len(os.listdir('/proc/self/fd'))}\n".encode()[offset:]
            if handle not in inheritance.ledger.held():
                raise OSError(errno.ESTALE, "stale")
            return os.pread(handle, size, offset)
        case wire.RELEASE | wire.FLUSH:
            return b""
        case wire.FORGET | wire.BATCH_FORGET | wire.INTERRUPT:
            return None
        case _:
            raise OSError(38, "not here")


def end(how: str) -> NoReturn:
    if how == "hang":
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            time.sleep(60)
    if how == "exit":
        os._exit(9)
    os.abort()


def main() -> int:
    logging.basicConfig(level="INFO", format="%(message)s")
    supervisor.PROGRAM = os.environ.get("INSTALLED", supervisor.__name__)
    if "LAYOUT" in os.environ:
        kept.FUSE = f"fuse-{Path(os.environ['LAYOUT']).read_text()}"
        kept.NAMES = (kept.FUSE, *ledger.NAMES)
    mountpoint = Path(sys.argv[1])
    mount = kept.Kept.inherited(mountpoint)
    if mount is None:
        mountpoint = mountpoints.prepare(mountpoint)
        descriptor = device.open_device()
        device.mount(descriptor, mountpoint, library_id="tiny")
        mount = kept.Kept.new(descriptor, asked=mountpoint, mountpoint=mountpoint)
    mount.hand_to_manager()
    code = Supervisor(mount, serve, told_ready=lambda _: service.ready("tiny")).run()
    assert code in (exits.OK, exits.FAILED, exits.USAGE)
    return code


if __name__ == "__main__":
    sys.exit(main())
