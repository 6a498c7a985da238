"""A model hub on loopback: the part of Hugging Face's protocol that a download needs, and every way to get it wrong.

One server listens on two ports: the hub itself, and the store of large files that it redirects to.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Generator

LARGE = 2000
"""Bytes from which a file is Git LFS's here."""
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Manners:
    """How the server behaves."""

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commit: str = COMMIT
    page: int = 1000
    """Entries of one page of the tree."""
    cut: list[int] = field(default_factory=list)
    """Close the connection after so many bytes of a large file, once each."""
    unwell: int = 0
    """Answers of 503 that are still to come."""
    ranges: bool = True
    etags: bool = True
    etag_suffix: str = ""
    """Changed when a store forgets what it had."""
    other_bytes: bool = False
    """Large files are others than the listing says."""
    more_bytes: bool = False
    circle: bool = False
    wrong_part: bool = False
    tree: bytes | None = None
    """Answered instead of the true tree."""
    drip_s: float = 0.0
    """Between pieces of 16 kB."""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def asked(self, start: str) -> list[dict[str, str]]:
        """The headers of the requests whose path begins so."""
        return [headers for path, headers in self.requests if path.startswith(start)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    manners: Manners
    store: int

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        manners = self.manners
        path = unquote(urlsplit(self.path).path)
        manners.requests.append((path, {k.lower(): v for k, v in self.headers.items()}))
        if manners.unwell:
            manners.unwell -= 1
            self._send(503, b"")
            return
        parts = path.strip("/").split("/")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if parts[:2] == ["api", "models"]:
                self._api("/".join(parts[2:4]), parts[4], self.path)
            elif parts[0] == "store":
                self._bytes(manners.repositories["/".join(parts[1:3])]["/".join(parts[3:])])
            else:
                self._resolve("/".join(parts[:2]), "/".join(parts[4:]))

    def _api(self, repository: str, what: str, target: str) -> None:
        manners = self.manners
        files = manners.repositories.get(repository)
        if files is None:
            self._send(404, b'{"error":"Repository not found"}')
        elif what == "revision":
            self._send(200, json.dumps({"sha": manners.commit, "id": repository}).encode())
        elif manners.tree is not None:
            self._send(200, manners.tree)
        else:
            entries = [described(path, content) for path, content in sorted(files.items())]
            entries.append({"type": "directory", "path": "visual", "oid": "0" * 40, "size": 0})
            at = int(target.partition("cursor=")[2] or 0)
            following = at + manners.page
            headers = {}
            if following < len(entries):
                base = f"http://{self.headers['host']}{target.partition('&cursor')[0]}"
                headers["Link"] = f'<{base}&cursor={following}>; rel="next"'
            self._send(200, json.dumps(entries[at:following]).encode(), headers)

    def _resolve(self, repository: str, path: str) -> None:
        content = self.manners.repositories.get(repository, {}).get(path)
        if content is None:
            self._send(404, b"Entry not found")
        elif self.manners.circle:
            self._send(302, b"", {"Location": self.path})
        elif len(content) >= LARGE:
            digest = hashlib.sha256(content).hexdigest()
            host = f"http://127.0.0.1:{self.store}"
            headers = {
                "Location": f"{host}/store/{repository}/{path}",
                "X-Linked-Etag": f'"{digest}"',
                "X-Linked-Size": str(len(content)),
                "X-Repo-Commit": self.manners.commit,
            }
            self._send(302, b"", headers)
        else:
            self._bytes(content)

    def _bytes(self, content: bytes) -> None:
        manners = self.manners
        large = len(content) >= LARGE
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}{manners.etag_suffix}"'
        if large and manners.other_bytes:
            content = content[:-1] + bytes([content[-1] ^ 1])
        if large and manners.more_bytes:
            content += b"x" * 5_000_000
        headers = {"ETag": etag} if manners.etags else {}
        asked = self.headers.get("range")
        status, begin = 200, 0
        if asked and manners.ranges and self.headers.get("if-range", etag) == etag:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
            status = 206
            told = begin + 1 if manners.wrong_part else begin
            headers["Content-Range"] = f"bytes {told}-{len(content) - 1}/{len(content)}"
        body = content[begin:]
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if large and manners.cut:
            self.wfile.write(body[: manners.cut.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        for at in range(0, len(body), 16384):
            self.wfile.write(body[at : at + 16384])
            if manners.drip_s:
                self.wfile.flush()
                time.sleep(manners.drip_s)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def described(path: str, content: bytes) -> dict[str, object]:
    """An entry of the tree."""
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    entry: dict[str, object] = {"type": "file", "path": path, "oid": blob, "size": len(content)}
    if len(content) >= LARGE:
        entry["lfs"] = {
            "oid": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "pointerSize": 130,
        }
    return entry


@contextlib.contextmanager
def serving(manners: Manners) -> Generator[str]:
    """The hub's address while it runs."""
    handler = type("Handler", (_Handler,), {"manners": manners})
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as front,
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as store,
        ThreadPoolExecutor(2) as pool,
    ):
        handler.store = store.server_port
        for server in (front, store):
            server.daemon_threads = True
            pool.submit(server.serve_forever, 0.05)
        try:
            yield f"http://127.0.0.1:{front.server_port}"
        finally:
            for server in (front, store):
                server.shutdown()
