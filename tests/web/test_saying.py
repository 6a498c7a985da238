"""What people say of one asset on the page: the same decisions as by folders and attributes, through a mount's session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from havend import deciding, session
from havenfs import owner
from havenweb.app import create_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from havenfs.config import State

HOST = "127.0.0.1:8440"


class Page:
    """The owner's page, with one picture open."""

    def __init__(self, client: httpx.AsyncClient, asset: int) -> None:
        self.client = client
        self.asset = asset

    async def say(self, name: str, code: int = 200, **said: object) -> Any:
        answer = await self.client.post(f"/api/assets/{self.asset}/{name}", json=said)
        assert answer.status_code == code, answer.text
        return answer.json()

    async def details(self) -> dict[str, Any]:
        return (await self.client.get(f"/api/assets/{self.asset}")).json()

    async def found(self, query: str) -> list[str]:
        answer = await self.client.get("/api/search", params={"q": query})
        return [hit["picture"]["name"] for hit in answer.json()["hits"]]


@pytest.fixture
async def page(own_state: State, tmp_path: Path) -> AsyncIterator[Page]:
    app = create_app(own_state)
    with (
        session.opened(own_state, tmp_path / "mnt") as operations,
        deciding.answering(own_state, operations),
    ):
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url=f"http://{HOST}",
                headers={"authorization": f"Bearer {owner.key(own_state.owner_key)}"},
            ) as client,
        ):
            (hit,) = (await client.get("/api/search", params={"q": "sofa"})).json()["hits"]
            yield Page(client, hit["picture"]["id"])


async def test_what_is_said_holds_in_the_answer_in_searches_and_in_the_history(page: Page) -> None:
    assert (await page.details())["favorite"] is False
    words = [
        await page.say("favorite", favorite=True),
        await page.say("rating", stars=4),
        await page.say("caption", caption="our cat, asleep"),
        await page.say("tags", tags=["animals/cat", "home"]),
    ]
    assert [done["words"] for done in words][:3] == [
        "1 file made a favorite",
        "rated 1 file 4 of 5",
        "captioned 1 file",
    ]
    details = await page.details()
    assert (details["favorite"], details["rating"], details["caption"]) == (
        True,
        4,
        "our cat, asleep",
    )
    assert details["tags"] == ["animals/cat", "home"]
    for query in ("fav:yes", "rating:4..", "tag:home", "asleep"):
        assert "cat on the sofa.jpg" in await page.found(query), query
    listed = (await page.client.get("/api/operations")).json()["operations"]
    assert [one["id"] for one in listed] == [done["id"] for done in words[::-1]]
    for one in listed:
        await page.client.post(f"/api/operations/{one['id']}/undo")
    details = await page.details()
    assert (details["favorite"], details["rating"], details["tags"]) == (False, None, [])
    assert details["caption"] is None


async def test_nothing_is_recorded_of_what_is_said_already(page: Page) -> None:
    assert (await page.say("favorite", favorite=False))["id"] is None
    await page.say("tags", tags=["Home"])
    assert (await page.say("tags", tags=[" Home ", "Home"]))["id"] is None
    await page.say("tags", tags=[])
    assert (await page.details())["tags"] == []


async def test_what_cannot_be_said_is_refused(page: Page) -> None:
    for name, said in (
        ("rating", {"stars": 6}),
        ("rating", {"stars": -1}),
        ("rating", {}),
        ("favorite", {"favorite": None}),
        ("caption", {"caption": "x" * 10_001}),
        ("tags", {"tags": "home"}),
        ("tags", {"tags": ["x"] * 101}),
    ):
        assert (await page.say(name, 422, **said))["error"]["code"] == "invalid_parameter"
    assert (await page.say("tags", 400, tags=["a//b"]))["error"]["code"] == "invalid_name"
    page.asset = 999_999
    assert (await page.say("rating", 404, stars=1))["error"]["code"] == "not_found"
