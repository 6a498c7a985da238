"""What people call folders: composed, whoever asks and by whichever door it came, and found by what is listed and what was given."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import assets, collections, given, persons
from havenfs.decisions import new_uid, values
from havenfs.errors import Exists, InvalidName, NameTooLong, NotFound
from havenfs.views import saying
from tests.views.deciding import Deciding

if TYPE_CHECKING:
    from havenfs.views.nodes import Directory

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
PLACES = ("albums", "albums/outer", "tags", "tags/outer", "people", "saved")


class Home(Deciding):
    """The tree of the household, where things can be decided."""

    def __init__(self, household: Any) -> None:
        super().__init__(household)
        for place in ("albums", "tags"):
            self.mkdir(place, "outer")

    def listed(self, path: str) -> list[str]:
        """What people made there."""
        directory: Directory = self.at(path)
        ours = ("README.txt", "outer")
        names = [name.decode() for name, _ in directory.entries()]
        return [name for name in names if name not in ours and not name.startswith("_")]

    def mkdir(self, path: str, name: str) -> Any:
        return self.at(path).mkdir(name.encode(), 0o755, self.rights)

    def rmdir(self, path: str, name: str) -> None:
        self.at(path).rmdir(name.encode(), self.rights)

    def mv(self, path: str, name: str, new: str) -> None:
        folder = self.at(path)
        folder.rename(name.encode(), folder, new.encode(), 0, self.rights)

    def decide(self, decision: Any) -> None:
        self.keeper.decide(decision, by="tester")

    def tagged(self, *tags: str) -> Any:
        """Give the first picture exactly these tags, as the web page and `user.xdg.tags` do; it."""
        asset = assets.get(self.catalog.connection(), household_picture(self.catalog))
        self.decide(saying.tagged(self.tree.scope.library, asset, tags))
        return asset


def household_picture(catalog: Any) -> Any:
    return catalog.connection().execute("SELECT min(id) FROM asset").fetchone()[0]


@pytest.fixture
def home(household: Any) -> Home:
    return Home(household)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (DECOMPOSED, COMPOSED),
        (COMPOSED, COMPOSED),
        ("a:b", "a：b"),
        ("ends.", "ends．"),
        ("con", "ｃon"),
    ],
)
def test_what_is_made_is_found_as_it_is_listed_and_as_it_was_called(
    home: Home, place: str, name: str, shown: str
) -> None:
    if place == "saved" and ":" in name:
        name, shown = "tag:dog", "tag：dog"
    made = home.mkdir(place, name)
    assert home.listed(place) == [shown]
    for called in (shown, name, unicodedata.normalize("NFD", name)):
        assert home.at(f"{place}/{called}").key == made.key
        with pytest.raises(Exists):
            home.mkdir(place, called)
    home.mv(place, name, "Other")
    home.mv(place, "Other", name)
    assert home.listed(place) == [shown]
    home.rmdir(place, name)
    home.mkdir(place, name)
    home.rmdir(place, shown)
    assert home.listed(place) == []
    with pytest.raises(NotFound):
        home.at(f"{place}/{shown}")


@pytest.mark.parametrize("place", PLACES)
def test_other_capitals_are_another_name(home: Home, place: str) -> None:
    home.mkdir(place, COMPOSED)
    for called in ("zoë", unicodedata.normalize("NFD", "ZOË")):
        with pytest.raises(NotFound):
            home.at(f"{place}/{called}")
        with pytest.raises(Exists):
            home.mkdir(place, called)


def test_names_that_were_kept_as_they_were_given_are_reached(home: Home) -> None:
    """By versions before, and by what sidecars say."""
    long, twin = "y" * 300, "a：b"
    kept = (DECOMPOSED, long, twin, "＿x")
    for name in kept:
        for kind in values.Folder:
            home.decide(values.MakeFolder(uid=new_uid(), folder=kind, name=name))
        home.decide(values.MakePerson(uid=new_uid(), name=name))
        home.decide(values.SaveSearch(name=name, query="dog"))
    for place in ("albums", "tags", "people", "saved"):
        listed = home.listed(place)
        assert sorted(listed) == sorted([COMPOSED, "y" * 255, twin, "＿x"])
        for name in listed:
            home.at(f"{place}/{name}")
            home.mv(place, name, "Other")
            home.rmdir(place, "Other")
    for table in ("person", "saved_search"):
        assert home.catalog.read(given.rows, table) == []


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["y" * 256, "q" * 253 + ":a", "q" * 254 + "."])
def test_a_name_that_is_too_long_as_it_would_be_shown_is_refused(
    home: Home, place: str, name: str
) -> None:
    home.mkdir(place, "x" * 255)
    for gesture in (
        lambda: home.mkdir(place, name),
        lambda: home.mv(place, "x" * 255, name),
    ):
        with pytest.raises(NameTooLong):
            gesture()
    assert home.listed(place) == ["x" * 255]
    home.rmdir(place, "x" * 255)


def test_nor_is_it_taken_by_another_door(home: Home) -> None:
    asset, long = home.tagged("mine"), "y" * 256
    for tag in (long, f"outer/{long}", f"{long}/inner"):
        with pytest.raises(NameTooLong):
            home.tagged("mine", tag)
    library = home.tree.scope.library
    with pytest.raises(NameTooLong):
        saying.say(library, asset, "user.haven.people", long, home.rights)
    with pytest.raises(NameTooLong):
        home.at("saved").save(long.encode(), home.at("search/dog"), home.rights)
    assert home.listed("tags") == ["mine"]
    assert home.listed("people") == home.listed("saved") == []


def test_a_long_tag_that_a_sidecar_brought_stays_when_others_are_given(home: Home) -> None:
    uid, long = new_uid(), "y" * 300
    home.decide(values.MakeFolder(uid=uid, folder=values.Folder.TAG, name=long))
    asset = home.tagged("mine", long)
    home.tagged("yours", long)
    mine = saying.tags(home.tree.scope.library, asset)
    assert sorted(mine.values()) == ["yours", long]
    assert mine[uid] == long


def test_a_hidden_person_is_found_by_either_form(home: Home) -> None:
    uid = new_uid()
    home.decide(values.MakePerson(uid=uid, name=DECOMPOSED))
    home.decide(values.IgnorePerson(uid=uid, ignored=True))
    for name in (COMPOSED, DECOMPOSED):
        assert home.at(f"people/_ignored/{name}").whose == uid
        with pytest.raises(NotFound):
            home.at(f"people/{name}")


def test_a_tag_of_the_web_page_is_the_one_of_the_tree(home: Home) -> None:
    tag = home.mkdir("tags", COMPOSED)
    asset = home.tagged(DECOMPOSED, f"outer/{DECOMPOSED}")
    assert home.at(f"tags/{DECOMPOSED}/{asset.name}").asset.id == asset.id
    assert home.at(f"tags/outer/{COMPOSED}/{asset.name}").asset.id == asset.id
    found = home.catalog.read(collections.named, "tag", None, COMPOSED)
    assert tag.key.endswith(found.uid)
    mine = saying.tags(home.tree.scope.library, asset).values()
    assert sorted(mine) == [COMPOSED, f"outer/{COMPOSED}"]


def test_a_person_of_an_attribute_is_the_one_of_the_tree(home: Home) -> None:
    asset = home.tagged()
    saying.say(home.tree.scope.library, asset, "user.haven.people", DECOMPOSED, home.rights)
    assert home.catalog.read(persons.named, COMPOSED).name == COMPOSED
    assert home.at(f"people/{DECOMPOSED}/{asset.name}").asset.id == asset.id


def test_the_systems_own_names_are_nobodys(home: Home) -> None:
    for place in ("albums", "tags", "people"):
        home.mkdir(place, "＿x")
        assert home.listed(place) == ["＿x"]
        with pytest.raises(NotFound):
            home.at(f"{place}/_x")
        with pytest.raises(InvalidName):
            home.mkdir(place, "_x")
