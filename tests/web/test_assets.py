"""GET /api/assets: the newest, and one whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


async def test_the_newest_are_listed_with_their_pictures(client: httpx.AsyncClient) -> None:
    pictures = (await client.get("/api/assets", params={"limit": 5})).json()["pictures"]
    assert len(pictures) == 5
    everything = (await client.get("/api/assets")).json()["pictures"]
    assert len(everything) == 8
    assert "broken.jpg" not in {p["name"] for p in everything}
    assert {p["kind"] for p in everything} == {"photo", "document"}


async def test_one_asset_tells_its_facts_and_folders(client: httpx.AsyncClient) -> None:
    (hit,) = (await client.get("/api/search", params={"q": "sofa"})).json()["hits"]
    details = (await client.get(f"/api/assets/{hit['picture']['id']}")).json()
    assert details["mime"] == "image/jpeg"
    assert len(details["hash"]) == 64
    assert details["size"] > 1000
    assert details["taken_source"] == "folder"
    assert {f["view"]: f["path"] for f in details["folders"]} == {
        "by-date": "/srv/haven/by-date/2021/06",
        "files": "/srv/haven/files/family/2021-06 Garden",
    }


async def test_an_asset_that_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/assets/999999")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert (await client.get("/api/assets/soon")).status_code == 422
    assert (await client.get("/api/assets/99999999999999999999")).status_code == 422
