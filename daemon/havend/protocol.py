"""What the indexer and its workers say to each other: MessagePack behind a 4-byte length, over pipes.

Both ends decode into these types and nothing else. A worker has looked at hostile files, so what it says is checked
once more for sense (`havenfs.ingest.trust`) before it reaches the catalog. Imports no decoder and no model.
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from havenfs.entities import Findings, Identity, Kind, Locality, ModelId, Stage  # noqa: TC001 -- msgspec reads them

LENGTH: Final = struct.Struct("!I")
LARGEST: Final = (
    32 << 20
)  # bytes; the largest honest message carries one 1440 px WebP and a long text


class Identify(msgspec.Struct, frozen=True, tag=True):
    """Hash the file at an absolute path."""

    path: bytes


class Look(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Do the stages of one original: `havenfs.extract.visit.Visit`, without importing it."""

    path: bytes
    relative: bytes
    kind: Kind
    mime: str
    mtime_ns: int
    stages: frozenset[Stage]
    large: bytes | None = None


class EncodeText(msgspec.Struct, frozen=True, tag=True):
    """Embed a text: of a query by the model that answers, of a tag by the model of the vectors beside it."""

    text: str
    model: ModelId


class Locate(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Name the place of a position: degrees, WGS 84. *centre*: of a city, so that one."""

    latitude: float
    longitude: float
    centre: bool


Request = Identify | Look | EncodeText | Locate


class Ready(msgspec.Struct, frozen=True, tag=True):
    """Said once, unasked: everything is loaded. A worker that dies before is no file's fault."""

    walls: tuple[str, ...] = ()
    """What the kernel lacks for shutting it in, in words."""


class Identified(msgspec.Struct, frozen=True, tag=True):
    """Answer to Identify."""

    identity: Identity


class Found(msgspec.Struct, frozen=True, tag=True):
    """Answer to Look."""

    findings: Findings


class Encoded(msgspec.Struct, frozen=True, tag=True):
    """Answer to EncodeText: float32 little-endian, unit length."""

    model: ModelId
    vector: bytes


class Located(msgspec.Struct, frozen=True, tag=True):
    """Answer to Locate; None: at sea."""

    locality: Locality | None


class Bad(msgspec.Struct, frozen=True, tag=True):
    """The file cannot be read, for a reason that the owner sees; or the text cannot be embedded."""

    reason: str


class Gone(msgspec.Struct, frozen=True, tag=True):
    """The file or its disk is not there: not the file's fault."""

    reason: str
    anew: bool = False
    """Whether another worker could reach it."""


class NoModel(msgspec.Struct, frozen=True, tag=True):
    """The model asked for is missing or damaged: no file's fault either."""

    reason: str


Answer = Ready | Identified | Found | Encoded | Located | Bad | Gone | NoModel

REQUESTS: Final = msgspec.msgpack.Decoder[Request](Request)
ANSWERS: Final = msgspec.msgpack.Decoder[Answer](Answer)


def frame(message: Request | Answer) -> bytes:
    """The message as it goes over the pipe. Raises ValueError when it is larger than LARGEST."""
    body = msgspec.msgpack.encode(message)
    if len(body) > LARGEST:
        raise ValueError(f"a message of {len(body)} bytes")
    return LENGTH.pack(len(body)) + body
