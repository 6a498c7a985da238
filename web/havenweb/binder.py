"""Typed operations: a path, a struct of parameters, a function, a struct of an answer.

An Operation knows enough to become a Starlette route and an entry of the OpenAPI document, so that the two cannot
disagree. Its function is synchronous and runs in a worker thread: it may read the catalog, compute, and wait for what it has
asked others to do. Parameters of a GET stand in path and query, those of a POST in the path and a JSON body.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

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

LONGEST = 64 << 10  # bytes of what is sent to us
_OBJECTS = msgspec.json.Decoder(dict[str, Any])


class NoParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For operations that take none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[P, R]):
    """One way to ask the API something, or to change something by it; the shield lets only owners do that."""

    method: Literal["GET", "POST"] = "GET"
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
            try:
                given = {**await self._given(request), **request.path_params}
                parameters = msgspec.convert(  # noqa: TID251  in the loop, the only thread that does
                    given, self.parameters, strict=False
                )
            except msgspec.DecodeError as error:
                return body(422, ErrorDetail(code=INVALID_PARAMETER, message=str(error)))
            answer = await run_in_threadpool(self.handle, library, parameters)
            return Response(
                msgspec.json.encode(answer),
                headers={"cache-control": "no-store"},  # answers move with the library
                media_type="application/json",
            )

        return Route(self.path, endpoint, name=self.name, methods=[self.method])

    async def _given(self, request: Request) -> dict[str, Any]:
        """What stands outside of the path. Raises msgspec.DecodeError."""
        if self.method == "GET":
            return dict(request.query_params)
        said = bytearray()
        async with aclosing(request.stream()) as pieces:
            async for piece in pieces:
                said += piece
                if len(said) > LONGEST:
                    raise msgspec.DecodeError(f"a request of more than {LONGEST} bytes")
        return _OBJECTS.decode(bytes(said) or b"{}")
