"""The built front end: index.html fresh each time, hashed files for ever, a plain message when it was not built."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    import os

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import Scope

    from .session import Session

STATIC = Path(__file__).parent / "static"
NOT_BUILT = (
    "HavenFS is running, but its page was not built.\n\n"
    "In the HavenFS folder, run `make setup` and load this page again.\n"
    "The API answers in the meantime: /api/status, /api/search?q=beach, /api/openapi.json\n"
)


class Built(StaticFiles):
    """Files of the page. Not found while it is not built, and found once it is, without a restart."""

    async def check_config(self) -> None:
        """Accept a folder that is not there yet."""


class Hashed(Built):
    """Files whose names contain a hash of their content: they never change."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The file, with a year of caching."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def routes(session: Session, static: Path = STATIC) -> list[BaseRoute]:
    """Routes of the page; put them after those of the API."""

    async def index(request: Request) -> Response:
        if (key := request.query_params.get("key")) is not None:
            return session.enter(key, request.headers)
        page = static / "index.html"
        if not page.is_file():
            return PlainTextResponse(NOT_BUILT, status_code=503)
        return FileResponse(page, headers={"cache-control": "no-cache"})

    return [
        Route("/", index, name="page"),
        Mount("/assets", Hashed(directory=static / "assets", check_dir=False)),
        Mount("/", Built(directory=static, check_dir=False)),
    ]
