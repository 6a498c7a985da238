"""What every response carries and every request must: security headers, and a Host that is this machine.

The page is on loopback without accounts, so any web site that the owner visits could try to reach it. A site that
rebinds its own name to 127.0.0.1 still sends that name as Host, and is refused here; one that asks for 127.0.0.1
itself is stopped by the browser through Cross-Origin-Resource-Policy and the absence of CORS.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from .errors import ErrorDetail, body

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


class Shield:
    """ASGI middleware around the whole program."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

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

        if not loopback_host(Headers(scope=scope).get("host", "")):
            refusal = ErrorDetail(
                code="misdirected_request",
                message="This page answers only as localhost or 127.0.0.1.",
            )
            await body(421, refusal)(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)
