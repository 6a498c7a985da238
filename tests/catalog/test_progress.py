"""How far indexing is and what it has brought, by counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from havenfs.catalog import progress

if TYPE_CHECKING:
    import apsw


def test_what_was_found_is_counted_by_assets_and_not_by_rows(shelf: Any):
    first, second, third = (shelf.add(f"a/{number}.jpg") for number in range(3))
    letter = shelf.add("letter.pdf", kind="document", mime="application/pdf")

    def fill(db: apsw.Connection) -> None:
        tags = [(first, "dog"), (first, "beach"), (second, "dog")]
        db.executemany("INSERT INTO suggested_tag VALUES (?, ?, 0.5)", tags)
        db.executemany("INSERT INTO duplicate VALUES (?, ?)", [(first, first), (third, first)])
        db.execute("DELETE FROM job")
        db.executemany(
            "INSERT INTO job (asset_id, stage, state, priority) VALUES (?, 'text', ?, 0)",
            [(first, "done"), (second, "skipped"), (letter, "done")],
        )

    shelf.catalog.write(fill)
    assert shelf.catalog.read(progress.found) == progress.Brought(
        tagged=2, copies=2, groups=1, read=1
    )
