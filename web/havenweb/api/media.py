"""Pictures and originals as bytes: thumbnails for ever cacheable, originals streamed and treated as hostile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from havenfs.catalog import assets, sources
from havenfs.entities import AssetId
from havenfs.errors import NotFound
from havenweb.originals import OriginalResponse, open_below
from havenweb.pictures import LARGE, SMALL

if TYPE_CHECKING:
    from starlette.requests import Request

    from havenfs.catalog.catalog import Connection
    from havenfs.entities import Asset, Source
    from havenweb.library import Library

THUMBNAIL = re.compile(rf"([0-9a-f]{{64}})-({SMALL}|{LARGE}|strip)\.webp")
IMMUTABLE = {"cache-control": "private, max-age=31536000, immutable, no-transform"}
# Bytes that other people made: no script, no style, no request may come out of them.
ORIGINAL = {
    "cache-control": "private, no-cache, no-transform",
    "content-security-policy": "default-src 'none'; sandbox",
}
SHOWN = re.compile(r"(?:image/(?!svg)[\w.+-]+|video/[\w.+-]+|audio/[\w.+-]+|text/plain)")
"""Types that a browser may show in place. Everything else, above all HTML, SVG and XML, is a download; PDF too, because
browsers' viewers do not run in a sandbox."""


def routes(library: Library) -> list[Route]:
    """The addresses that Picture names."""

    async def thumbnail(request: Request) -> Response:
        found = THUMBNAIL.fullmatch(request.path_params["name"])
        if not found:
            raise NotFound("no such thumbnail")
        content = bytes.fromhex(found[1])
        if found[2] == "strip":
            data = await run_in_threadpool(library.thumbnails.strip, content)
        else:
            size = SMALL if found[2] == str(SMALL) else LARGE
            data = await run_in_threadpool(library.thumbnails.get, content, size)
        return Response(data, media_type="image/webp", headers=IMMUTABLE)

    async def original(request: Request) -> Response:
        asset_id = AssetId(request.path_params["id"])
        asset, descriptor = await run_in_threadpool(_open, library, asset_id)
        shown = SHOWN.fullmatch(asset.mime) is not None
        return OriginalResponse(
            descriptor,
            name=asset.name,
            media_type=asset.mime,
            disposition="inline" if shown else "attachment",
            headers=ORIGINAL,
        )

    return [
        Route("/t/{name}", thumbnail, name="thumbnail"),
        Route("/o/{id:int}", original, name="original"),
    ]


def _open(library: Library, asset_id: AssetId) -> tuple[Asset, int]:
    if asset_id >= 2**63:
        raise NotFound("no such asset")
    asset, source = library.catalog.read(_locate, asset_id)
    return asset, open_below(source, asset.path)


def _locate(db: Connection, asset_id: AssetId) -> tuple[Asset, Source]:
    asset = assets.get(db, asset_id)
    return asset, sources.get(db, asset.source_id)
