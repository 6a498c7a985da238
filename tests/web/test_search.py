"""GET /api/search and /api/help, over real words and the real parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from havenfs.query import TERMS, parse

if TYPE_CHECKING:
    import httpx


async def find(client: httpx.AsyncClient, query: str, **parameters: int) -> dict[str, Any]:
    answer = await client.get("/api/search", params={"q": query, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_hit_has_a_picture_a_reason_and_a_thumbnail(client: httpx.AsyncClient) -> None:
    answer = await find(client, "astronaut")
    (hit,) = answer["hits"]
    picture = hit["picture"]
    assert picture["name"] == "astronaut.jpg"
    assert (picture["width"], picture["height"]) == (512, 512)
    assert picture["thumbhash"]
    assert hit["reasons"]
    assert hit["score"] > 0
    thumbnail = await client.get(picture["thumbnail"])
    assert thumbnail.headers["content-type"] == "image/webp"


async def test_something_that_is_not_there_finds_nothing(client: httpx.AsyncClient) -> None:
    assert (await find(client, "xylophone"))["hits"] == []


async def test_the_limit_is_kept(client: httpx.AsyncClient) -> None:
    assert len((await find(client, "temple"))["hits"]) >= 2
    assert len((await find(client, "temple", limit=1))["hits"]) == 1


async def test_the_folder_with_the_same_answer_is_named_in_its_path_form(
    client: httpx.AsyncClient,
) -> None:
    answer = await find(client, 'temple type:photo "coffee"')
    assert answer["path"] == "/srv/haven/search/temple type=photo 'coffee'"


async def test_an_unparseable_query_says_where_and_why(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/search", params={"q": 'temple "coffee'})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "invalid_query"
    assert error["position"] == 7
    assert error["message"]


async def test_parameters_of_the_wrong_type_are_refused_by_name(client: httpx.AsyncClient) -> None:
    for parameters in (
        {"q": "x", "limit": "many"},
        {"q": "x", "limit": "0"},
        {"q": "x", "z": "1"},
        {},
    ):
        answer = await client.get("/api/search", params=parameters)
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "invalid_parameter"


async def test_the_help_lists_every_word_of_the_language(client: httpx.AsyncClient) -> None:
    terms = (await client.get("/api/help")).json()["terms"]
    assert len(terms) == len(TERMS)
    for term in terms:
        assert term["help"]
        parse(term["example"])
