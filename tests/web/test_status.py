"""GET /api/status: what is there, how far it is, what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from havenfs import __version__
from havenfs.catalog import Catalog, sources
from havenweb.app import create_app

if TYPE_CHECKING:
    from havenfs.config import State


async def test_the_status_counts_assets_by_kind(client: httpx.AsyncClient) -> None:
    status = (await client.get("/api/status")).json()
    assert status["counts"] == {"photos": 8, "videos": 0, "documents": 1}
    assert status["version"] == __version__
    assert status["mount"] == "/srv/haven"


async def test_the_status_counts_what_was_found_in_pictures(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/status")).json()["found"]
    assert found == {"tagged": 0, "copies": 0, "groups": 0, "read": 0}  # no model has looked


async def test_progress_is_told_stage_by_stage(client: httpx.AsyncClient) -> None:
    progress = (await client.get("/api/status")).json()["progress"]
    stages = {stage["stage"]: stage for stage in progress["stages"]}
    assert list(stages) == ["metadata", "preview", "embed", "faces", "text", "tags"]
    assert stages["metadata"]["done"] == 9
    assert stages["embed"]["queued"] == 9
    assert stages["embed"]["eta_s"] is None
    assert progress["idle"] is False
    assert progress["waits"] == "the indexer is not running"


async def test_what_cannot_be_read_is_listed_with_its_reason(client: httpx.AsyncClient) -> None:
    (trouble,) = (await client.get("/api/status")).json()["trouble"]
    assert trouble["source"] == "family"
    assert trouble["path"] == "broken.jpg"
    assert trouble["stage"] == "preview"
    assert trouble["reason"]


async def test_the_status_says_that_a_miniature_model_searches(client: httpx.AsyncClient) -> None:
    status = (await client.get("/api/status")).json()
    assert status["model"] == {"name": "mini-clip", "miniature": True}
    assert "miniature" in status["notice"]


async def test_the_status_names_the_sources_whose_disks_are_away(own_state: State) -> None:
    app = create_app(own_state)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8440") as client,
    ):
        assert (await client.get("/api/status")).json()["away"] == []
        with Catalog(own_state.catalog) as catalog:
            (source,) = catalog.read(sources.configured)
            catalog.write(sources.set_present, source.id, present=False)
        assert (await client.get("/api/status")).json()["away"] == [source.name]
