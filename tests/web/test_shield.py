"""Security headers, and the Host that must be this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.datastructures import Headers

from havenweb.shield import loopback_host, of_another_site

if TYPE_CHECKING:
    import httpx


@pytest.mark.parametrize("path", ["/", "/api/status", "/t/none", "/nowhere", "/api/openapi.json"])
async def test_every_answer_carries_the_security_headers(
    client: httpx.AsyncClient, path: str
) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers


async def test_a_name_that_was_rebound_to_this_machine_is_refused(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/api/status", headers={"host": "evil.example:8440"})
    assert answer.status_code == 421
    assert answer.json()["error"]["code"] == "misdirected_request"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8440", "127.0.0.1:1", "127.1.2.3", "[::1]:80", "LOCALHOST"]
)
def test_names_of_this_machine_are_served(host: str) -> None:
    assert loopback_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "192.168.1.2",
        "[::2]",
        "localhost:x",
        "0.0.0.0",
    ],
)
def test_other_names_are_not(host: str) -> None:
    assert not loopback_host(host)


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        ({}, False),  # a program, which has no other site to speak for
        ({"origin": "http://127.0.0.1:8440"}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"origin": "http://evil.example"}, True),
        ({"origin": "http://127.0.0.1:9999"}, True),
        ({"origin": "null"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-origin", "origin": "http://evil.example"}, True),
    ],
)
def test_what_another_site_sends_is_known_by_what_its_browser_says(
    sent: dict[str, str], refused: bool
) -> None:
    assert of_another_site(Headers({"host": "127.0.0.1:8440", **sent})) is refused


async def test_where_only_reading_is_offered_nothing_else_is_done_even_for_the_owner(
    client: httpx.AsyncClient, key: str
) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        owner = {"authorization": f"Bearer {key}"}
        answer = await client.request(method, "/api/status", headers=owner)
        assert answer.status_code == 405
        assert answer.json()["error"]["code"] == "method_not_allowed"
