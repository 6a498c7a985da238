"""/api/operations: what was decided, and taking it back through a mount's session, on real files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from havend import deciding, session
from havenfs import owner
from havenfs.catalog import Catalog
from havenfs.decisions import Keeper, new_uid, values
from havenweb.app import create_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from havenfs.config import State
    from havenfs.decisions import Decision

HOST = "127.0.0.1:8440"


class Household:
    """A library in which somebody decides."""

    def __init__(self, state: State, catalog: Catalog) -> None:
        self.catalog = catalog
        self.keeper = Keeper(catalog, state.journal)

    def decide(self, decision: Decision, by: str = "ann") -> str:
        done = self.keeper.decide(decision, by=by)
        assert done is not None
        return done.id

    def contents(self, *names: str) -> tuple[bytes, ...]:
        def read(db: Any) -> tuple[bytes, ...]:
            found = dict(db.execute("SELECT name, hash FROM asset").fetchall())
            return tuple(found[name] for name in names)

        return self.catalog.read(read)


@pytest.fixture
def household(own_state: State) -> Iterator[Household]:
    with Catalog(own_state.catalog) as catalog:
        yield Household(own_state, catalog)


@pytest.fixture
async def page(own_state: State, household: Household) -> AsyncIterator[httpx.AsyncClient]:
    """The owner's browser."""
    app = create_app(own_state)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{HOST}") as found,
    ):
        await found.get("/", params={"key": owner.key(own_state.owner_key)})
        found.headers["origin"] = f"http://{HOST}"
        yield found


@pytest.fixture
def mount(own_state: State, tmp_path: Path) -> Iterator[None]:
    """What a mount runs, but for the kernel."""
    with (
        session.opened(own_state, tmp_path / "mnt") as operations,
        deciding.answering(own_state, operations),
    ):
        yield


async def listed(page: httpx.AsyncClient, **parameters: object) -> list[dict[str, Any]]:
    answer = await page.get("/api/operations", params=parameters)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return answer.json()["operations"]


async def undo(page: httpx.AsyncClient, id_: str, code: int = 200, **said: object) -> Any:
    answer = await page.post(f"/api/operations/{id_}/undo", json=said)
    assert answer.status_code == code, answer.text
    return answer.json()


async def test_it_lists_what_was_decided_in_words_with_pictures_newest_first(
    page: httpx.AsyncClient, household: Household
) -> None:
    assert await listed(page) == []
    temple, broken = household.contents("temple.jpg", "broken.jpg")
    first = household.decide(values.SetFavorite(contents=(temple, broken), favorite=True))
    second = household.decide(values.SetRating(contents=(temple,), stars=4), by="bob")
    newest, oldest = await listed(page)
    assert (newest["id"], oldest["id"]) == (second, first)
    assert (newest["by"], newest["words"]) == ("bob", "rated 1 file 4 of 5")
    assert (oldest["by"], oldest["words"], oldest["assets"]) == (
        "ann",
        "2 files made a favorite",
        2,
    )
    assert oldest["thumbnails"] == [f"/t/{temple.hex()}-256.webp"]  # the other cannot be read
    assert (await page.get(oldest["thumbnails"][0])).headers["content-type"] == "image/webp"
    assert [(one["free"], one["taken_back"]) for one in (newest, oldest)] == [(True, None)] * 2
    assert 0 <= newest["at_ms"] - oldest["at_ms"] < 60_000


@pytest.mark.usefixtures("mount")
async def test_undo_and_redo_are_one_entry_that_says_how_it_stands(
    page: httpx.AsyncClient, household: Household
) -> None:
    id_ = household.decide(
        values.SetFavorite(contents=household.contents("temple.jpg"), favorite=True)
    )
    done = await undo(page, id_)
    assert done["words"] == "took back: 1 file made a favorite"
    (entry,) = await listed(page)
    assert entry["taken_back"]["id"] == done["id"]
    assert entry["taken_back"]["by"].endswith(" (web page)")
    again = await undo(page, entry["taken_back"]["id"])
    assert again["words"] == "did again: 1 file made a favorite"
    (entry,) = await listed(page)
    assert (entry["id"], entry["taken_back"], entry["free"]) == (id_, None, True)
    await undo(page, id_)
    assert (await listed(page))[0]["taken_back"] is not None


@pytest.mark.usefixtures("mount")
async def test_what_stands_in_the_way_is_a_conflict_that_names_it(
    page: httpx.AsyncClient, household: Household
) -> None:
    album = values.MakeFolder(uid=new_uid(), folder=values.Folder.ALBUM, name="Temples")
    made = household.decide(album)
    household.decide(
        values.Fill(uid=album.uid, contents=household.contents("temple.jpg"), inside=True)
    )
    assert [one["free"] for one in await listed(page)] == [True, False]
    error = (await undo(page, made, 409))["error"]
    assert error["code"] == "conflict"
    assert "1 file put into the album “Temples”" in error["message"]
    assert (await undo(page, made, rest=True))["id"] is None


@pytest.mark.usefixtures("mount")
async def test_a_merge_of_people_is_taken_back_like_anything(
    page: httpx.AsyncClient, household: Household
) -> None:
    (temple,) = household.contents("temple.jpg")
    ann, anne = (values.MakePerson(uid=new_uid(), name=name) for name in ("Ann", "Anne"))
    for person in (ann, anne):
        household.decide(person)
    household.decide(values.TagPerson(contents=(temple,), person=anne.uid, is_in=True))
    merged = household.decide(values.MergePersons(uid=anne.uid, into=ann.uid))
    found = (await page.get("/api/search", params={"q": "person:Anne"})).json()["hits"]
    assert found == []
    await undo(page, merged)
    found = (await page.get("/api/search", params={"q": "person:Anne"})).json()["hits"]
    assert [hit["picture"]["name"] for hit in found] == ["temple.jpg"]


async def test_the_list_goes_on_where_the_part_above_ended(
    page: httpx.AsyncClient, household: Household
) -> None:
    contents = household.contents("temple.jpg")
    ids = [
        household.decide(values.SetRating(contents=contents, stars=n % 5 + 1)) for n in range(7)
    ][::-1]
    answer = (await page.get("/api/operations", params={"limit": 3})).json()
    assert ([one["id"] for one in answer["operations"]], answer["more"]) == (ids[:3], True)
    answer = (await page.get("/api/operations", params={"limit": 4, "before": ids[2]})).json()
    assert ([one["id"] for one in answer["operations"]], answer["more"]) == (ids[3:], False)
    assert await listed(page, before="0" * 16) == []


@pytest.mark.usefixtures("mount")
async def test_what_makes_no_sense_is_refused_by_name(
    page: httpx.AsyncClient, household: Household
) -> None:
    id_ = household.decide(values.SetRating(contents=household.contents("temple.jpg"), stars=4))
    assert (await undo(page, "0" * 16, 404))["error"]["code"] == "not_found"
    for wrong in ("zz", id_[:8], id_ + "0", id_.upper() if id_.upper() != id_ else "X"):
        assert (await undo(page, wrong, 422))["error"]["code"] == "invalid_parameter"
    for said in ({"rest": "perhaps"}, {"force": True}, {"id": "0" * 16}):
        answer = await page.post(f"/api/operations/{id_}/undo", json=said)
        assert answer.status_code == (200 if "id" in said else 422)  # the address counts
    for said in (b"[]", b"{", b"\xff"):
        assert (await page.post(f"/api/operations/{id_}/undo", content=said)).status_code == 422
    for wrong in ({"limit": 0}, {"limit": 1000}, {"before": "x"}, {"after": "x"}):
        assert (await page.get("/api/operations", params=wrong)).status_code == 422
