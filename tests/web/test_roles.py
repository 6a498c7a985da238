"""Who may do what: every route, asked by everybody. A route that is missing here fails the first test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.routing import Mount, Route

from havenfs import owner
from havenweb.app import create_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from havenfs.config import State

HOST = "127.0.0.1:8440"
OPERATION = "/api/operations/0123456789abcdef/undo"
READS = {
    "/": "/",
    "/api/status": "/api/status",
    "/api/search": "/api/search?q=temple",
    "/api/help": "/api/help",
    "/api/assets": "/api/assets",
    "/api/assets/{id}": "/api/assets/1",
    "/api/session": "/api/session",
    "/api/operations": "/api/operations",
    "/api/openapi.json": "/api/openapi.json",
    "/t/{name}": "/t/none.webp",
    "/o/{id:int}": "/o/1",
}
"""Route -> an address of it."""
CHANGES: dict[str, tuple[str, dict[str, object]]] = {
    "/api/operations/{id}/undo": (OPERATION, {}),
    "/api/assets/{id}/favorite": ("/api/assets/1/favorite", {"favorite": True}),
    "/api/assets/{id}/rating": ("/api/assets/1/rating", {"stars": 3}),
    "/api/assets/{id}/caption": ("/api/assets/1/caption", {"caption": "us"}),
    "/api/assets/{id}/tags": ("/api/assets/1/tags", {"tags": ["a/b"]}),
}
"""Route -> an address of it, and what is sent there."""


@pytest.fixture(
    params=["nobody", "wrong key", "wrong cookie", "program", "browser", "another site"]
)
def role(request: pytest.FixtureRequest) -> str:
    """Who asks."""
    return request.param


@pytest.fixture
async def asks(own_state: State, role: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client in that role, over a library of its own."""
    app = create_app(own_state)
    key = owner.key(own_state.owner_key)
    here = f"http://{HOST}"
    headers = {
        "nobody": {},
        "wrong key": {"authorization": "Bearer " + "A" * len(key)},
        "wrong cookie": {"cookie": "havenfs-8440=" + "0" * 64, "origin": here},
        "program": {"authorization": f"Bearer {key}"},
        "browser": {"origin": here, "sec-fetch-site": "same-origin"},
        "another site": {"origin": "http://127.0.0.1:9999", "sec-fetch-site": "same-site"},
    }[role]
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=here) as found,
    ):
        if role in ("browser", "another site"):
            assert (await found.get("/", params={"key": key})).status_code == 303
        found.headers.update(headers)
        yield found


def test_every_route_stands_in_the_matrix(own_state: State) -> None:
    app = create_app(own_state)
    routes = [route for route in app.routes if isinstance(route, Route)]
    assert {r.path for r in routes if "GET" in (r.methods or ())} == set(READS)
    assert {r.path for r in routes if "POST" in (r.methods or ())} == set(CHANGES)
    assert {m for r in routes for m in r.methods or ()} == {"GET", "HEAD", "POST"}
    assert {r.path for r in app.routes if isinstance(r, Mount)} == {"/assets", ""}  # files


async def test_everybody_on_this_machine_may_look(asks: httpx.AsyncClient, role: str) -> None:
    for address in READS.values():
        answer = await asks.get(address)
        assert answer.status_code in ((404,) if "none" in address else (200, 503)), address
    may = (await asks.get("/api/session")).json()
    assert may["owner"] is (role in ("program", "browser", "another site"))
    assert "havenfs web --link" in may["how"]


async def test_only_the_owner_may_change_something_and_only_from_the_page_itself(
    asks: httpx.AsyncClient, role: str
) -> None:
    expected = {"program": 503, "browser": 503, "another site": 403}.get(role, 401)
    for address, sent in CHANGES.values():
        answer = await asks.post(address, json=sent)
        assert answer.status_code == expected
        error = answer.json()["error"]
        if expected == 401:
            assert error["code"] == "not_the_owner"
            assert "havenfs web --link" in error["message"]
            assert answer.headers["www-authenticate"] == "Bearer"
        if expected == 503:  # it was let in, and nobody is there who would do it
            assert error["code"] == "not_running"
            assert "nothing was changed" in error["message"]


async def test_what_is_no_reading_is_refused_whatever_it_is_called(
    asks: httpx.AsyncClient, role: str
) -> None:
    expected = {"program": {404, 405}, "browser": {404, 405}, "another site": {403}}
    for method in ("POST", "PUT", "DELETE", "PATCH", "CONNECT", "TRACE", "FROBNICATE"):
        for address in ("/api/status", "/api/nowhere"):
            answer = await asks.request(method, address)
            assert answer.status_code in expected.get(role, {401})
    assert (await asks.post("/")).status_code in (401, 403)


async def test_a_cookie_alone_changes_nothing_without_a_word_of_where_it_comes_from(
    own_state: State,
) -> None:
    app = create_app(own_state)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=f"http://{HOST}"
    ) as client:
        await client.get("/", params={"key": owner.key(own_state.owner_key)})
        assert client.cookies
        assert (await client.post(OPERATION)).status_code == 401
