"""What every folder of the tree promises, whatever it shows."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import names
from havenfs.errors import NotFound
from havenfs.retrieval.search import Searcher
from havenfs.views import DiskDirectory, DiskFile, Leaf, Text, open_tree

if TYPE_CHECKING:
    from havenfs.views import Directory, Folder

FOLDERS = [
    "",
    "files",
    "files/photos",
    "files/photos/2019/rome",
    "inbox",
    "inbox/_suggested",
    "inbox/_accept",
    "by-date",
    "by-date/2019",
    "by-date/2019/07",
    "by-date/_undated",
    "places",
    "places/Italy",
    "places/Italy/Rome",
    "places/Italy/_elsewhere",
    "places/_nowhere",
    "people",
    "types",
    "types/photos",
    "types/videos",
    "types/live",
    "types/raw",
    "types/screenshots",
    "types/documents",
    "search",
    "saved",
    "search/dog",
    "search/dog/@ranked",
    "search/dog/@places",
    "search/dog/@places/Italy/Rome",
    "tags",
    "albums",
    "favorites",
    "tags/_suggested",
    "tags/_untagged",
    "tags/_suggested/dog",
    "by-date/2019/@tags/_suggested",
    "duplicates",
    "duplicates/IMG_0001.jpg",
    "duplicates/IMG_0001.jpg/@types/photos",
    "trash",
    ".haven",
    ".haven/by-id",
    "@people",
    "@tags",
    "@all-files",
    "by-date/2019/@places/Italy",
    "by-date/2019/@not/@places/Italy/Rome",
    "by-date/2019/@not/@search/dog",
    "places/Italy/@search/dog",
]


def walk(tree: Folder, path: str) -> Any:
    node: Any = tree
    for step in filter(None, path.split("/")):
        node = node.lookup(step.encode())
    return node


def key_of(node: Any) -> Any:
    if isinstance(node, Leaf):
        return node.asset.id
    if isinstance(node, DiskFile | DiskDirectory):
        return node.path
    return node.key


@pytest.fixture(scope="module")
def tree(standing: Any) -> Folder:
    standing.catalog.write(_copies)
    return open_tree(standing.catalog, Searcher(standing.catalog, None))


def _copies(db: Any) -> None:
    """The two pictures of Rome, for want of real copies; one of them is taken for a dog and for children at play."""
    db.execute(
        'INSERT INTO suggested_tag SELECT asset.id, value, 0.9 FROM asset, json_each(\'["dog", "children: at play?"]\')'
        " WHERE name = 'IMG_0001.jpg'"
    )
    db.execute(
        "INSERT INTO duplicate SELECT id, 1 FROM asset WHERE name IN ('IMG_0001.jpg', 'IMG_0002.jpg')"
    )


@pytest.fixture(params=FOLDERS)
def folder(tree: Folder, request: pytest.FixtureRequest) -> Directory:
    return walk(tree, request.param)


def test_names_are_unique_also_to_a_client_that_folds_case(folder: Directory):
    listed = [names.key(name.decode()) for name, _ in folder.entries()]
    assert len(listed) == len(set(listed))


def test_names_are_legal_everywhere(folder: Directory):
    for name, _ in folder.entries():
        assert names.legal(name.decode()) == name.decode()


def test_a_listing_says_the_same_twice(folder: Directory):
    first = [(name, key_of(node)) for name, node in folder.entries()]
    assert [(name, key_of(node)) for name, node in folder.entries()] == first


def test_what_is_listed_can_be_looked_up_as_the_same_thing(folder: Directory):
    for name, node in folder.entries():
        found = folder.lookup(name)
        assert type(found) is type(node)
        assert key_of(found) == key_of(node)


def test_names_that_are_not_there_are_not_found(folder: Directory):
    for name in (b"no such thing.jpg.lnk", b"desktop.ini", b".DS_Store", b"\xff\xfe", b"@nothing"):
        if folder.key in ("search", "places/1/@search") and name in (b"@nothing",):
            continue  # any text resolves there
        with pytest.raises(NotFound):
            folder.lookup(name)


def test_a_name_in_another_case_is_respelt(folder: Directory):
    for name, _ in folder.entries():
        other = unicodedata.normalize("NFD", name.decode().swapcase()).encode()
        respelt = folder.real_name(other)
        assert respelt == name or folder.key == "search"
        assert folder.real_name(name) == name


def test_keys_of_folders_are_theirs_alone(tree: Folder):
    keys = [walk(tree, path).key for path in FOLDERS]
    assert len(keys) == len(set(keys))


def test_no_file_of_the_system_is_empty(tree: Folder):
    texts = [
        walk(tree, path) for path in (".haven/status.json", ".haven/undo", "search/README.txt")
    ]
    assert all(isinstance(text, Text) and text.render() for text in texts)
