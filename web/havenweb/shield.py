"""What every response carries and every request must: security headers, a Host that is this machine, and for what changes
something an owner and the page itself as where it comes from.

The page is on loopback without accounts, so any web site that the owner visits could try to reach it. A site that
rebinds its own name to 127.0.0.1 still sends that name as Host, and is refused here; one that asks for 127.0.0.1
itself is stopped by the browser through Cross-Origin-Resource-Policy and the absence of CORS. One that sends something there
has no cookie (SameSite=Strict), and is refused by Origin and Sec-Fetch-Site, which no site can forge in a browser.

Whatever is not reading is refused here by its method, before any route is looked at: a route cannot forget to ask.
"""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from .errors import ErrorDetail, body
from .session import Visitor, visitor

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .session import Session

READING = frozenset({"GET", "HEAD", "OPTIONS"})
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",  # for browsers that do not know frame-ancestors
}


def loopback_host(value: str) -> bool:
    """Whether a Host header names this machine's loopback: localhost, 127.0.0.0/8 or [::1], any port."""
    name = value.strip().lower()
    if name.startswith("["):
        name, _, port = name[1:].partition("]")
        port = port.removeprefix(":")
    else:
        name, _, port = name.partition(":")
    if (port and not port.isascii()) or (port and not port.isdigit()):
        return False
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def of_another_site(headers: Headers) -> bool:
    """Whether a browser says that another page than ours sends this. Programs say nothing."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    return (site is not None and site != "same-origin") or (
        origin is not None and urlsplit(origin).netloc != headers.get("host")
    )


def of_a_page(headers: Headers) -> bool:
    """Whether it says from which site it comes: browsers do, whenever they send something."""
    return "sec-fetch-site" in headers or "origin" in headers


class Shield:
    """ASGI middleware around the whole program."""

    def __init__(self, app: ASGIApp, session: Session) -> None:
        self.app = app
        self.session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(
                        name, value
                    )  # originals bring a stricter policy of their own
            await send(message)

        refusal = self._look(scope["method"], scope["path"], Headers(scope=scope))
        await (refusal or self.app)(scope, receive, send_with_headers)

    def _look(self, method: str, path: str, headers: Headers) -> Response | None:
        """Why it is refused; None: it is not."""
        if not loopback_host(headers.get("host", "")):
            return _refusal(
                HTTPStatus.MISDIRECTED_REQUEST,
                "misdirected_request",
                "This page answers only as localhost or 127.0.0.1.",
            )
        reading = method in READING
        if not reading and of_another_site(headers):
            return _refusal(
                HTTPStatus.FORBIDDEN, "another_site", "Another web site may change nothing here."
            )
        allowed = path.startswith("/api/") and (
            self.session.by_program(headers)
            or ((reading or of_a_page(headers)) and self.session.by_browser(headers))
        )
        how = self.session.how(headers)
        visitor.set(Visitor(allowed, how))
        if reading or allowed:
            return None
        refusal = _refusal(HTTPStatus.UNAUTHORIZED, "not_the_owner", how)
        refusal.headers["www-authenticate"] = "Bearer"
        return refusal


def _refusal(status: HTTPStatus, code: str, message: str) -> Response:
    return body(status, ErrorDetail(code=code, message=message))
