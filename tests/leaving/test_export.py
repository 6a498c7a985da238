"""Leaving: what the exported folders hold, what they refuse, and that an export that was broken off goes on."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from blake3 import blake3

from havend import leaving
from havenfs.catalog import sources
from havenfs.errors import ConfigError, HavenError, NotFound
from havenfs.leaving import placing
from havenfs.leaving.placing import How
from havenfs.leaving.tree import NOTE, Layout
from havenfs.sidecars import beside
from havenfs.sidecars.given import Given, Moment, Position
from havenfs.sidecars.merge import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import apsw

    from havend.leaving import Exported
    from havenfs.entities import AssetId

    from ..conftest import Shelf  # noqa: TID252 -- a type of the tests

THEIRS = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Exposure2012="+0.35"/></rdf:RDF></x:xmpmeta>'
)


def add(shelf: Shelf, path: str, **more: Any) -> AssetId:
    data = (path * 50).encode()
    return shelf.add(path, data, hash=blake3(data).digest(), **more)


@pytest.fixture
def library(shelf: Shelf) -> Shelf:
    """A described picture, a RAW with Lightroom's sidecar and its JPEG, one without a date."""
    add(shelf, "a/IMG_1.jpg", taken="2019-07-14T10:15:00", taken_source="takeout", taken_offset=120, rating=4, caption="Hello",
        keywords='["beach"]', latitude=41.8902, longitude=12.4922)  # fmt: skip
    raw = add(shelf, "a/IMG_2.CR2", taken="2019-08-01T00:00:00", raw=1)
    jpeg = add(shelf, "a/IMG_2.JPG", taken="2019-08-01T00:00:00")
    shelf.put(raw, primary_id=jpeg, role="raw")
    (shelf.root / "a/IMG_2.xmp").write_bytes(THEIRS)
    add(shelf, "b/scan.png", taken="2021-03-01T00:00:00", taken_source="mtime", mime="image/png")
    return shelf


def export(shelf: Shelf, to: Path, *, how: How = How.BEST, layout: Layout = Layout.BY_DATE, query: str | None = None,
           view: str | None = None) -> Exported:  # fmt: skip
    return leaving.export(shelf.state, to, query=query, view=view, layout=layout, how=how, progress=lambda done, total: None)  # fmt: skip


def tree(directory: Path) -> Iterator[str]:
    return (str(p.relative_to(directory)) for p in sorted(directory.rglob("*")) if p.is_file() and p.name != NOTE)  # fmt: skip


BY_DATE = ["2019/07/IMG_1.jpg", "2019/07/IMG_1.jpg.xmp", "2019/08/IMG_2.CR2", "2019/08/IMG_2.JPG", "2019/08/IMG_2.xmp", "undated/scan.png"]  # fmt: skip
AS_IS = ["photos/a/IMG_1.jpg", "photos/a/IMG_1.jpg.xmp", "photos/a/IMG_2.CR2", "photos/a/IMG_2.JPG", "photos/a/IMG_2.xmp", "photos/b/scan.png"]  # fmt: skip


@pytest.mark.parametrize(("layout", "expected"), [(Layout.BY_DATE, BY_DATE), (Layout.AS_IS, AS_IS)])
def test_everything_is_there_as_hard_links_with_sidecars(
    library: Shelf, tmp_path: Path, layout: Layout, expected: list[str]
):
    done = export(library, tmp_path / "out", layout=layout)
    assert done.complete
    assert list(tree(tmp_path / "out")) == expected
    assert (done.report.done[How.LINK], done.report.sidecars) == (4, 2)
    first = tmp_path / "out" / expected[0]
    assert first.samefile(library.root / "a/IMG_1.jpg")
    assert read((tmp_path / "out" / expected[1]).read_bytes()).given == Given(
        tags=(("beach",),), rating=4, caption="Hello", taken=Moment(1563099300, 120), position=Position(41.8902, 12.4922),
    )  # fmt: skip
    # Nothing to add: theirs to the byte.
    assert (tmp_path / "out" / expected[4]).read_bytes() == THEIRS


def test_exiftool_reads_the_export(library: Shelf, tmp_path: Path):
    export(library, tmp_path / "out")
    done = subprocess.run(
        [shutil.which("exiftool") or "exiftool", "-s3", "-n", "-Rating", "-Description", "-GPSLatitude", tmp_path / "out/2019/07/IMG_1.jpg.xmp"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split("\n") == ["4", "Hello", "41.8902", ""]


def test_copies_are_files_of_their_own_with_the_time_of_the_original(
    library: Shelf, tmp_path: Path
):
    os.utime(library.root / "a/IMG_1.jpg", ns=(10**18, 10**18))
    done = export(library, tmp_path / "out", how=How.COPY)
    assert done.report.done == {How.COPY: 4}
    copy, original = tmp_path / "out/2019/07/IMG_1.jpg", library.root / "a/IMG_1.jpg"
    assert copy.stat().st_mtime_ns == 10**18
    assert copy.read_bytes() == original.read_bytes()
    assert not copy.samefile(original)


def test_a_copy_whose_bytes_are_not_those_indexed_is_left_out_and_said(
    library: Shelf, tmp_path: Path
):
    (library.root / "a/IMG_1.jpg").write_bytes(b"damaged")
    (library.root / "b/scan.png").unlink()
    done = export(library, tmp_path / "out", how=How.COPY)
    reasons = {path.rpartition("/")[2]: reason for path, reason in done.report.left_out}
    assert reasons == {
        "IMG_1.jpg": "its bytes are not those that were indexed: changed since, or damaged",
        "scan.png": "No such file or directory",
    }
    assert not done.complete
    assert list(tree(tmp_path / "out")) == BY_DATE[2:5]
    assert "Left out (2)" in done.as_text()


def test_files_with_the_same_bytes_come_once_and_that_is_said(library: Shelf, tmp_path: Path):
    library.catalog.write(_again)
    done = export(library, tmp_path / "out", layout=Layout.AS_IS)
    assert "Further copies of the same bytes: 1 files" in done.as_text()
    assert list(tree(tmp_path / "out")) == AS_IS


def _again(db: apsw.Connection) -> None:
    db.execute(
        "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state, hash, asset_id)"
        " SELECT source_id, CAST('again.jpg' AS BLOB), size, mtime_ns, device, 1, state, hash, asset_id FROM file LIMIT 1"
    )


@pytest.mark.parametrize("how", [How.BEST, How.COPY])
def test_the_same_command_goes_on_and_changes_nothing_that_is_there(
    library: Shelf, tmp_path: Path, how: How
):
    out = tmp_path / "out"
    export(library, out, how=how)
    (out / BY_DATE[3]).unlink()
    (out / BY_DATE[1]).unlink()
    before = {name: (out / name).stat().st_mtime_ns for name in tree(out)}
    again = export(library, out, how=how)
    assert again.complete
    assert list(tree(out)) == BY_DATE
    assert (again.report.done[How.THERE], again.report.sidecars) == (3, 1)
    assert before.items() <= {name: (out / name).stat().st_mtime_ns for name in tree(out)}.items()


def test_a_full_disk_ends_it_and_it_goes_on_afterwards(
    library: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    calls = [0]
    real = placing._copy

    def full(*arguments: Any) -> None:
        calls[0] += 1
        if calls[0] == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(*arguments)

    monkeypatch.setattr(placing, "_copy", full)
    with pytest.raises(HavenError, match="No space left"):
        export(library, tmp_path / "out", how=How.COPY)
    assert export(library, tmp_path / "out", how=How.COPY).complete
    assert list(tree(tmp_path / "out")) == BY_DATE


def test_nothing_is_overwritten(library: Shelf, tmp_path: Path):
    out = tmp_path / "out"
    export(library, out)
    (out / BY_DATE[0]).unlink()
    (out / BY_DATE[0]).write_bytes(b"somebody's")
    (out / BY_DATE[4]).write_bytes(b"somebody's edit")
    done = export(library, out)
    assert [reason for _, reason in done.report.left_out] == [
        "something else is called IMG_1.jpg there",
        "another IMG_2.xmp is there",
    ]
    assert (out / BY_DATE[0]).read_bytes() == b"somebody's"
    assert (out / BY_DATE[4]).read_bytes() == b"somebody's edit"


def test_a_folder_of_somebody_elses_is_refused(library: Shelf, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").touch()
    with pytest.raises(ConfigError, match="not empty"):
        export(library, out)
    with pytest.raises(ConfigError, match="lie in each other"):
        export(library, library.root / "out")
    export(library, tmp_path / "other")
    with pytest.raises(ConfigError, match="another layout"):
        export(library, tmp_path / "other", layout=Layout.AS_IS)


def test_a_view_or_a_search_takes_its_stacks_whole(library: Shelf, tmp_path: Path):
    assert export(library, tmp_path / "august", view="by-date/2019/08").complete
    assert list(tree(tmp_path / "august")) == BY_DATE[2:5]
    assert export(library, tmp_path / "found", query="rating=4").complete
    assert list(tree(tmp_path / "found")) == BY_DATE[:2]
    with pytest.raises(NotFound):
        export(library, tmp_path / "none", view="by-date/1999")
    with pytest.raises(ConfigError):
        export(library, tmp_path / "files", view="files/photos")


def test_what_was_said_of_a_read_only_source_comes_along(library: Shelf, tmp_path: Path):
    """It stands in the state directory, and holds what Lightroom wrote beside the original."""
    source = library.catalog.read(sources.by_name, "photos")
    raw = (library.root / "a/IMG_2.CR2").read_bytes()
    beside.write(
        source, b"a/IMG_2.CR2", blake3(raw).digest(), Given(favourite=True), state=library.state
    )
    export(library, tmp_path / "out")
    data = (tmp_path / "out" / BY_DATE[4]).read_bytes()
    assert b'crs:Exposure2012="+0.35"' in data
    assert read(data).given == Given(favourite=True)
    assert (library.root / "a/IMG_2.xmp").read_bytes() == THEIRS


def test_a_damaged_sidecar_goes_along_as_it_is_and_that_is_said(library: Shelf, tmp_path: Path):
    (library.root / "a/IMG_2.xmp").write_bytes(b"<damaged")
    done = export(library, tmp_path / "out")
    assert (tmp_path / "out" / BY_DATE[4]).read_bytes() == b"<damaged"
    assert [path.rpartition("/")[2] for path, _ in done.report.left_out] == ["IMG_2.CR2 (sidecar)"]


def test_what_cannot_be_linked_is_copied_or_left_out_as_asked(
    library: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    link = os.link

    def another_disk(source: Any, target: Any, **more: Any) -> None:
        if isinstance(source, bytes):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        link(source, target, **more)

    monkeypatch.setattr(os, "link", another_disk)
    assert export(library, tmp_path / "out").report.done == {How.COPY: 4}
    refused = export(library, tmp_path / "links", how=How.LINK)
    assert len(refused.report.left_out) == 4
    assert refused.report.left_out[0][1] == "it cannot be linked: Invalid cross-device link"
