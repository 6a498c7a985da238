"""Writing sidecars on a real disk, with others at work beside us."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from havenfs import mates
from havenfs.config import State
from havenfs.entities import Source, SourceId
from havenfs.errors import NotPermitted, ReadOnly, SourceGone, Unreadable
from havenfs.sidecars import beside
from havenfs.sidecars.given import Given
from havenfs.sidecars.merge import read

if TYPE_CHECKING:
    from havenfs.sidecars.beside import Outcome
    from havenfs.sidecars.given import Marks

THEIRS = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description>{}</dc:description>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
HASH = bytes(range(32))


@pytest.fixture
def state(tmp_path: Path) -> State:
    (tmp_path / "state").mkdir()
    return State(root=tmp_path / "state")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "photos" / "2019"
    made.mkdir(parents=True)
    (made / "IMG_1.jpg").write_bytes(b"picture")
    return made.parent


def write(
    root: Path,
    state: State,
    given: Given,
    *,
    writable: bool = True,
    name: str = "2019/IMG_1.jpg",
    agreed: Marks | None = None,
) -> Outcome:
    source = Source(id=SourceId(1), name="photos", root=os.fsencode(root), writable=writable)
    return beside.write(source, name.encode(), HASH, given, state=state, agreed=agreed)


@as_root
def test_a_new_sidecar_stands_beside_the_picture_and_belongs_to_its_owner(root: Path, state: State):
    picture = root / "2019/IMG_1.jpg"
    picture.chmod(0o750)
    os.chown(picture, 1234, 2345)
    outcome = write(root, state, Given(rating=4))
    path = root / "2019/IMG_1.jpg.xmp"
    assert outcome.path == b"2019/IMG_1.jpg.xmp"
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777, status.st_nlink) == (
        1234,
        2345,
        0o640,
        1,
    )
    assert outcome.status is not None
    assert (outcome.status.st_ino, outcome.status.st_mtime_ns) == (
        status.st_ino,
        status.st_mtime_ns,
    )
    assert read(path.read_bytes()).given == Given(rating=4)
    assert sorted(os.listdir(root / "2019")) == ["IMG_1.jpg", "IMG_1.jpg.xmp"]


@as_root
def test_the_sidecar_that_is_there_is_kept_with_its_name_owner_mode_and_attributes(
    root: Path, state: State
):
    path = root / "2019/IMG_1.xmp"
    path.write_bytes(THEIRS.format("theirs").encode())
    path.chmod(0o604)
    os.chown(path, 1234, 2345)
    os.setxattr(path, "user.mine", b"kept")
    assert write(root, state, Given(rating=4)).path == b"2019/IMG_1.xmp"
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (1234, 2345, 0o604)
    assert os.getxattr(path, "user.mine") == b"kept"
    assert read(path.read_bytes()).given.rating == 4


def test_writing_what_is_there_touches_nothing(root: Path, state: State):
    first = write(root, state, Given(rating=4))
    assert first.status is not None
    assert write(root, state, Given(rating=4)).status is None
    assert (root / "2019/IMG_1.jpg.xmp").stat().st_mtime_ns == first.status.st_mtime_ns


@pytest.mark.parametrize("data", [b"", b"<x:xmpmeta", b"no xml at all"])
def test_a_damaged_sidecar_is_never_overwritten(root: Path, state: State, data: bytes):
    path = root / "2019/IMG_1.jpg.xmp"
    path.write_bytes(data)
    with pytest.raises(Unreadable):
        write(root, state, Given(rating=4))
    assert path.read_bytes() == data
    assert sorted(os.listdir(root / "2019")) == ["IMG_1.jpg", "IMG_1.jpg.xmp"]


def test_links_are_not_followed(root: Path, state: State, tmp_path: Path):
    aim = tmp_path / "aim.xmp"
    (root / "2019/IMG_1.jpg.xmp").symlink_to(aim)
    with pytest.raises(Unreadable):
        write(root, state, Given(rating=4))
    (root / "away").symlink_to(tmp_path)
    (tmp_path / "b.jpg").touch()
    with pytest.raises((Unreadable, SourceGone)):
        write(root, state, Given(rating=4), name="away/b.jpg")
    assert not aim.exists()
    assert not (tmp_path / "b.jpg.xmp").exists()


@as_root
@pytest.mark.usefixtures("open_house")
def test_a_sidecar_whose_owner_we_cannot_keep_is_left_alone(root: Path, state: State):
    path = root / "2019/IMG_1.jpg.xmp"
    before = THEIRS.format("theirs").encode()
    path.write_bytes(before)
    (root / "2019").chmod(0o777)
    os.seteuid(4321)
    try:
        with pytest.raises(NotPermitted):
            write(root, state, Given(rating=4))
    finally:
        os.seteuid(0)
    assert path.read_bytes() == before
    assert sorted(os.listdir(root / "2019")) == ["IMG_1.jpg", "IMG_1.jpg.xmp"]


@as_root
@pytest.mark.usefixtures("open_house")
def test_a_folder_that_takes_no_writes_is_said_to_be_so(root: Path, state: State):
    os.seteuid(4321)
    try:
        with pytest.raises(ReadOnly):
            write(root, state, Given(rating=4))
    finally:
        os.seteuid(0)
    assert os.listdir(root / "2019") == ["IMG_1.jpg"]


def test_for_a_read_only_source_it_goes_to_the_state_directory(root: Path, state: State):
    before = THEIRS.format("theirs").encode()
    (root / "2019/IMG_1.xmp").write_bytes(before)
    outcome = write(root, state, Given(rating=4), writable=False)
    path = Path(os.fsdecode(outcome.root + b"/" + outcome.path))
    assert path == state.root / "sidecars" / HASH.hex()[:2] / f"{HASH.hex()}.xmp"
    assert read(path.read_bytes()).given.rating == 4
    assert (root / "2019/IMG_1.xmp").read_bytes() == before
    assert sorted(os.listdir(root / "2019")) == ["IMG_1.jpg", "IMG_1.xmp"]


def test_of_many_who_write_at_once_none_is_lost(root: Path, state: State):
    def add(number: int) -> None:
        write(root, state, Given(tags=((f"tag{number}",),)), agreed={})

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(add, range(12)))
    tags = read((root / "2019/IMG_1.jpg.xmp").read_bytes()).given.tags
    assert set(tags) == {(f"tag{number}",) for number in range(12)}
    assert sorted(os.listdir(root / "2019")) == ["IMG_1.jpg", "IMG_1.jpg.xmp"]


def test_what_somebody_writes_between_our_reading_and_renaming_is_not_lost(
    root: Path, state: State, monkeypatch: pytest.MonkeyPatch
):
    path = root / "2019/IMG_1.jpg.xmp"
    fsync, calls = os.fsync, [0]

    def another_program_is_faster(file: int) -> None:
        calls[0] += 1
        if calls[0] in (1, 2):  # once where there was none, once over what it wrote itself
            path.write_bytes(THEIRS.format(f"theirs {calls[0]}").encode())
        fsync(file)

    monkeypatch.setattr(os, "fsync", another_program_is_faster)
    write(root, state, Given(rating=4))
    found = read(path.read_bytes()).given
    assert (found.rating, found.caption) == (4, "theirs 2")


def test_what_a_killed_writer_left_is_cleared_away(root: Path, state: State):
    write(root, state, Given(rating=4))
    from hashlib import blake2b

    left = root / "2019" / f".haven-{blake2b(b'IMG_1.jpg.xmp', digest_size=6).hexdigest()}.tmp"
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    write(root, state, Given(rating=5))
    assert sorted(os.listdir(root / "2019")) == ["IMG_1.jpg", "IMG_1.jpg.xmp"]


@pytest.mark.parametrize(
    ("name", "present", "expected"),
    [
        (b"a.jpg", [b"a.jpg.xmp", b"a.xmp"], [b"a.jpg.xmp", b"a.xmp"]),
        (b"a.jpg", [b"a.jpg", b"a.CR2", b"a.xmp"], []),
        (b"a.CR2", [b"a.jpg", b"a.CR2", b"a.xmp"], [b"a.xmp"]),
        (b"a.jpg", [b"a.jpg", b"a.CR2", b"a.xmp", b"a.jpg.xmp"], [b"a.jpg.xmp"]),
        (b"a.mov", [b"a.mov", b"a.heic", b"a.XMP"], []),
        (b"a.heic", [b"a.mov", b"a.heic", b"a.XMP"], [b"a.XMP"]),
        (b"a.mov", [b"a.mov", b"a.xmp", b"a.json"], [b"a.xmp"]),
        (b"a", [b"a", b"a.xmp"], [b"a.xmp"]),
    ],
)  # fmt: skip
def test_each_picture_has_its_own_sidecar(name: bytes, present: list[bytes], expected: list[bytes]):
    assert mates.sidecars(name, present) == expected
