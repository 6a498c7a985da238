"""Fetches files of a model hub that speaks Hugging Face's protocol: what a commit holds, and the bytes, resumable.

The only module that reaches out of the house, and only from a command of the owner's: no program that serves imports it
(import-linter). Goes where `HF_ENDPOINT` says, through the proxies that the environment names. Not huggingface_hub: that
one keeps a cache of its own outside the state directory, tells the hub about the libraries around it, and does not compare
what arrives with its hash. Blocking; one Hub for one thread.

Protocol: `/api/models/{repo}/revision/{rev}`, `/api/models/{repo}/tree/{commit}` (paged by `Link`), `/{repo}/resolve/{commit}/{path}`
(which redirects to a store of large files). The tree names the SHA-256 of what Git LFS or Xet holds and the Git blob id of the
rest: every byte is checked against one of the two.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx2
import msgspec

from havenfs import __version__
from havenfs.errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

log = logging.getLogger(__name__)

T = TypeVar("T")

ENDPOINT = "https://huggingface.co"
CONNECT_S = 20.0
SILENCE_S = 60.0
"""Without a byte for so long, the connection counts as dead; the next one goes on where it was."""
ATTEMPTS = 5
"""In a row without a new byte. As long as something arrives, however little, it is tried again."""
PAUSE_S = 1.0  # before the second attempt; doubled each time
LONGEST_JSON = 16 << 20  # bytes; a tree of a thousand files has 300 kB
PAGES = 50
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One file of one commit, as the hub's listing describes it."""

    path: str
    size: int
    sha256: str | None
    """Of large files."""
    blob: str
    """Git's id of small ones: SHA-1 of their length and bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What a repository held at one moment."""

    repository: str
    id: str
    files: dict[str, RemoteFile]


class _Revision(msgspec.Struct):
    sha: str


class _Large(msgspec.Struct):
    oid: str
    size: int


class _Entry(msgspec.Struct):
    type: str
    path: str
    oid: str = ""
    size: int = 0
    lfs: _Large | None = None


_REVISION = msgspec.json.Decoder(_Revision)
_ENTRIES = msgspec.json.Decoder(list[_Entry])


class _Lost(Exception):  # noqa: N818
    """The connection broke, or the server is unwell: worth another attempt."""


class Hub:
    """A connection to the hub. A context manager."""

    def __init__(self, endpoint: str | None = None, *, pause_s: float = PAUSE_S) -> None:
        """*endpoint* outranks `HF_ENDPOINT`. Raises InstallError for one that is no http(s) address."""
        self.endpoint = (endpoint or os.environ.get("HF_ENDPOINT") or ENDPOINT).rstrip("/")
        self._scheme = urlsplit(self.endpoint).scheme
        if self._scheme not in ("http", "https") or not urlsplit(self.endpoint).hostname:
            reason = f"HF_ENDPOINT is {self.endpoint!r}, which is no address such as {ENDPOINT}"
            raise InstallError(reason)
        self._pause_s = pause_s
        try:
            self._client = httpx2.Client(
                follow_redirects=True,
                max_redirects=8,
                timeout=httpx2.Timeout(SILENCE_S, connect=CONNECT_S),
                headers={"user-agent": f"havenfs/{__version__}", "accept-encoding": "identity"},
                event_hooks={"request": [self._stay_encrypted]},
            )
        except (
            ValueError,
            ImportError,
        ) as error:  # a proxy that cannot be: its own words say which
            reason = f"the proxy settings of this shell cannot be used: {error}"
            raise InstallError(reason) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._client.close()

    def commit(self, repository: str, revision: str) -> Commit:
        """What *revision* of *repository* holds now. Raises InstallError."""
        base = f"{self.endpoint}/api/models/{repository}"
        found = self._json(f"{base}/revision/{quote(revision, safe='')}", _REVISION)[0]
        if re.fullmatch(r"[0-9a-f]{40,64}", found.sha) is None:
            reason = f"{self.endpoint} names {found.sha[:80]!r} as a commit of {repository}"
            raise InstallError(reason)
        files: dict[str, RemoteFile] = {}
        url: str | None = f"{base}/tree/{found.sha}?recursive=true"
        for _ in range(PAGES):
            entries, url = self._json(url, _ENTRIES)
            files |= {entry.path: _described(entry) for entry in entries if entry.type == "file"}
            if url is None:
                return Commit(repository=repository, id=found.sha, files=files)
        reason = f"{repository} has too many files to be a model"
        raise InstallError(reason)

    def fetch(
        self, commit: Commit, file: RemoteFile, target: Path, progress: Callable[[int], None]
    ) -> str:
        """Write *file* to *target* whole, checked and synced, or not at all; returns its SHA-256.

        What arrived before goes on from `<target>.part`, if the server still has the same bytes. *progress* is told how many
        bytes are there. Raises InstallError; OSError when they cannot be written.
        """
        part = target.with_name(target.name + ".part")
        url = f"{self.endpoint}/{commit.repository}/resolve/{commit.id}/{quote(file.path)}"
        for whole in (False, True):  # a part that went bad is fetched once more from its beginning
            if whole:
                part.unlink(missing_ok=True)
            self._complete(url, file, part, progress)
            sha256 = _check(part, file)
            if sha256 is not None:
                part.replace(target)
                _tag(part).unlink(missing_ok=True)
                return sha256
        part.unlink(missing_ok=True)
        _tag(part).unlink(missing_ok=True)
        reason = f"{file.path} of {commit.repository} is not what the hub's listing says: its hash is another one"
        raise InstallError(reason)

    def _complete(
        self, url: str, file: RemoteFile, part: Path, progress: Callable[[int], None]
    ) -> None:
        """Have all bytes in *part*, in as many attempts as bring something."""
        fruitless = 0
        while True:
            before = part.stat().st_size if part.exists() else 0
            if before == file.size and (before or part.exists()):
                return
            try:
                self._pour(url, file, part, progress)
            except _Lost as lost:
                after = part.stat().st_size if part.exists() else 0
                fruitless = 0 if after > before else fruitless + 1
                if fruitless >= ATTEMPTS:
                    reason = f"{url} cannot be fetched: {lost}. What has arrived is kept; the same command goes on from there"
                    raise InstallError(reason) from lost
                log.info("%s; trying again", lost)
                time.sleep(self._pause_s * 2**fruitless)

    def _pour(
        self, url: str, file: RemoteFile, part: Path, progress: Callable[[int], None]
    ) -> None:
        """One request: append what is missing to *part*."""
        have = part.stat().st_size if part.exists() else 0
        headers: dict[str, str] = {}
        if 0 < have < file.size and _tag(part).exists():
            headers = {"range": f"bytes={have}-", "if-range": _tag(part).read_text()}
        else:
            have = 0
        with self._answer(url, headers) as response:
            if response.status_code == 206:
                begins = re.match(r"bytes (\d+)-", response.headers.get("content-range", ""))
                if begins is None or int(begins[1]) != have:
                    part.unlink(missing_ok=True)
                    raise _Lost("the server sent another part than was asked for")
            else:
                have = 0
            tag = response.headers.get("etag", "")
            if tag and not tag.startswith("W/"):
                _tag(part).write_text(tag)
            else:
                _tag(part).unlink(missing_ok=True)  # cannot be resumed: begun again if it breaks
            with part.open("ab" if have else "wb") as out:
                for chunk in (
                    response.iter_raw()
                ):  # as it comes: what is gathered first is lost with the connection
                    have += len(chunk)
                    if have > file.size:
                        out.truncate(0)
                        reason = f"{file.path} is larger than the {file.size} bytes that the hub's listing says"
                        raise InstallError(reason)
                    out.write(chunk)
                    progress(have)
                out.flush()
                os.fsync(out.fileno())
        if have < file.size:
            raise _Lost(f"it broke off after {have} of {file.size} bytes")

    def _json(self, url: str, decoder: msgspec.json.Decoder[T]) -> tuple[T, str | None]:
        """The answer and the address of the next page."""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(self._pause_s * 2 ** (attempt - 1))
            try:
                with self._answer(url, {}) as response:
                    body = bytearray()
                    for chunk in response.iter_bytes():
                        body += chunk
                        if len(body) > LONGEST_JSON:
                            reason = f"{url} answers with more than a listing can have"
                            raise InstallError(reason)
                    following = response.links.get("next", {}).get("url")
                    if following is not None and not following.startswith(f"{self.endpoint}/"):
                        reason = f"{url} leads on to another host"
                        raise InstallError(reason)
                    return decoder.decode(bytes(body)), following
            except _Lost as error:
                lost = error
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                reason = f"{url} does not answer as a model hub does: {error}"
                raise InstallError(reason) from error
        reason = f"{url} cannot be asked: {lost}"  # pyright: ignore[reportPossiblyUnboundVariable]
        raise InstallError(reason)

    @contextlib.contextmanager
    def _answer(self, url: str, headers: dict[str, str]) -> Generator[httpx2.Response]:
        """A good response, open. Raises _Lost, InstallError."""
        try:
            with self._client.stream("GET", url, headers=headers) as response:
                status = response.status_code
                if status in (429, 500, 502, 503, 504):
                    raise _Lost(f"the server answers {status}")
                if status in (401, 403, 404):
                    reason = (
                        f"{url} is not there, or not for everybody (the server answers {status})"
                    )
                    raise InstallError(reason)
                if status not in (200, 206):
                    raise InstallError(f"{url} cannot be fetched: the server answers {status}")
                yield response
        except httpx2.TooManyRedirects as error:
            raise InstallError(f"{url} leads in circles") from error
        except (httpx2.TransportError, httpx2.StreamError) as error:
            raise _Lost(str(error) or type(error).__name__) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise InstallError(f"{url} cannot be fetched: {error}") from error

    def _stay_encrypted(self, request: httpx2.Request) -> None:
        """An address that begins with https never leads to one that does not."""
        if self._scheme == "https" and request.url.scheme != "https":
            reason = f"{self.endpoint} leads to {request.url.host} without encryption"
            raise InstallError(reason)


def _described(entry: _Entry) -> RemoteFile:
    sha256 = entry.lfs.oid.removeprefix("sha256:") if entry.lfs else None
    if (sha256 is not None and re.fullmatch("[0-9a-f]{64}", sha256) is None) or (
        sha256 is None and re.fullmatch("[0-9a-f]{40}", entry.oid) is None
    ):
        raise InstallError(f"the hub names no hash for {entry.path[:200]!r}")
    size = entry.lfs.size if entry.lfs else entry.size
    if size < 0:
        raise InstallError(f"the hub names no size for {entry.path[:200]!r}")
    return RemoteFile(path=entry.path, size=size, sha256=sha256, blob=entry.oid)


def _tag(part: Path) -> Path:
    """Where the ETag of what *part* holds is kept."""
    return part.with_name(part.name + "-etag")


def _check(part: Path, file: RemoteFile) -> str | None:
    """The SHA-256 of *part* if it is what *file* says, else None."""
    sha256 = hashlib.sha256()
    blob: Any = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    with part.open("rb") as content:
        while chunk := content.read(CHUNK):
            sha256.update(chunk)
            if file.sha256 is None:
                blob.update(chunk)
    same = (
        sha256.hexdigest() == file.sha256
        if file.sha256 is not None
        else blob.hexdigest() == file.blob
    )
    return sha256.hexdigest() if same else None


def full(error: OSError) -> bool:
    """Whether *error* says that the disk, or what this user may have of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
