"""The web program: routes, and nothing that decides. Runs on uvicorn; catalog work happens in worker threads."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from havenfs import __version__, owner
from havenfs.errors import HavenError

from . import errors, openapi, page
from .api import OPERATIONS, media
from .library import Library
from .session import Session
from .shield import Shield

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from havenfs.config import State


def create_app(state: State, *, mount: Path | None = None) -> Starlette:
    """The program for this state directory. *mount*: where the tree is mounted, for the paths that the page shows.

    Raises NewerState, ConfigError. The lifespan's end closes the catalog.
    """
    library = Library.open(state, mount=mount)
    owner.key(state.owner_key)
    session = Session(state)
    document = openapi.document(OPERATIONS, version=__version__)

    async def describe(_request: Request) -> Response:
        return JSONResponse(document)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        yield
        library.close()

    return Starlette(
        routes=[
            *(operation.route(library) for operation in OPERATIONS),
            Route("/api/openapi.json", describe, name="openapi"),
            *media.routes(library),
            *page.routes(session),
        ],
        middleware=[Middleware(Shield, session=session)],
        exception_handlers={
            HavenError: errors.on_haven_error,
            HTTPException: errors.on_http_error,
            Exception: errors.on_bug,
        },
        lifespan=lifespan,
    )
