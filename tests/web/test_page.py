"""The built page as files, and what is said when it was not built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from starlette.applications import Starlette

from havenfs.config import State
from havenweb import page
from havenweb.session import Session

if TYPE_CHECKING:
    from pathlib import Path


def client_of(static: Path) -> httpx.AsyncClient:
    session = Session(State(root=static))
    transport = httpx.ASGITransport(Starlette(routes=page.routes(session, static)))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


async def test_a_page_that_was_not_built_says_what_to_do(tmp_path: Path) -> None:
    async with client_of(tmp_path / "static") as client:
        answer = await client.get("/")
        assert answer.status_code == 503
        assert answer.headers["content-type"].startswith("text/plain")
        assert "make setup" in answer.text
        assert (await client.get("/assets/x.js")).status_code == 404


async def test_hashed_files_are_kept_for_ever_and_the_page_itself_is_asked_for(
    tmp_path: Path,
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "index-abc123.js").write_text("1")
    (tmp_path.parent / "outside.txt").write_text("not served")
    async with client_of(tmp_path) as client:
        assert (await client.get("/?q=dog")).headers["cache-control"] == "no-cache"
        hashed = await client.get("/assets/index-abc123.js")
        assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
        for way in ("/../outside.txt", "/%2e%2e/outside.txt", "/assets/..%2f..%2foutside.txt"):
            assert (await client.get(way)).status_code == 404
