""".haven/: what the service says about itself, and every asset under its content's hash, for scripts."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import TYPE_CHECKING

from havenfs.catalog import assets, browse, changes, progress, sources
from havenfs.errors import NotFound

from .tree import Fixed, Folder, Leaf, Text

if TYPE_CHECKING:
    from .tree import Entry, Library, Scope

TROUBLE = 1000  # lines in .haven/errors


class Haven(Fixed):
    """.haven: status.json, errors, by-id."""

    __slots__ = ()

    def __init__(self, scope: Scope) -> None:
        library = scope.library
        super().__init__(
            scope,
            {
                "status.json": Text(f"{scope.key}/status.json", lambda: _status(library)),
                "errors": Text(f"{scope.key}/errors", lambda: _errors(library)),
                "by-id": ById(scope.choose("by-id")),
            },
        )


class ById(Folder):
    """Every asset under its BLAKE3 hash, in hexadecimal. A name that stays right when people rename things."""

    __slots__ = ()

    @property
    def lasting(self) -> bool:
        """The log of changes does not say which content went."""
        return False

    def entries(self) -> list[Entry]:
        """One leaf an asset, by hash."""
        found = self.scope.library.catalog.read(browse.hashes)
        return [(asset.hash.hex().encode(), Leaf(asset)) for asset in found]

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
        "progress": dataclasses.asdict(catalog.read(progress.progress)),
    }
    return (json.dumps(report, indent=2, default=str, ensure_ascii=False) + "\n").encode(
        errors="surrogateescape"
    )


def _errors(library: Library) -> bytes:
    lines = [
        f"files/{trouble.source}/{os.fsdecode(trouble.path)}: {trouble.stage or 'read'}: {trouble.reason}"
        for trouble in library.catalog.read(progress.trouble, TROUBLE)
    ]
    lines += library.refusals
    return "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")
