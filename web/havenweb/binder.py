"""Typed operations: a path, a struct of parameters, a function, a struct of an answer.

An Operation knows enough to become a Starlette route and an entry of the OpenAPI document, so that the two cannot
disagree. Its function is synchronous and runs in a worker thread: it may read the catalog and compute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from .errors import INVALID_PARAMETER, ErrorDetail, body

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from havenfs.errors import HavenError

    from .library import Library

P = TypeVar("P", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)


class NoParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For operations that take none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[P, R]):
    """One GET of the API."""

    path: str
    """Starlette's form; `{name}` are fields of *parameters*."""
    name: str
    """operationId: the name in generated clients."""
    summary: str
    parameters: type[P]
    response: type[R]
    handle: Callable[[Library, P], R]
    raises: tuple[type[HavenError], ...] = ()
    """What a client must expect, for the document."""

    def route(self, library: Library) -> Route:
        """This operation bound to a library."""

        async def endpoint(request: Request) -> Response:
            given: dict[str, Any] = {**request.query_params, **request.path_params}
            try:
                parameters = msgspec.convert(given, self.parameters, strict=False)
            except msgspec.ValidationError as error:
                return body(422, ErrorDetail(code=INVALID_PARAMETER, message=str(error)))
            answer = await run_in_threadpool(self.handle, library, parameters)
            return Response(
                msgspec.json.encode(answer),
                headers={"cache-control": "no-store"},  # answers move with the library
                media_type="application/json",
            )

        return Route(self.path, endpoint, name=self.name)
