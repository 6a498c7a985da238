"""Thumbnails and originals over HTTP: caching, ranges, hostile types, paths that leave the source."""

from __future__ import annotations

import os
import shutil
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image

from havenfs.catalog.thumbnails import Thumbnails
from havenfs.entities import Source, SourceId
from havenfs.errors import NotPermitted, SourceGone
from havenweb.api.media import SHOWN
from havenweb.app import create_app
from havenweb.originals import open_below

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.config import State


async def picture(client: httpx.AsyncClient, word: str) -> dict[str, Any]:
    (hit,) = (await client.get("/api/search", params={"q": word})).json()["hits"]
    return hit["picture"]


async def test_both_thumbnails_are_webp_and_cached_for_ever(client: httpx.AsyncClient) -> None:
    found = await picture(client, "astronaut")
    for address, longer in ((found["thumbnail"], 256), (found["preview"], 512)):
        answer = await client.get(address)
        assert answer.status_code == 200
        assert (
            answer.headers["cache-control"] == "private, max-age=31536000, immutable, no-transform"
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        with Image.open(BytesIO(answer.content)) as image:
            assert image.format == "WEBP"
            assert max(image.size) == longer  # never larger than the original


async def test_a_video_has_a_strip_to_scrub_through(
    client: httpx.AsyncClient, state: State
) -> None:
    strip = BytesIO()
    Image.new("RGB", (12 * 160, 90)).save(strip, "WEBP")
    with Thumbnails(state.thumbnails) as thumbnails:
        thumbnails.put(b"v" * 32, b"small", b"large", strip.getvalue())
        thumbnails.put(b"p" * 32, b"small", b"large")
    answer = await client.get(f"/t/{(b'v' * 32).hex()}-strip.webp")
    assert (answer.status_code, answer.content) == (200, strip.getvalue())
    assert "immutable" in answer.headers["cache-control"]
    assert (await client.get(f"/t/{(b'p' * 32).hex()}-strip.webp")).status_code == 404
    assert (await picture(client, "astronaut"))["strip"] is None


async def test_a_thumbnail_that_is_not_there_is_not_found_and_not_cached(
    client: httpx.AsyncClient,
) -> None:
    for name in ("0" * 64 + "-256.webp", "0" * 64 + "-9999.webp", "x", "..%2f..%2fetc%2fpasswd"):
        answer = await client.get(f"/t/{name}")
        assert answer.status_code == 404
        assert answer.headers["cache-control"] == "no-store"


async def test_an_original_comes_whole_and_in_ranges(client: httpx.AsyncClient) -> None:
    found = await picture(client, "astronaut")
    whole = await client.get(found["original"])
    assert whole.status_code == 200
    assert whole.headers["content-type"] == "image/jpeg"
    assert whole.headers["content-disposition"].startswith("inline")
    assert whole.headers["content-security-policy"] == "default-src 'none'; sandbox"
    part = await client.get(found["original"], headers={"range": "bytes=100-299"})
    assert part.status_code == 206
    assert part.content == whole.content[100:300]
    assert part.headers["content-range"] == f"bytes 100-299/{len(whole.content)}"
    tail = await client.get(found["original"], headers={"range": "bytes=-10"})
    assert tail.content == whole.content[-10:]
    beyond = await client.get(found["original"], headers={"range": "bytes=99999999-"})
    assert beyond.status_code == 416


async def test_serving_originals_leaves_no_descriptor_open(client: httpx.AsyncClient) -> None:
    found = await picture(client, "astronaut")
    await client.get(found["original"])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        await client.get(found["original"], headers={"range": "bytes=0-9"})
    assert len(os.listdir("/proc/self/fd")) <= before + 2


@pytest.mark.parametrize(
    "mime",
    [
        "text/html",
        "image/svg+xml",
        "application/xml",
        "text/xml",
        "application/xhtml+xml",
        "application/pdf",
    ],
)
def test_types_that_can_carry_script_are_downloads(mime: str) -> None:
    assert not SHOWN.fullmatch(mime)


@pytest.mark.parametrize("mime", ["image/jpeg", "image/heic", "video/mp4", "text/plain"])
def test_pictures_videos_and_plain_text_are_shown_in_place(mime: str) -> None:
    assert SHOWN.fullmatch(mime)


async def test_a_file_replaced_by_a_link_is_not_followed(own_state: State, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not yours")
    app = create_app(own_state)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        leaf = await picture(client, "astronaut")
        below = await picture(client, "sofa")
        originals = tmp_path / "originals"
        (originals / "Space" / "astronaut.jpg").unlink()
        (originals / "Space" / "astronaut.jpg").symlink_to(secret)
        shutil.move(originals / "2021-06 Garden", tmp_path / "elsewhere")
        (originals / "2021-06 Garden").symlink_to(tmp_path / "elsewhere")
        for found in (leaf, below):
            answer = await client.get(found["original"])
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "source_gone"
            assert "not yours" not in answer.text


async def test_an_original_that_never_was_is_not_found(client: httpx.AsyncClient) -> None:
    for number in ("999999", str(2**63), str(10**30)):
        assert (await client.get(f"/o/{number}")).status_code == 404
    assert (await client.get("/o/..%2f..%2fetc%2fpasswd")).status_code == 404


def source(root: Path) -> Source:
    return Source(id=SourceId(1), name="source", root=os.fsencode(root))


@pytest.mark.parametrize(
    "path", [b"../secret", b"a/../../secret", b"/etc/passwd", b"", b"a//b", b"./a"]
)
def test_paths_that_leave_the_source_are_refused(tmp_path: Path, path: bytes) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "secret").write_text("not yours")
    with pytest.raises(NotPermitted):
        open_below(source(tmp_path / "root"), path)


def test_a_fifo_neither_blocks_nor_opens(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceGone):
        open_below(source(tmp_path), b"pipe")
