"""Talking to whoever started us: the journal, readiness, the watchdog. One protocol (sd_notify) for systemd and `havenfs up`."""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import suppress


def configure_logging(program: str, *, verbose: bool = False) -> None:
    """Send records to the journal when it is our standard error, else to standard error as plain lines.

    Ids at info, file names only at debug: a log may be shared with people who help.
    """
    handler: logging.Handler
    if os.environ.get("JOURNAL_STREAM"):
        from systemd import journal

        handler = journal.JournalHandler(SYSLOG_IDENTIFIER=f"havenfs-{program}")
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter(f"{program}: %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for noisy in ("PIL", "httpx2", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def ready(status: str) -> None:
    """Say that the service answers, with one line for `systemctl status`. Does nothing when nobody listens."""
    _notify(f"READY=1\nSTATUS={status}")


def stopping() -> None:
    """Say that the service is on its way out."""
    _notify("STOPPING=1")


def reloading() -> None:
    """Say that the service is about to start over, its work going on; the next :func:`ready` ends that."""
    _notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")


def managed() -> bool:
    """Whether systemd runs us: it starts us again, and keeps descriptors for us meanwhile if the unit says so."""
    return os.environ.get("NOTIFY_SOCKET", "").startswith("/run/systemd/")


def alive() -> None:
    """Beat the watchdog. Call it only after the service has proved, end to end, that it still does its work."""
    _notify("WATCHDOG=1")


def watchdog_interval() -> float | None:
    """Seconds between beats, half of what the manager allows (sd_watchdog_enabled(3)); None without a watchdog."""
    limit = os.environ.get("WATCHDOG_USEC")
    pid = os.environ.get("WATCHDOG_PID")
    if not limit or (pid and int(pid) != os.getpid()):
        return None
    return int(limit) / 2_000_000


def hold(name: str, descriptor: int) -> None:
    """Have the service manager keep a descriptor open for the program after us (sd_notify(3), FDSTORE)."""
    _notify(f"FDSTORE=1\nFDNAME={name}", [descriptor])


def release(name: str) -> None:
    """Have it let go of that."""
    _notify(f"FDSTOREREMOVE=1\nFDNAME={name}")


def held() -> dict[str, int]:
    """What it kept open of the program before us, by name. To be called once."""
    if "LISTEN_FDS" not in os.environ:
        return {}
    from systemd import daemon

    return {name: descriptor for descriptor, name in daemon.listen_fds_with_names().items()}


def _notify(message: str, fds: list[int] | None = None) -> None:
    if os.environ.get("NOTIFY_SOCKET"):
        from systemd import daemon  # not before somebody listens: a mount answers 2 ms sooner

        with suppress(OSError):  # who started us may have ended
            daemon.notify(message, fds=fds or [])
