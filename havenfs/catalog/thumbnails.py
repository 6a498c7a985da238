"""Previews of originals in an SQLite file of their own, keyed by content.

Apart from the catalog because they are a hundred times its size, can be made again, and nobody wants them in a
backup. Keyed by the hash of the original, so that a moved file, a second copy and a returned disk find theirs.

Threading: as the catalog: any thread, each with a connection of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from havenfs.errors import NotFound

from .connections import Connections, transact

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import apsw

SCHEMA = """
CREATE TABLE IF NOT EXISTS small (hash BLOB PRIMARY KEY, image BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS large (hash BLOB PRIMARY KEY, image BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS strip (hash BLOB PRIMARY KEY, image BLOB NOT NULL) STRICT;
"""
# Tables of their own, so that a timeline's small ones lie close together instead of 200 KB apart.


Images = tuple[bytes, bytes, bytes, bytes | None]
"""Hash of an original, its small and its large WebP, and a video's strip."""


class Thumbnails(Connections):
    """The file of previews at *path*, made on opening."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.connection().execute(SCHEMA)

    def put(self, content: bytes, small: bytes, large: bytes, strip: bytes | None = None) -> None:
        """Keep the WebP images (256 and 1440 px; of a video its strip) of the original whose BLAKE3 is *content*."""
        self.put_all([(content, small, large, strip)])

    def put_all(self, previews: Iterable[Images]) -> None:
        """Keep those of several originals in one transaction."""
        transact(self.connection(), "BEGIN IMMEDIATE", _put_all, previews)

    def get(self, content: bytes, size: Literal[256, 1440]) -> bytes:
        """The WebP of this content whose longer side is at most *size*. Raises NotFound."""
        statement = (
            "SELECT image FROM small WHERE hash = ?"
            if size == 256
            else "SELECT image FROM large WHERE hash = ?"
        )
        row = self.connection().execute(statement, (content,)).fetchone()
        if row is None:
            raise NotFound(f"no preview of {content.hex()}")
        return row[0]

    def holds(self, content: bytes) -> bool:
        """Whether there is a small WebP of this content."""
        row = self.connection().execute("SELECT 1 FROM small WHERE hash = ?", (content,)).fetchone()
        return row is not None

    def strip(self, content: bytes) -> bytes:
        """The WebP of frames side by side of a video. Raises NotFound."""
        row = (
            self.connection()
            .execute("SELECT image FROM strip WHERE hash = ?", (content,))
            .fetchone()
        )
        if row is None:
            raise NotFound(f"no strip of {content.hex()}")
        return row[0]

    def remove(self, content: bytes) -> None:
        """Forget the previews of this content."""
        db = self.connection()
        db.execute("DELETE FROM small WHERE hash = ?", (content,))
        db.execute("DELETE FROM large WHERE hash = ?", (content,))
        db.execute("DELETE FROM strip WHERE hash = ?", (content,))


def _put_all(db: apsw.Connection, previews: Iterable[Images]) -> None:
    for content, small, large, strip in previews:
        db.execute("INSERT OR REPLACE INTO small VALUES (?, ?)", (content, small))
        db.execute("INSERT OR REPLACE INTO large VALUES (?, ?)", (content, large))
        if strip is not None:
            db.execute("INSERT OR REPLACE INTO strip VALUES (?, ?)", (content, strip))
