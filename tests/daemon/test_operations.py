from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from havend.inodes import ROOT, InodeTable
from havend.operations import Operations
from havend.stats import LONG_S, SHORT_S
from havenfs.entities import Caller
from havenfs.errors import (
    Exists,
    IsADirectory,
    NameTooLong,
    NoAttribute,
    NotADirectory,
    NotFound,
    NotPermitted,
    ReadOnly,
    SourceGone,
    TooDeep,
    Unsupported,
)
from havenfs.retrieval.search import Searcher
from havenfs.views import open_tree

if TYPE_CHECKING:
    from havend.stats import Attributes


ROOT_USER = Caller(0, 0, 1)


@pytest.fixture
def operations(household: Any) -> Operations:
    tree = open_tree(household.catalog, Searcher(household.catalog, None))
    return Operations(tree, InodeTable(tree, now_ns=1), uid=12, gid=34)


def walk(operations: Operations, path: str) -> Attributes:
    found = operations.getattr(ROOT)
    for step in filter(None, path.split("/")):
        found = operations.lookup(found.nodeid, step.encode())
    return found


def names(operations: Operations, path: str) -> list[str]:
    return [name.decode() for name, _ in operations.listing(walk(operations, path).nodeid).entries]


def test_folders_are_listed(operations: Operations):
    assert names(operations, "") == [
        "files",
        "inbox",
        "by-date",
        "places",
        "people",
        "types",
        "tags",
        "albums",
        "favorites",
        "search",
        "saved",
        "duplicates",
        "trash",
        ".haven",
    ]
    assert names(operations, "by-date") == ["2019", "2020", "_undated"]
    assert names(operations, "by-date/2019") == ["07", "12"]
    assert names(operations, "by-date/2019/07") == ["IMG_0001.jpg", "IMG_0002.jpg"]
    assert names(operations, "places") == ["Germany", "Italy", "United States", "_nowhere"]
    assert names(operations, "places/Italy") == ["Rome", "_elsewhere"]
    assert names(operations, "places/United States") == [
        "Springfield [Illinois]",
        "Springfield [Ohio]",
    ]
    assert names(operations, "types/screenshots") == ["screen.png"]
    assert "screen.png" not in names(operations, "types/photos")


def test_facets_intersect_from_left_to_right(operations: Operations):
    assert names(operations, "by-date/2019/@places/Germany/Munich")[0].startswith("IMG_0001~")
    assert names(operations, "by-date/2019/@places") == ["Germany", "Italy"]
    assert names(operations, "by-date/@not/@places/Italy") == ["Rome", "_elsewhere"]
    assert len(names(operations, "by-date/2019/@not/@places/Italy/@all-files")) == 1
    assert names(operations, "@SEARCH/dog/@Types/documents") == ["invoice.pdf"]
    assert names(operations, "types/photos/@search/fountain") == ["IMG_0001.jpg"]
    assert names(operations, "types/photos/@not/@search/fountain/@by-date") == ["2019", "_undated"]
    assert names(operations, "search/dog/@ranked")[0].startswith("001 ")
    assert names(operations, "@people") == []


def test_no_name_of_a_computed_folder_has_more_than_255_bytes(operations: Operations):
    for place in ("", "albums", "people", "search", "by-date", "files", "albums/@people"):
        with pytest.raises(NameTooLong):
            walk(operations, f"{place}/{'y' * 256}")
    with pytest.raises(NotFound):
        walk(operations, f"albums/{'y' * 255}")
    with pytest.raises(NameTooLong):
        operations.mkdir(walk(operations, "albums").nodeid, b"y" * 256, 0o755, ROOT_USER)
    # Of a disk that one says it itself: some count characters.
    with pytest.raises(OSError, match="too long"):
        walk(operations, f"files/photos/{'y' * 256}")


def test_facets_are_not_listed(operations: Operations):
    for path in ("", "by-date", "by-date/2019", "types/photos", "search/dog"):
        assert not any(name.startswith("@") for name in names(operations, path))


def test_eight_facets_deep_is_enough(operations: Operations):
    assert walk(operations, "/".join(["@all-files"] * 8))
    with pytest.raises(TooDeep):
        walk(operations, "/".join(["@all-files"] * 9))


def test_one_asset_has_one_inode_in_every_view_and_one_number_everywhere(operations: Operations):
    views = [
        walk(operations, path)
        for path in (
            "by-date/2019/07/IMG_0001.jpg",
            "places/Italy/Rome/IMG_0001.jpg",
            "search/fountain/IMG_0001.jpg",
        )
    ]
    original = walk(operations, "files/photos/2019/rome/IMG_0001.jpg")
    assert len({found.nodeid for found in views}) == 1
    assert {found.number for found in views} == {original.number}
    assert original.nodeid != views[0].nodeid  # so that it can be written to in one place only


def test_attributes_in_views_are_the_catalogs(operations: Operations, household: Any):
    found = walk(operations, "by-date/2019/07/IMG_0001.jpg")
    real = os.lstat(household.root / "2019/rome/IMG_0001.jpg")
    assert (found.size, found.mtime_ns) == (real.st_size, real.st_mtime_ns)
    assert (found.mode, found.uid, found.gid) == (stat.S_IFREG | 0o444, 12, 34)
    assert found.nlink >= 1
    assert found.entry_s == found.attributes_s == LONG_S


def test_attributes_in_files_are_the_disks(operations: Operations, household: Any):
    path = household.root / "2019/rome/IMG_0001.jpg"
    path.chmod(0o600)
    found = walk(operations, "files/photos/2019/rome/IMG_0001.jpg")
    real = os.lstat(path)
    assert (found.mode, found.uid, found.nlink) == (real.st_mode, real.st_uid, real.st_nlink)
    assert found.entry_s == SHORT_S
    folder = walk(operations, "files/photos/2019")
    assert stat.S_ISDIR(folder.mode)
    assert folder.nlink >= 2


def test_directories_have_two_links_or_more(operations: Operations):
    for path in ("", "by-date", "places/Italy/Rome", "search/dog", "files"):
        assert walk(operations, path).nlink >= 2


def test_every_entry_of_a_listing_has_the_inode_that_its_lookup_gives(operations: Operations):
    for path in ("by-date/2019/07", "files/photos", "places/Italy", ".haven", "search"):
        directory = walk(operations, path)
        for name, node in operations.listing(directory.nodeid).entries:
            assert operations.table.number(node) == operations.lookup(directory.nodeid, name).nodeid


def test_an_open_file_is_the_original(operations: Operations, household: Any):
    number = walk(operations, "types/photos/IMG_0001.jpg").nodeid
    opened = operations.open(number, os.O_RDONLY, ROOT_USER)
    assert operations.read(opened.handle, 0, 10) == b"2019/rome/"
    assert not opened.uncached
    operations.release(opened.handle)
    assert len(operations.handles) == 0


def test_pages_are_kept_while_the_original_is_the_same(operations: Operations, household: Any):
    number = walk(operations, "types/photos/IMG_0001.jpg").nodeid

    def kept() -> bool:
        opened = operations.open(number, os.O_RDONLY, ROOT_USER)
        operations.release(opened.handle)
        return opened.keep

    assert [kept(), kept(), kept()] == [False, True, True]
    (household.root / "2019/rome/IMG_0001.jpg").write_bytes(b"edited")
    assert [kept(), kept()] == [False, True]


def test_an_original_of_another_size_is_not_cut_to_the_known_one(
    operations: Operations, household: Any
):
    number = walk(operations, "types/photos/IMG_0001.jpg").nodeid
    (household.root / "2019/rome/IMG_0001.jpg").write_bytes(b"x" * 10_000)
    opened = operations.open(number, os.O_RDONLY, ROOT_USER)
    assert opened.uncached
    operations.release(opened.handle)


def test_a_missing_original_is_not_found_and_a_missing_disk_is_an_error(
    operations: Operations, household: Any
):
    number = walk(operations, "types/photos/IMG_0001.jpg").nodeid
    (household.root / "2019/rome/IMG_0001.jpg").unlink()
    with pytest.raises(NotFound):
        operations.open(number, os.O_RDONLY, ROOT_USER)
    household.root.rename(household.root.parent / "away")
    with pytest.raises(SourceGone):
        operations.open(number, os.O_RDONLY, ROOT_USER)
    assert names(operations, "files") == []


def test_symlinks_in_a_source_lead_nowhere(operations: Operations, household: Any):
    (household.root / "out").symlink_to("/etc")
    found = walk(operations, "files/photos/out")
    assert stat.S_ISLNK(found.mode)
    assert operations.readlink(found.nodeid) == b"/etc"
    with pytest.raises(NotADirectory):
        operations.lookup(found.nodeid, b"passwd")
    # An asset whose folder was replaced by a symlink is not read through it.
    number = walk(operations, "types/photos/IMG_0001.jpg").nodeid
    (household.root / "2019").rename(household.root.parent / "2019")
    (household.root / "2019").symlink_to(household.root.parent / "2019")
    with pytest.raises(NotFound):
        operations.open(number, os.O_RDONLY, ROOT_USER)


def test_a_fifo_in_the_place_of_an_original_does_not_hang(operations: Operations, household: Any):
    number = walk(operations, "types/photos/IMG_0001.jpg").nodeid
    original = household.root / "2019/rome/IMG_0001.jpg"
    original.unlink()
    os.mkfifo(original)
    with pytest.raises(NotPermitted):
        operations.open(number, os.O_RDONLY, ROOT_USER)


def test_extended_attributes_of_an_asset(operations: Operations):
    number = walk(operations, "by-date/2019/07/IMG_0001.jpg").nodeid
    assert operations.getxattr(number, b"user.haven.gps") == b"41.900000,12.500000"
    assert operations.getxattr(number, b"user.haven.caption") == b"a dog at the fountain"
    assert len(operations.getxattr(number, b"user.haven.hash")) == 64
    with pytest.raises(NoAttribute):
        operations.getxattr(number, b"user.haven.text")
    with pytest.raises(NoAttribute):
        operations.getxattr(number, b"security.capability")
    with pytest.raises(Unsupported):
        operations.getxattr(number, b"user.haven.nonsense")
    for name in operations.listxattr(number):
        assert operations.getxattr(number, name)


def test_files_show_the_same_attributes_and_the_disks_own(operations: Operations, household: Any):
    os.setxattr(household.root / "papers/invoice.pdf", "user.mine", b"1")
    number = walk(operations, "files/photos/papers/invoice.pdf").nodeid
    assert operations.getxattr(number, b"user.haven.text") == b"invoice for a dog"
    assert operations.getxattr(number, b"user.mine") == b"1"
    walk(operations, "types/documents/invoice.pdf")
    assert operations.getxattr(number, b"user.mine") == b"1"
    # Not listed: `rsync -X` would take it for the file's own, and fail to set or to remove it.
    assert operations.listxattr(number) == [b"user.mine"]


def test_a_hit_says_its_score_and_why(operations: Operations):
    number = walk(operations, "search/fountain/IMG_0001.jpg").nodeid
    assert float(operations.getxattr(number, b"user.haven.score")) > 0
    assert b"fountain" in operations.getxattr(number, b"user.haven.why")
    walk(operations, "by-date/2019/07/IMG_0001.jpg")
    operations.news()  # of anything
    assert operations.getxattr(number, b"user.haven.why")


def test_samba_is_told_how_a_name_is_spelt(operations: Operations):
    def spelt(path: str, name: str) -> bytes:
        return operations.getxattr(
            walk(operations, path).nodeid, b"glusterfs.get_real_filename:" + name.encode()
        )

    assert spelt("by-date/2019/07", "img_0001.JPG") == b"IMG_0001.jpg\0"
    assert spelt("", "BY-DATE") == b"by-date\0"
    assert spelt("files/photos", "PAPERS") == b"papers\0"
    assert spelt("search", "readme.TXT") == b"README.txt\0"
    for path, name in (
        ("by-date/2019/07", "desktop.ini"),
        ("search", "desktop.ini"),
        ("", "thumbs.db"),
    ):
        with pytest.raises(NoAttribute):
            spelt(path, name)


def test_changes_are_refused_for_the_reason_that_holds_there(operations: Operations):
    with pytest.raises(ReadOnly):
        operations.mkdir(walk(operations, "files/photos").nodeid, b"new", 0o755, ROOT_USER)
    with pytest.raises(Exists):
        operations.mkdir(walk(operations, "search").nodeid, b"new", 0o755, ROOT_USER)
    for path in ("by-date/2019/07", "types/photos", "search/dog", ".haven", "@people", "files"):
        with pytest.raises(NotPermitted):
            operations.mkdir(walk(operations, path).nodeid, b"new", 0o755, ROOT_USER)
        # A month takes copies of what is known, where there is anywhere to write them first.
        with pytest.raises(ReadOnly if path.startswith("by-date") else NotPermitted):
            operations.create(walk(operations, path).nodeid, b"new", 0o644, os.O_RDWR, ROOT_USER)
    leaf = walk(operations, "types/photos/IMG_0002.jpg").nodeid
    with pytest.raises(NotPermitted):
        operations.open(leaf, os.O_RDWR, ROOT_USER)
    with pytest.raises(NotPermitted):
        operations.setxattr(leaf, b"user.haven.hash", b"", 0, ROOT_USER)
    with pytest.raises(Unsupported):
        operations.setxattr(leaf, b"user.haven.nonsense", b"", 0, ROOT_USER)
    original = walk(operations, "files/photos/papers/invoice.pdf").nodeid
    with pytest.raises(ReadOnly):
        operations.open(original, os.O_WRONLY, ROOT_USER)


def test_directories_and_files_are_not_mistaken_for_each_other(operations: Operations):
    with pytest.raises(IsADirectory):
        operations.open(walk(operations, "by-date").nodeid, os.O_RDONLY, ROOT_USER)
    with pytest.raises(NotADirectory):
        operations.lookup(walk(operations, "search/README.txt").nodeid, b"x")


def test_probes_never_search(operations: Operations):
    searched: list[str] = []
    real = operations.library.searcher.search

    def search(text: Any, **options: Any) -> Any:
        searched.append(text)
        return real(text, **options)

    operations.library.searcher.search = search
    for name in (
        "desktop.ini",
        ".DS_Store",
        "._dog",
        "Thumbs.db",
        ".git",
        ".Trash-1000",
        "autorun.inf",
        "folder.jpg",
    ):
        with pytest.raises(NotFound):
            walk(operations, f"search/{name}")
        with pytest.raises(NotFound):
            walk(operations, f"search/dog/{name}")
    walk(operations, "search/a dog on the beach")
    walk(operations, "search/dog/@places")
    assert searched == []
    names(operations, "search/fountain")
    walk(operations, "search/fountain/IMG_0001.jpg")
    assert searched == ["fountain"]


def test_only_searches_disks_and_reports_are_slow(operations: Operations):
    for path, slow in (
        ("by-date/2019/07", False),
        ("by-date/2019/07/IMG_0001.jpg", False),
        ("search", False),
        ("search/dog", True),
        ("search/dog/@places", True),
        ("files/photos", True),
        (".haven/status.json", True),
    ):
        assert operations.slow(walk(operations, path).nodeid) is slow


def test_status_and_errors_are_readable(operations: Operations):
    with pytest.raises(NotFound):
        walk(operations, "search/nothing by this name.lnk")
    opened = operations.open(walk(operations, ".haven/status.json").nodeid, os.O_RDONLY, ROOT_USER)
    assert b'"assets": 9' in operations.read(opened.handle, 0, 1 << 20)
    operations.release(opened.handle)
    assert operations.statfs(ROOT).f_blocks > 0
