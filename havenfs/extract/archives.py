"""What zipfile makes of damaged archives, in our words. Pure; any thread. Not for the mount, which opens no archive."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from havenfs.errors import Unreadable

if TYPE_CHECKING:
    from collections.abc import Generator

DAMAGED = "the document is damaged"

FAULTS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    IndexError,
    KeyError,
    ValueError,  # names and dates that are none; UnicodeError included
    OverflowError,
    RuntimeError,  # encrypted members; NotImplementedError for unknown compressions included
)
"""What it raises about bad data, besides an OSError without a number, which is bz2's."""


@contextmanager
def reading() -> Generator[None]:
    """For as long as an archive is read. Raises Unreadable when it is damaged; an OSError with a number is the disk's."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            raise
        raise Unreadable(DAMAGED) from error
    except FAULTS as error:
        raise Unreadable(DAMAGED) from error
