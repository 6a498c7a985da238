"""The link and the cookie: how a browser comes to be the owner's, and ceases to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs import owner

if TYPE_CHECKING:
    import httpx

    from havenfs.config import State


async def test_the_link_is_exchanged_for_a_cookie_that_no_script_and_no_other_site_gets(
    client: httpx.AsyncClient, key: str
) -> None:
    answer = await client.get("/", params={"key": key})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("havenfs-8440=")
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
    assert key not in cookie
    assert key not in answer.text
    assert (await client.get("/api/session")).json()["owner"] is True


async def test_a_link_that_is_wrong_sets_nothing_and_says_where_to_get_a_right_one(
    client: httpx.AsyncClient, key: str
) -> None:
    for wrong in ("", key[:-1], key + "A", "é" * 43):
        answer = await client.get("/", params={"key": wrong})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert "havenfs web --link" in answer.text
    assert (await client.get("/api/session")).json()["owner"] is False


async def test_removing_the_key_shuts_every_browser_out_at_once(
    client: httpx.AsyncClient, state: State, key: str
) -> None:
    await client.get("/", params={"key": key})
    assert (await client.get("/api/session")).json()["owner"] is True
    state.owner_key.unlink()
    assert (await client.get("/api/session")).json()["owner"] is False
    owner.key(state.owner_key)
    assert (await client.get("/api/session")).json()["owner"] is False
    bearer = {"authorization": f"Bearer {owner.key(state.owner_key)}"}
    assert (await client.get("/api/session", headers=bearer)).json()["owner"] is True


async def test_a_key_that_others_can_read_opens_nothing(
    client: httpx.AsyncClient, state: State, key: str
) -> None:
    state.owner_key.chmod(0o644)
    try:
        assert (await client.get("/", params={"key": key})).status_code == 401
    finally:
        state.owner_key.chmod(0o600)


async def test_the_words_name_the_command_for_this_very_page(
    client: httpx.AsyncClient, state: State
) -> None:
    command = f"havenfs web --link --state {state.root}"
    assert f"“{command}”" in (await client.get("/api/session")).json()["how"]
    assert f"“{command}”" in (await client.get("/", params={"key": "old"})).text
    other = await client.get("/api/session", headers={"host": "localhost:9000"})
    assert f"“{command} --http localhost:9000”" in other.json()["how"]
