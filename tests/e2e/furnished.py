"""A library with something for every gesture: faces with and without doubts, what has a date and a place and what has not,
copies, letters in the inbox with proposals, suggested tags. Contents have their true hashes, so that it can be written to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from havenfs.catalog import browse, sorting, sources, tags
from havenfs.catalog.sorting import Folder, Proposal
from havenfs.entities import ModelId, SourceId
from havenfs.ingest.scan import scan
from tests.conftest import Shelf
from tests.identity.crowd import compare, crowd, look, seen

if TYPE_CHECKING:
    from pathlib import Path

JPEG, CR2 = b"\xff\xd8\xff\xe0", b"II*\0\x10\0\0\0CR\x02\0"
PORTRAITS = [f"{number}.jpg" for number in range(6)]
"""C001 is in all of them, C002 in the first four; they have neither date nor place, like the next three."""
DOUBT, PLAIN, SCAN = "doubt.jpg", "plain.jpg", "scan.jpg"
UNDATED = sorted([*PORTRAITS, DOUBT, PLAIN, SCAN])
ROME, SNOW = "rome.jpg", "snow.jpg"
LETTER = "letter.txt"
COPIES = ["c0.jpg", "c1.jpg", "c2.jpg"]
BILLS = [f"bill{number}.txt" for number in range(6)]
BELONGS = b"Letters/Bills"
"""Where the bills are proposed to be filed, and the picture: no such folder yet."""
SHOT = "shot.jpg"
"""A picture in the inbox, of which its camera wrote a RAW too, and some program a sidecar."""
WITH_IT = ["shot.cr2", "shot.jpg.xmp"]
SUGGESTED = ["0.jpg", PLAIN]
"""What the tag `dog` is suggested for."""
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'

HEADS = {"text/plain": b"", "image/x-canon-cr2": CR2}
TEXT: dict[str, Any] = {"kind": "document", "mime": "text/plain", "text": "water and electricity"}


def furnished(directory: Path) -> Shelf:
    """The library, its catalog open."""
    shelf = Shelf(directory, writable=True)
    crowd(shelf)
    look(shelf, shelf.add(DOUBT), seen(0, 10))
    compare(shelf)
    shelf.add(f"old/{SCAN}", taken="2021-03-01T00:00:00", taken_source="mtime")
    shelf.add(f"2019/{ROME}", taken="2019-07-14T10:00:00", place=("Italy", "Lazio", "Rome"), latitude=41.9,
              longitude=12.5, caption="a dog")  # fmt: skip
    shelf.add(f"2019/{SNOW}", taken="2019-12-24T20:00:00", place=("Germany", "Bavaria", "Munich"), latitude=48.1,
              longitude=11.6)  # fmt: skip
    shelf.add(f"papers/{LETTER}", **TEXT)
    copies = [shelf.add(f"copies/{name}", taken="2010-01-01T00:00:00") for name in COPIES]
    bills = [shelf.add(f"Inbox/{name}", **TEXT) for name in BILLS]
    shot = shelf.add(f"Inbox/{SHOT}")
    shelf.add(f"Inbox/{WITH_IT[0]}", mime="image/x-canon-cr2")
    there = Proposal(
        folder=Folder(SourceId(1), BELONGS), fresh=True, confidence=0.9, reasons=("says so",)
    )

    def finish(db: Any) -> None:
        db.execute(
            "UPDATE face_cluster SET cluster_id = 1, confidence = 0.1 WHERE face_id IN"
            " (SELECT f.id FROM face f JOIN asset a ON a.id = f.asset_id WHERE a.name = ?)",
            (DOUBT,),
        )
        db.executemany("INSERT INTO duplicate VALUES (?, ?)", [(id_, copies[0]) for id_ in copies])
        sorting.put(db, {id_: [there] for id_ in (*bills, shot)})
        ids = [browse.asset(db, (), name).id for name in SUGGESTED]
        tags.put(db, ModelId("model@1+words"), {id_: [("dog", 0.9)] for id_ in ids})
        for file_id, asset_id, path, mime in db.execute(
            "SELECT f.id, a.id, f.path, a.mime FROM file f JOIN asset a ON a.id = f.asset_id"
        ).fetchall():
            original = shelf.root / os.fsdecode(path)
            data = HEADS.get(mime, JPEG) + path * 50
            original.write_bytes(data)
            status = original.lstat()
            content = blake3(data).digest()
            db.execute(
                "UPDATE file SET size = ?, mtime_ns = ?, hash = ? WHERE id = ?",
                (status.st_size, status.st_mtime_ns, content, file_id),
            )
            db.execute("UPDATE asset SET hash = ? WHERE id = ?", (content, asset_id))

    shelf.catalog.write(finish)
    (shelf.root / "Inbox" / WITH_IT[1]).write_bytes(XMP)
    scan(shelf.catalog, shelf.catalog.read(sources.by_name, "photos"))  # which finds that one
    return shelf
