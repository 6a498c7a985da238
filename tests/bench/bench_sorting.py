"""How long sorting takes: 100,000 assets in 2,000 folders, 200 files in the inbox. Prints; asserts nothing.

.venv/bin/python tests/bench/bench_sorting.py [ASSETS] [FOLDERS]
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from havenfs.catalog import Catalog
from havenfs.settings import Config
from havenfs.sorting.sorter import Sorter

WORDS = [f"word{chr(97 + n // 26)}{chr(97 + n % 26)}x" for n in range(600)]
INBOX = 200


def fill(db: Any, assets: int, folders: int) -> None:
    chance = random.Random(1)
    db.execute(
        "INSERT INTO source (name, root, writable) VALUES ('s', CAST('/nowhere' AS BLOB), 1)"
    )
    each = assets // folders
    paths = [
        f"Photos/{2000 + n // 80}/{2000 + n // 80}-{1 + n % 12:02} Event {n}"
        for n in range(folders * 9 // 10)
    ]
    paths += [f"Papers/Sender {n}" for n in range(folders - len(paths))]
    number = 0
    for place, folder in enumerate([*paths, "Inbox"]):
        photo = folder.startswith("Photos")
        start = 946_684_800 + place * 350_000
        topic = chance.sample(WORDS, 12)
        for _ in range(INBOX if folder == "Inbox" else each):
            number += 1
            moment = start + chance.randrange(200_000)
            if folder == "Inbox":
                photo = number % 2 == 0
                moment = 946_684_800 + chance.randrange(folders * 350_000)
            name = f"IMG_{number}.jpg" if photo else f"letter {number}.pdf"
            digest = number.to_bytes(32, "big")
            db.execute(
                "INSERT INTO file (id, source_id, path, size, mtime_ns, device, inode, state, hash) VALUES (?, 1, ?, 1, 1, 1, ?, 'known', ?)",
                (number, f"{folder}/{name}".encode(), number, digest),
            )
            db.execute(
                "INSERT INTO asset (id, hash, name, name_key, kind, mime, file_id, taken_local, taken_source, camera, added)"
                " VALUES (?, ?, ?, ?, ?, 'x', ?, ?, 'exif', ?, 0)",
                (number, digest, name, name.casefold(), "photo" if photo else "document", number, moment, f"camera {place % 7}" if photo else None),
            )  # fmt: skip
            db.execute("UPDATE file SET asset_id = ? WHERE id = ?", (number, number))
            text = "" if photo else " ".join(chance.sample(topic, 8) + chance.sample(WORDS, 40))
            db.execute(
                "INSERT INTO words (rowid, name, document) VALUES (?, ?, ?)", (number, name, text)
            )


def main(assets: int = 100_000, folders: int = 2000) -> None:
    with (
        tempfile.TemporaryDirectory() as directory,
        Catalog(Path(directory) / "catalog.db") as catalog,
    ):
        began = time.perf_counter()
        catalog.write(fill, assets, folders)
        print(f"made {assets:,} assets in {folders:,} folders: {time.perf_counter() - began:.1f} s")
        sorter = Sorter(catalog)
        for what in ("from nothing", "nothing new", "one asset moved"):
            began = time.perf_counter()
            found = sorter.sort(Config())
            print(f"{what}: {time.perf_counter() - began:.3f} s for {found.standing} in the inbox")
            if what == "nothing new":
                catalog.write(
                    lambda db: db.execute(
                        "UPDATE asset SET camera = 'new', taken_local = taken_local + 60 WHERE id = 77"
                    )
                )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"memory at most: {peak // 1024} MiB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
