"""people/ over real clusters: what each gesture decides, and what is seen then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from havenfs.catalog import clusters, given, persons
from havenfs.decisions import Keeper
from havenfs.errors import Exists, InvalidName, NotEmpty, NotFound, NotPermitted
from tests.identity.crowd import compare, crowd, look, seen, whole_pass
from tests.views.deciding import Deciding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from havenfs.views.nodes import Directory
    from tests.conftest import Shelf

LARGE, SMALL = "C001", "C002"
NOREPLACE = 1


class House(Deciding):
    """The tree of a library in which one person is in six pictures, another in four, a third in one of them."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.ids = crowd(shelf)
        super().__init__(shelf)

    def listed(self, path: str) -> list[str]:
        directory: Directory = self.at(path)
        return [entry[0].decode() for entry in directory.entries()]

    def mv(self, path: str, to: str, flags: int = 0) -> None:
        folder, _, name = path.rpartition("/")
        into, _, new = to.rpartition("/")
        self.at(folder).rename(name.encode(), self.at(into), new.encode(), flags, self.rights)

    def cp(self, path: str, to: str) -> None:
        name = path.rpartition("/")[2].encode()
        self.at(to).link(name, self.at(path), self.rights)

    def rm(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        self.at(folder).unlink(name.encode(), self.rights)

    def mkdir(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        self.at(folder).mkdir(name.encode(), 0o755, self.rights)

    def rmdir(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        self.at(folder).rmdir(name.encode(), self.rights)

    def undo(self) -> None:
        """Take back the newest that is not taken back."""
        done = (
            one for one in self.keeper.last() if not one.undone and one.operation.reverts is None
        )
        self.keeper.revert(next(done).operation.id, by="tester")

    def cluster(self) -> None:
        """What the indexer does within seconds, and when it has time."""
        compare(self.shelf, self.shelf.catalog.read(persons.said))
        whole_pass(self.shelf, self.shelf.catalog.read(persons.said))

    def given(self) -> dict[str, list[given.Row]]:
        return {table: self.shelf.catalog.read(given.rows, table) for table in given.TABLES}


@pytest.fixture
def house(shelf: Shelf) -> Iterator[House]:
    made = House(shelf)
    yield made
    made.shelf.catalog.close()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    from tests.conftest import Shelf

    return Shelf(tmp_path)


ALL = [f"{number}.jpg" for number in range(6)]


def test_a_group_is_named_by_moving_its_folder_and_stays_named(house: House) -> None:
    assert house.listed("people") == ["_unnamed", "_review", "_ignored", "README.txt"]
    assert house.listed("people/_unnamed") == [LARGE, SMALL]
    house.mv(f"people/_unnamed/{LARGE}", "people/Alice")
    for _ in range(2):
        assert house.listed("people") == ["_unnamed", "_review", "_ignored", "Alice"]
        assert house.listed("people/_unnamed") == [SMALL]
        assert house.listed("people/Alice") == ALL
        house.cluster()
    house.mv("people/Alice", "people/Alicia")
    assert house.listed("people/Alicia") == ALL
    with pytest.raises(NotFound):
        house.at("people/Alice")
    house.undo()
    house.undo()
    assert house.listed("people") == ["_unnamed", "_review", "_ignored", "README.txt"]
    assert house.listed("people/_unnamed") == [LARGE, SMALL]


def test_two_groups_of_one_person_become_one_and_two_again(house: House) -> None:
    house.mv(f"people/_unnamed/{LARGE}", "people/Alice")
    house.mv(f"people/_unnamed/{SMALL}", "people/Bob")
    before = house.given()
    with pytest.raises(Exists):
        house.mv("people/Bob", "people/Alice", NOREPLACE)
    house.mv("people/Bob", "people/Alice")
    assert house.listed("people/Alice") == ALL
    assert "Bob" not in house.listed("people")
    house.cluster()
    assert house.listed("people/Alice") == ALL
    house.undo()
    assert house.given() == before
    assert house.listed("people/Alice") == ALL
    assert house.listed("people/Bob") == ALL[:4]
    house.cluster()
    assert house.listed("people/Bob") == ALL[:4]


def test_a_group_moved_onto_or_into_a_person_is_that_person(house: House) -> None:
    house.mkdir("people/Alice")
    house.mv(f"people/_unnamed/{SMALL}", "people/Alice")
    assert house.listed("people/Alice") == ALL[:4]
    house.mv(f"people/_unnamed/{LARGE}", f"people/Alice/{LARGE}")  # as mv(1) does with a folder
    assert house.listed("people/Alice") == ALL


def test_who_is_taken_out_never_comes_back_by_itself(house: House) -> None:
    house.mv(f"people/_unnamed/{LARGE}", "people/Alice")
    house.rm("people/Alice/2.jpg")
    for _ in range(2):
        assert house.listed("people/Alice") == [n for n in ALL if n != "2.jpg"]
        house.cluster()
    house.cp("by-date/_undated/2.jpg", "people/Alice")
    assert house.listed("people/Alice") == ALL
    house.undo()
    house.undo()
    assert house.listed("people/Alice") == ALL


def test_a_picture_put_to_a_person_brings_its_group_along(house: House) -> None:
    house.mkdir("people/Bob")
    house.mv(f"people/_unnamed/{SMALL}/1.jpg", "people/Bob/1.jpg")
    assert house.listed("people/Bob") == ALL[:4]
    assert house.listed("people/_unnamed") == [LARGE]
    house.cluster()
    assert house.listed("people/Bob") == ALL[:4]
    (said,) = house.given()["face_said"]
    assert (said[0], said[-1]) == (bytes(house.at("people/Bob/1.jpg").asset.hash).hex(), 1)


def test_a_picture_without_a_face_that_can_be_meant_is_tagged_as_a_whole(house: House) -> None:
    house.mkdir("people/Alice")
    house.cp("by-date/_undated/plain.jpg", "people/Alice")
    house.cp(
        "by-date/_undated/0.jpg", "people/Alice"
    )  # two faces of one size, and nothing to compare with
    assert house.given()["face_said"] == []
    assert house.listed("people/Alice") == ["0.jpg", "plain.jpg"]
    house.mv(f"people/_unnamed/{LARGE}/5.jpg", "people/Alice/5.jpg")
    house.cp("by-date/_undated/3.jpg", "people/Alice")  # now there is
    assert house.listed("people/Alice") == [*ALL, "plain.jpg"]
    house.rm("people/Alice/plain.jpg")
    assert house.listed("people/Alice") == ALL


def test_who_was_mistaken_for_another_is_moved_to_that_one(house: House) -> None:
    house.mv(f"people/_unnamed/{LARGE}", "people/Alice")
    house.mkdir("people/Bob")
    house.mv("people/Alice/4.jpg", "people/Bob/4.jpg")
    for _ in range(2):
        assert house.listed("people/Bob") == ["4.jpg"]
        assert house.listed("people/Alice") == [n for n in ALL if n != "4.jpg"]
        house.cluster()
    house.undo()
    assert house.listed("people/Alice") == ALL
    assert house.listed("people/Bob") == ["README.txt"]


def test_a_picture_moved_to_an_album_stays_with_its_person(house: House) -> None:
    house.mv(f"people/_unnamed/{LARGE}", "people/Alice")
    house.mkdir("albums/Rome")
    house.mv("people/Alice/4.jpg", "albums/Rome/4.jpg")
    assert house.listed("albums/Rome") == ["4.jpg"]
    assert house.listed("people/Alice") == ALL


def test_a_person_in_nothing_can_be_forgotten_and_no_other(house: House) -> None:
    house.mkdir("people/Nobody")
    house.rmdir("people/Nobody")
    assert "Nobody" not in house.listed("people")
    house.mv(f"people/_unnamed/{SMALL}", "people/Bob")
    with pytest.raises(NotEmpty):
        house.rmdir("people/Bob")
    for asset_id in house.ids[:4]:
        house.shelf.remove(asset_id)  # a disk that is away
    assert house.listed("people/Bob") == ["README.txt"]
    with pytest.raises(NotEmpty):
        house.rmdir("people/Bob")


def test_taking_all_out_and_removing_the_folder_forgets_the_name_and_every_no(house: House) -> None:
    house.mv(f"people/_unnamed/{SMALL}", "people/Bob")
    for name in house.listed("people/Bob"):
        house.rm(f"people/Bob/{name}")
    house.rmdir("people/Bob")
    assert house.given()["face_said"] == house.given()["person_tag"] == []
    assert house.listed("people/_unnamed") == [LARGE, SMALL]
    house.undo()  # it was one thing that was done
    assert house.listed("people/Bob") == ALL[:4]


RAW: dict[str, Any] = {"mime": "image/x-canon-cr2", "raw": 1}


def add_a_raw(house: House) -> str:
    """Both who are in 3.jpg are in its RAW, too; the content of that, as decisions name it."""
    raw = house.shelf.add("3.CR2", **RAW)
    look(house.shelf, raw, seen(0, 3), seen(1, 3))
    house.cluster()
    assert house.listed("by-date/_undated") == [*ALL, "plain.jpg"]
    return house.at("by-date/_undated/@all-files/3.CR2").asset.hash.hex()


def said_of(house: House, content: str) -> list[tuple[str, Any]]:
    """What is said of one content: the table, and yes or no."""
    return [
        (table, row[-1])
        for table in ("face_said", "person_tag")
        for row in house.given()[table]
        if row[0] == content
    ]


def test_a_person_in_a_stack_is_forgotten_like_any_other(house: House) -> None:
    raw = add_a_raw(house)
    house.mv(f"people/_unnamed/{SMALL}", "people/Bob")
    before = house.given()
    assert said_of(house, raw) == [("face_said", 1)]
    for name in house.listed("people/Bob"):
        house.rm(f"people/Bob/{name}")
    assert house.listed("people/Bob") == ["README.txt"]
    house.rmdir("people/Bob")
    assert house.given()["face_said"] == house.given()["person_tag"] == []
    house.cluster()
    assert house.listed("people/_unnamed") == [LARGE, SMALL]
    house.undo()
    assert house.given() == before
    assert house.listed("people/Bob") == ALL[:4]


def test_who_is_taken_out_of_a_picture_is_not_in_its_mates_either_until_put_back(
    house: House,
) -> None:
    raw = add_a_raw(house)
    house.mv(f"people/_unnamed/{SMALL}", "people/Bob")
    house.rm("people/Bob/3.jpg")
    assert said_of(house, raw) == [("face_said", 0), ("person_tag", 0)]
    house.cp("by-date/_undated/3.jpg", "people/Bob")
    assert said_of(house, raw) == []
    house.undo()
    jpeg = house.at("by-date/_undated/3.jpg").asset.id
    house.shelf.remove(jpeg)  # somebody keeps the RAW alone
    house.cluster()
    assert "3.CR2" in house.listed("by-date/_undated")
    assert house.listed("people/Bob") == ALL[:3]


def test_who_was_mistaken_for_another_is_moved_on_in_the_mates_too(house: House) -> None:
    raw = add_a_raw(house)
    house.mv(f"people/_unnamed/{SMALL}", "people/Bob")
    house.mkdir("people/Carol")
    house.mv("people/Bob/3.jpg", "people/Carol/3.jpg")
    house.shelf.remove(house.at("by-date/_undated/3.jpg").asset.id)
    for _ in range(2):
        assert house.listed("people/Bob") == ALL[:3]
        assert house.listed("people/Carol") == ["3.CR2"]
        house.cluster()
    assert ("face_said", 1) in said_of(house, raw)


def test_a_person_in_the_mates_of_a_stack_alone_can_be_forgotten(house: House) -> None:
    raw = house.shelf.add("plain.CR2", **RAW)
    look(house.shelf, raw, seen(1, 7))
    house.cluster()
    house.mv(f"people/_unnamed/{SMALL}", "people/Bob")
    assert house.listed("people/Bob") == ALL[:4]
    for name in ALL[:4]:
        house.rm(f"people/Bob/{name}")
    house.rmdir("people/Bob")
    assert house.given()["face_said"] == house.given()["person_tag"] == []


def test_who_is_hidden_is_nowhere_else_until_shown_again(house: House) -> None:
    house.mv(f"people/_unnamed/{SMALL}", f"people/_ignored/{SMALL}")
    assert house.listed("people/_unnamed") == [LARGE]
    assert house.listed("people/_ignored") == [SMALL]
    assert house.listed(f"people/_ignored/{SMALL}") == ALL[:4]
    house.cluster()
    assert house.listed("people/_ignored") == [SMALL]
    house.rm(f"people/_ignored/{SMALL}/0.jpg")
    assert house.listed("people/_unnamed") == [LARGE, SMALL]
    assert house.given()["person"] == []
    house.mv(f"people/_unnamed/{LARGE}", "people/Alice")
    house.mv("people/Alice", "people/_ignored/Alice")
    assert house.listed("people") == ["_unnamed", "_review", "_ignored", "README.txt"]
    assert house.listed("people/_ignored") == ["Alice"]
    with pytest.raises(Exists):
        house.mkdir("people/alice")
    house.mv("people/_ignored/Alice", "people/Alice")
    assert house.listed("people/Alice") == ALL


def test_a_picture_hides_the_only_stranger_in_it(house: House) -> None:
    with pytest.raises(InvalidName):
        house.cp("by-date/_undated/0.jpg", "people/_ignored")  # two
    house.cp("by-date/_undated/4.jpg", "people/_ignored")
    assert house.listed("people/_ignored") == [LARGE]


def test_doubtful_faces_wait_for_a_yes_or_a_no(house: House) -> None:
    house.mv(f"people/_unnamed/{LARGE}", "people/Alice")
    for number, person in ((10, 1), (11, 1)):
        look(house.shelf, house.shelf.add(f"{number}.jpg"), seen(person, number))
    house.cluster()
    alice = house.at("people/Alice").whose
    cluster = house.shelf.catalog.read(clusters.of_person, alice)

    def doubt(db: Any) -> None:
        for name, sure in (("10.jpg", 0.1), ("11.jpg", 0.15)):
            db.execute(
                "UPDATE face_cluster SET cluster_id = ?, confidence = ? WHERE face_id IN"
                " (SELECT f.id FROM face f JOIN asset a ON a.id = f.asset_id WHERE a.name = ?)",
                (cluster, sure, name),
            )

    house.shelf.catalog.write(doubt)
    assert house.listed("people/_review") == ["Alice"]
    assert house.listed("people/_review/Alice") == ["11.jpg", "10.jpg"]
    house.rm("people/_review/Alice/11.jpg")
    house.mv("people/_review/Alice/10.jpg", "people/Alice/10.jpg")
    assert house.listed("people/_review") == []
    assert house.listed("people/Alice") == sorted([*ALL, "10.jpg"])


def test_people_narrow_other_folders_and_searches(house: House) -> None:
    house.mv(f"people/_unnamed/{LARGE}", "people/Alice")
    house.mv(f"people/_unnamed/{SMALL}", "people/Bob")
    house.mkdir("people/Nobody")
    assert house.listed("by-date/_undated/@people") == ["Alice", "Bob"]
    assert house.listed("people/Alice/@people/Bob") == ALL[:4]
    assert house.listed("people/Alice/@not/@people/Bob") == ALL[4:]
    assert sorted(house.listed("search/person=alice with=BOB")) == ALL[:4]
    assert sorted(house.listed("search/person=Alice -person=Bob")) == ALL[4:]
    assert sorted(house.listed("search/alice with bob")) == ALL[:4]
    (why,) = {entry[1].hit.reasons for entry in house.at("search/bob").entries()}
    assert why == ("Bob is in it",)
    assert house.listed("search/person=none") == ["plain.jpg"]
    assert house.listed("search/person=Nobody") == []
    for path in ("people/Alice/@people/Bob/1.jpg", "by-date/_undated/@people/Bob/1.jpg"):
        with pytest.raises(NotPermitted):
            house.rm(path)


def test_what_makes_no_sense_is_refused(house: House) -> None:
    house.mkdir("people/Alice")
    for wrong in ("people/_mine", "people/@mine"):
        with pytest.raises(InvalidName):
            house.mkdir(wrong)
    with pytest.raises(Exists):
        house.mkdir("people/ALICE")
    for path in (f"people/_unnamed/{LARGE}", "people/Alice", "people/_review", "people/_ignored"):
        with pytest.raises(NotPermitted):
            house.mkdir(f"{path}/deeper")
    for path in (f"people/_unnamed/{LARGE}", "people/_review", "people/_unnamed"):
        with pytest.raises(NotPermitted):
            house.rmdir(path)
    with pytest.raises(NotPermitted):
        house.mv(f"people/_unnamed/{LARGE}", "albums/Rome")
    with pytest.raises(NotPermitted):
        house.rm(f"people/_unnamed/{LARGE}/0.jpg")


def test_everything_said_comes_back_from_the_journal(house: House, tmp_path: Path) -> None:
    house.mv(f"people/_unnamed/{LARGE}", "people/Alice")
    house.mv(f"people/_unnamed/{SMALL}", "people/Bob")
    house.rm("people/Alice/2.jpg")
    house.mv("people/Alice/4.jpg", "people/Bob/4.jpg")
    before = house.given()
    from havenfs.catalog import Catalog

    again = Catalog(tmp_path / "again.db")
    Keeper(again, house.shelf.state.journal).recover()
    assert {table: again.read(given.rows, table) for table in given.TABLES} == before
    again.close()
