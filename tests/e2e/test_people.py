"""people/ through the real mount, with the programs that people use."""

from __future__ import annotations

import errno
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Shelf
from tests.identity.crowd import compare, crowd, look, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.fuse

ALL = [f"{number}.jpg" for number in range(6)]
PICTURE = "by-date/_undated"


@pytest.fixture
def people(shelf: Shelf, tmp_path: Path, serve: Any) -> Iterator[Path]:
    """`people` of a library in which C001 is in six pictures and C002 in the first four of them."""
    crowd(shelf)
    with serve(shelf.state.root, tmp_path / "mnt") as mount:
        yield mount.point / "people"


def run(*command: str | Path) -> str:
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=20)
    assert result.returncode == 0, result.stderr
    return result.stdout


def listed(path: Path) -> list[str]:
    return sorted(os.listdir(path))


def refused(number: int, operation: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(OSError, match=r"Errno") as caught:
        operation(*arguments)
    assert caught.value.errno == number, caught.value


def test_people_are_named_renamed_merged_and_taken_back(people: Path) -> None:
    assert listed(people / "_unnamed") == ["C001", "C002"]
    run("mv", people / "_unnamed/C001", people / "Alice")
    assert listed(people) == ["Alice", "_ignored", "_review", "_unnamed"]
    assert listed(people / "Alice") == ALL
    assert listed(people / "_unnamed") == ["C002"]
    run("mv", people / "Alice", people / "Alicia")
    assert listed(people / "Alicia") == ALL
    run("mkdir", people / "Bob")
    run("mv", "-T", people / "_unnamed/C002", people / "Bob")
    assert listed(people / "Bob") == ALL[:4]
    run("mv", people / "Bob", people / "Alicia")  # into the folder, as mv(1) does
    assert listed(people) == ["Alicia", "_ignored", "_review", "_unnamed"]
    assert not (people / "Bob").exists()
    undo = (people.parent / ".haven/undo").read_text()
    assert "merged “Bob” into “Alicia”" in undo
    assert "named “Alice”; said that 6 faces are “Alice”" in undo


def test_pictures_are_put_to_people_taken_out_and_moved_on(people: Path) -> None:
    point = people.parent
    run("mv", people / "_unnamed/C001", people / "Alice")
    run("mkdir", people / "Bob")
    run("cp", "-l", point / PICTURE / "plain.jpg", people / "Bob")
    run("mv", people / "_unnamed/C002/1.jpg", people / "Bob")
    assert listed(people / "Bob") == [*ALL[:4], "plain.jpg"]
    assert (people / "Bob/1.jpg").stat().st_ino == (point / PICTURE / "1.jpg").stat().st_ino
    run("rm", people / "Bob/2.jpg")
    run("mv", people / "Alice/5.jpg", people / "Bob")
    assert listed(people / "Bob") == ["0.jpg", "1.jpg", "3.jpg", "5.jpg", "plain.jpg"]
    assert listed(people / "Alice") == ALL[:5]
    assert os.getxattr(point / PICTURE / "0.jpg", "user.haven.people") == b"Alice,Bob"
    assert listed(point / PICTURE / "@people/Alice/@people/Bob") == ["0.jpg", "1.jpg", "3.jpg"]
    run("rm", "-r", people / "Bob")
    assert listed(people) == ["Alice", "_ignored", "_review", "_unnamed"]
    assert listed(people / "_unnamed") == ["C002"]
    assert len(listed(point / PICTURE)) == 7


def test_a_person_in_a_raw_and_its_jpeg_is_forgotten_by_rm_r(
    shelf: Shelf, tmp_path: Path, serve: Any
) -> None:
    crowd(shelf)
    raw = shelf.add("3.CR2", mime="image/x-canon-cr2", raw=1)
    look(shelf, raw, seen(0, 3), seen(1, 3))
    compare(shelf)
    with serve(shelf.state.root, tmp_path / "mnt") as mount:
        people = mount.point / "people"
        run("mv", people / "_unnamed/C002", people / "Bob")
        assert listed(people / "Bob") == ALL[:4]
        run("rm", "-r", people / "Bob")
        assert listed(people) == ["_ignored", "_review", "_unnamed"]
        assert listed(people / "_unnamed") == ["C001", "C002"]


def test_new_pictures_are_copied_to_a_person(tmp_path: Path, serve: Any) -> None:
    shelf = Shelf(tmp_path, writable=True)
    crowd(shelf)
    new = tmp_path / "new.jpg"
    new.write_bytes(b"\xff\xd8\xff\xe0" + b"new" * 1000)
    with serve(shelf.state.root, tmp_path / "mnt") as mount:
        people = mount.point / "people"
        run("mv", people / "_unnamed/C001", people / "Alice")
        run("cp", new, people / "Alice")
        assert listed(people / "Alice") == [*ALL, "new.jpg"]
        assert (people / "Alice/new.jpg").read_bytes() == new.read_bytes()
        (uploaded,) = shelf.root.glob("Uploads/*/*/*")
        assert uploaded.name == "new.jpg"
        (tmp_path / "tool.exe").write_bytes(b"MZ" + bytes(1000))
        copy = subprocess.run(["cp", tmp_path / "tool.exe", people / "Alice"], capture_output=True)
        assert b"Invalid argument" in copy.stderr
        assert listed(people / "Alice") == [*ALL, "new.jpg"]
        refused(errno.EPERM, (people / "new.jpg").write_bytes, b"\xff\xd8\xff\xe0")
    shelf.catalog.close()


def test_who_is_hidden_and_shown_again(people: Path) -> None:
    run("mv", people / "_unnamed/C002", people / "_ignored")
    assert listed(people / "_unnamed") == ["C001"]
    assert listed(people / "_ignored") == ["C002"]
    run("mv", people / "_ignored/C002", people / "Bob")
    assert listed(people / "Bob") == ALL[:4]
    run("mv", people / "Bob", people / "_ignored/Bob")
    assert listed(people) == ["_ignored", "_review", "_unnamed"]
    run("rm", people / "_ignored/Bob/0.jpg")
    assert listed(people) == ["Bob", "_ignored", "_review", "_unnamed"]


def test_what_people_does_not_take_has_the_errno_of_the_table(people: Path) -> None:
    (people / "Alice").mkdir()
    (people / "Bob").mkdir()
    unnamed, picture = people / "_unnamed/C001", people.parent / PICTURE / "0.jpg"
    refused(errno.EEXIST, os.mkdir, people / "ALICE")
    refused(errno.EINVAL, os.mkdir, people / "_mine")
    refused(errno.EPERM, os.mkdir, people / "Alice/deeper")
    refused(errno.EPERM, os.mkdir, unnamed / "deeper")
    refused(errno.EPERM, os.mkdir, people / "_review/deeper")
    refused(errno.EPERM, os.link, picture, people / "0.jpg")
    refused(errno.EPERM, os.link, picture, unnamed / "9.jpg")
    refused(errno.EPERM, os.link, picture, people / "_review/0.jpg")
    refused(errno.EINVAL, os.link, picture, people / "_ignored/0.jpg")  # two strangers are in it
    refused(errno.EPERM, os.unlink, unnamed / "0.jpg")
    refused(errno.EPERM, os.rmdir, unnamed)
    refused(errno.EPERM, os.rmdir, people / "_review")
    refused(errno.EPERM, os.rename, people / "Alice", people.parent / "albums/Alice")
    refused(errno.EPERM, os.rename, people / "_review", people / "Review")
    os.link(picture, people / "Alice/0.jpg")
    refused(errno.ENOTEMPTY, os.rmdir, people / "Alice")
    with pytest.raises(PermissionError):
        (people / "Alice/0.jpg").write_bytes(b"over it")
    os.rename(people / "Alice", people / "Bob")
    assert listed(people / "Bob") == ["0.jpg"]
