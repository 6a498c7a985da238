"""HavenError to HTTP: the web program's one table of statuses, and the shape of every error body.

Codes are part of the API: clients compare them, messages are for people.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from havenfs import errors

if TYPE_CHECKING:
    from starlette.exceptions import HTTPException
    from starlette.requests import Request

STATUS: dict[type[errors.HavenError], HTTPStatus] = {
    errors.ConfigError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.NewerState: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.NotADirectory: HTTPStatus.NOT_FOUND,
    errors.IsADirectory: HTTPStatus.BAD_REQUEST,
    errors.InvalidName: HTTPStatus.BAD_REQUEST,
    errors.NameTooLong: HTTPStatus.BAD_REQUEST,
    errors.TooDeep: HTTPStatus.BAD_REQUEST,
    errors.NotPermitted: HTTPStatus.FORBIDDEN,
    errors.ReadOnly: HTTPStatus.FORBIDDEN,
    errors.Exists: HTTPStatus.CONFLICT,
    errors.NotEmpty: HTTPStatus.CONFLICT,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.NotJournaled: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.Unsupported: HTTPStatus.NOT_FOUND,
    errors.NoAttribute: HTTPStatus.NOT_FOUND,
    errors.InvalidQuery: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unreadable: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.SourceGone: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Stale: HTTPStatus.GONE,
    errors.ModelError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.LicenceNotAccepted: HTTPStatus.FORBIDDEN,
    errors.InstallError: HTTPStatus.BAD_GATEWAY,
    errors.EncoderUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NotRunning: HTTPStatus.SERVICE_UNAVAILABLE,
}

INVALID_PARAMETER = "invalid_parameter"
"""The code of a request whose parameters do not have the types that the OpenAPI document names."""


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong."""

    code: str
    message: str
    position: int | None = None
    """For an unparseable query: index into its text, from 0."""


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every response that is not a success."""

    error: ErrorDetail


def code(kind: type[errors.HavenError]) -> str:
    """The error's name on the wire: `InvalidQuery` is `invalid_query`."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("_")


def response(error: errors.HavenError) -> Response:
    """The response for an error that HavenFS raised on purpose."""
    if isinstance(error, errors.InvalidQuery):
        detail = ErrorDetail(code=code(type(error)), message=error.reason, position=error.position)
    else:
        detail = ErrorDetail(code=code(type(error)), message=str(error))
    return body(STATUS[type(error)], detail)


def body(status: int, detail: ErrorDetail) -> Response:
    """A JSON error response. Never cached: the next try may succeed."""
    return Response(
        msgspec.json.encode(ErrorBody(error=detail)),
        status_code=status,
        headers={"cache-control": "no-store"},
        media_type="application/json",
    )


async def on_haven_error(_request: Request, error: Exception) -> Response:
    """Starlette's handler for HavenError."""
    assert isinstance(error, errors.HavenError)
    return response(error)


async def on_http_error(_request: Request, error: Exception) -> Response:
    """Starlette's handler for its own errors (no such route, method not allowed)."""
    raised: HTTPException = error  # type: ignore[assignment]
    phrase = HTTPStatus(raised.status_code).phrase
    answer = body(
        raised.status_code,
        ErrorDetail(code=phrase.lower().replace(" ", "_"), message=raised.detail),
    )
    for name, value in (raised.headers or {}).items():
        answer.headers[name] = value
    return answer


async def on_bug(_request: Request, _error: Exception) -> Response:
    """Starlette's handler for what nobody named; the traceback is in the log."""
    return body(500, ErrorDetail(code="bug", message="HavenFS made a mistake; its log says more."))
