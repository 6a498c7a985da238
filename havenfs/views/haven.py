""".haven/: what the service says about itself, what was decided last, and every asset under its content's hash, for scripts."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import msgspec

from havenfs.catalog import assets, browse, changes, guarded, progress, sources, trashed
from havenfs.catalog.browse import ALL_FILES, Condition
from havenfs.decisions import undo
from havenfs.errors import NotFound
from havenfs.views.removing.guard import sentence

from .folders import Folder
from .nodes import Leaf, Text
from .roll import Roll

if TYPE_CHECKING:
    from .library import Library
    from .nodes import Entry, Node

TROUBLE = 1000  # lines in .haven/errors
OPERATIONS = 200  # lines in .haven/undo
TAKE_BACK = "To take one back: havenfs undo ID"


class Haven(Folder):
    """.haven: status.json, errors, undo, by-id."""

    __slots__ = ()
    costly = True  # reports count the whole library: half a second for a million files

    def entries(self) -> list[Entry]:
        """The reports as they are now, then the way to assets by content."""
        return [
            (name.encode(), self.child(name)) for name in ("status.json", "errors", "undo", "by-id")
        ]

    def child(self, name: str) -> Node:
        """A report, or by-id."""
        library = self.scope.library
        if name == "by-id":
            return ById(self.scope.choose("by-id"))
        if name == "status.json":
            return Text.of(f"{self.scope.key}/{name}", lambda: _status(library))
        if name == "errors":
            return Text.of(f"{self.scope.key}/{name}", lambda: _errors(library))
        if name == "undo":
            return Text.of(f"{self.scope.key}/{name}", lambda: _undo(library))
        raise NotFound(name)


class ById(Folder):
    """Every asset under its BLAKE3 hash, in hexadecimal. A name that stays right when people rename things."""

    __slots__ = ()
    announced = False  # the log of changes does not say which content went

    def entries(self) -> Roll:
        """One leaf an asset, by date."""
        return Roll(
            self.scope.library.catalog,
            (Condition(ALL_FILES),),
            lambda asset: (asset.hash.hex().encode(), Leaf(asset)),
        )

    def child(self, name: str) -> Leaf:
        """The asset with this content."""
        try:
            content = bytes.fromhex(name)
        except ValueError:
            raise NotFound(name) from None
        if content.hex() != name:
            raise NotFound(name)
        return Leaf(self.scope.library.catalog.read(assets.by_hash, content))

    def real_name(self, name: bytes) -> bytes:
        """Hashes are written in lower case."""
        self.child(name.decode(errors="replace").lower())
        return name.lower()


def _status(library: Library) -> bytes:
    catalog = library.catalog
    report = {
        "library": catalog.read(browse.library),
        "generation": catalog.read(changes.generation),
        "sources": [
            {"name": source.name, "root": os.fsdecode(source.root)}
            for source in catalog.read(sources.present)
        ],
        "progress": msgspec.to_builtins(catalog.read(progress.progress)),
        "found": msgspec.to_builtins(catalog.read(progress.found)),
        "trash": catalog.read(trashed.count),
        "stopped": msgspec.to_builtins(_stopped(library)),
    }
    return (json.dumps(report, indent=2, default=str, ensure_ascii=False) + "\n").encode(
        errors="surrogateescape"
    )


def _stopped(library: Library) -> list[guarded.Alarm]:
    return [a for a in library.catalog.read(guarded.alarms) if a.lifted_ms is None]


def _errors(library: Library) -> bytes:
    lines = [sentence(alarm) for alarm in _stopped(library)]
    lines += [
        f"files/{trouble.source}/{os.fsdecode(trouble.path)}: {trouble.stage or 'read'}: {trouble.reason}"
        for trouble in library.catalog.read(progress.trouble, TROUBLE)
    ]
    lines += library.refusals
    return "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")


def _undo(library: Library) -> bytes:
    lines = undo.as_lines(library.catalog.read(undo.last, OPERATIONS))
    if not lines:
        return b"Nothing was decided yet.\n"
    return "".join(f"{line}\n" for line in [*lines, "", TAKE_BACK]).encode()
