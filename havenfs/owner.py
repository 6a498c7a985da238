"""The owner's key: whoever can read the state directory may decide on the web page.

The page answers to every user of this machine, so being able to reach it proves nothing. A file that only the owner can
read does: its content, brought once by a link, opens the page for a browser. Removing the file shuts out every browser; the
next program that looks for it makes another.

Any thread, any number of programs.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from .errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

BYTES = 32
LENGTH = 43  # characters of so many bytes in base64


def key(path: Path) -> str:
    """The key in the file *path*, which is made if it is not there, or holds none. Raises ConfigError."""
    try:
        return read(path) or _made(path)
    except OSError as error:
        raise ConfigError(f"the owner's key {path} cannot be made: {error.strerror}") from error


def _made(path: Path) -> str:
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)  # programs start together, and must agree on one key
        found = read(path)
        if found is not None:
            return found
        fresh = path.with_name(f"{path.name}.new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        made = secrets.token_urlsafe(BYTES)
        with os.fdopen(descriptor, "w") as file:
            file.write(made + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        return made
    finally:
        os.close(directory)


def read(path: Path) -> str | None:
    """The key; None when there is none. Raises ConfigError when others can read it too: then it proves nothing."""
    try:
        with path.open() as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(256).strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    except OSError as error:
        raise ConfigError(f"the owner's key {path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise ConfigError(
            f"others can read the owner's key {path}: remove it, and a new one is made"
        )
    return text if len(text) == LENGTH else None


def link(http: str, path: Path) -> str:
    """The address that opens the page at *http*, HOST:PORT, for a browser, with the key in *path*. Raises ConfigError."""
    return f"http://{http}/?{urlencode({'key': key(path)})}"
