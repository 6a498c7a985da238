"""Security headers, and the Host that must be this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from havenweb.shield import loopback_host

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


async def test_only_reading_is_offered(client: httpx.AsyncClient) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = await client.request(method, "/api/status")
        assert answer.status_code == 405
        assert answer.json()["error"]["code"] == "method_not_allowed"
