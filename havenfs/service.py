"""Talking to whoever started us: the journal, readiness, the watchdog. One protocol (sd_notify) for systemd and `havenfs up`."""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    notify(f"READY=1\nSTATUS={status}")


def stopping() -> None:
    """Say that the service is on its way out."""
    notify("STOPPING=1")


def reloading() -> None:
    """Say that the service is about to start over, its work going on; the next :func:`ready` ends that."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")


def managed() -> bool:
    """Whether systemd runs us: it starts us again, and keeps descriptors for us meanwhile if the unit says so."""
    return os.environ.get("NOTIFY_SOCKET", "").startswith("/run/systemd/")


def alive() -> None:
    """Beat the watchdog. Call it only after the service has proved, end to end, that it still does its work."""
    notify("WATCHDOG=1")


def watchdog_interval() -> float | None:
    """Seconds between beats, half of what the manager allows (sd_watchdog_enabled(3)); None without a watchdog."""
    limit = os.environ.get("WATCHDOG_USEC")
    pid = os.environ.get("WATCHDOG_PID")
    if not limit or (pid and int(pid) != os.getpid()):
        return None
    return int(limit) / 2_000_000


def notify(message: str, descriptors: Sequence[int] = ()) -> None:
    """Tell the service manager (sd_notify(3)), or `havenfs up`. Nobody need be there, or be there any more."""
    from systemd import daemon  # not before there is something to say: a mount answers 10 ms sooner

    with suppress(OSError):
        daemon.notify(message, fds=list(descriptors))
