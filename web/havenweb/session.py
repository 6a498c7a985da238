"""Who may decide on this page: whoever has proved once to have the owner's key (`havenfs.owner`).

A browser brings the key in the address that `havenfs web --link` prints. It gets a cookie in its place, and is sent on to the
address without it, so that the key stands in no history and no bookmark. A program sends it as `Authorization: Bearer KEY`.

The cookie is derived from the key, so that it opens this page alone. What it cannot do: cookies know no ports, so a browser
hands it to whatever else it is pointed at on this machine, also to a server of another user.
"""

from __future__ import annotations

import hmac
from contextvars import ContextVar
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse

from havenfs import owner
from havenfs.config import State
from havenfs.errors import ConfigError

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.responses import Response

LASTS_S = 400 * 86_400  # as long as browsers keep any cookie
HOW = "To change something here, open the page once with the owner's link, which “{command}” prints for whoever runs HavenFS."
OUTDATED = "This link is out of date or was cut off. “{command}” prints a new one.\n"
USUAL = "127.0.0.1:8440"


class Visitor(NamedTuple):
    """Whoever sent the request in hand."""

    owner: bool
    """Whether he may decide."""
    how: str
    """What to do in order to, in words."""


visitor: ContextVar[Visitor] = ContextVar("visitor")
"""Set by the shield."""


class Session:
    """The rule, for the key of this state directory."""

    def __init__(self, state: State) -> None:
        self._path = state.owner_key
        self._elsewhere = "" if state == State.default() else f" --state {quote(str(state.root))}"

    def how(self, headers: Headers) -> str:
        """What whoever may not decide is told."""
        return HOW.format(command=self._command(headers))

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
                OUTDATED.format(command=self._command(headers)),
                status_code=401,
                headers={"www-authenticate": "Bearer"},
            )
        answer = RedirectResponse("/", status_code=303, headers={"cache-control": "no-store"})
        answer.set_cookie(
            _name(headers), _cookie(given), max_age=LASTS_S, httponly=True, samesite="strict"
        )
        return answer

    def _command(self, headers: Headers) -> str:
        host = headers.get("host", USUAL)
        return f"havenfs web --link{self._elsewhere}{'' if host == USUAL else f' --http {host}'}"

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
