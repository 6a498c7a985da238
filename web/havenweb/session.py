"""Who may decide on this page: whoever has proved once to have the owner's key (`havenfs.owner`).

A browser brings the key in the address that `havenfs web --link` prints. It gets a cookie in its place, and is sent on to the
address without it, so that the key stands in no history and no bookmark. A program sends it as `Authorization: Bearer KEY`.

The cookie is derived from the key, so that it opens this page alone. What it cannot do: cookies know no ports, so a browser
hands it to whatever else it is pointed at on this machine, also to a server of another user.
"""

from __future__ import annotations

import hmac
from contextvars import ContextVar
from typing import TYPE_CHECKING

from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse

from havenfs import owner
from havenfs.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.datastructures import Headers
    from starlette.responses import Response

LASTS_S = 400 * 86_400  # as long as browsers keep any cookie
HOW = (
    "To change something here, open the page with the owner's link once: “havenfs web --link” prints it, for whoever "
    "runs HavenFS."
)
OUTDATED = f"This link is out of date or was cut off.\n\n{HOW}\n"

deciding: ContextVar[bool] = ContextVar("deciding", default=False)
"""Whether the request in hand comes from somebody who may decide. Set by the shield."""


class Session:
    """The rule, for the key in the file *path*."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def by_program(self, headers: Headers) -> bool:
        """Whether a request brings the key itself."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._is_key(given.strip())

    def by_browser(self, headers: Headers) -> bool:
        """Whether a request brings the cookie."""
        given = cookie_parser(headers.get("cookie", "")).get(_name(headers), "")
        key = self._key() if given else None
        return key is not None and _equal(given, _cookie(key))

    def enter(self, given: str, headers: Headers) -> Response:
        """The answer to who comes with a link: on to the page, with the cookie if the key is right."""
        if not self._is_key(given):
            return PlainTextResponse(
                OUTDATED, status_code=401, headers={"www-authenticate": "Bearer"}
            )
        answer = RedirectResponse("/", status_code=303, headers={"cache-control": "no-store"})
        answer.set_cookie(
            _name(headers), _cookie(given), max_age=LASTS_S, httponly=True, samesite="strict"
        )
        return answer

    def _is_key(self, given: str) -> bool:
        key = self._key() if given else None
        return key is not None and _equal(given, key)

    def _key(self) -> str | None:
        """Read each time, 30 us: who removes the file shuts everybody out at once."""
        try:
            return owner.read(self._path)
        except ConfigError:
            return None


def _name(headers: Headers) -> str:
    """Of the cookie: with the port, for two programs on one machine would take each other's away."""
    return f"havenfs-{headers.get('host', '').rpartition(':')[2]}"


def _cookie(key: str) -> str:
    return hmac.digest(key.encode(), b"havenfs page", "sha256").hex()


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
