"""Damaged and hostile files of every type: a visit always comes back, with findings or with reasons.

The seeds are fixed, so that a failure can be had again. `HAVENFS_FUZZ=n` multiplies the work.
"""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING

import av
import numpy as np
import pillow_heif
import pillow_jxl
import pytest
import reportlab.pdfgen.canvas as reportlab
import tifffile
from PIL import Image
from skimage import data

from havenfs.entities import Kind, Stage
from havenfs.errors import Unreadable
from havenfs.extract.identify import identify
from havenfs.extract.visit import Visit, visit

if TYPE_CHECKING:
    from pathlib import Path

pillow_heif.register_heif_opener()  # to write samples
assert pillow_jxl  # the same

ROUNDS = 25 * int(os.environ.get("HAVENFS_FUZZ", "1"))
STAGES = frozenset(Stage)


def sample(name: str, path: Path) -> bytes:
    """A small good file of the type that *name* ends with."""
    photo = Image.fromarray(data.astronaut()).resize((96, 64))
    tags = Image.Exif()
    tags[0x010F] = "Canon"
    tags.get_ifd(0x8769)[0x9003] = "2019:07:14 10:15:00"
    gps = tags.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (41.0, 53.0, 24.7), "E", (12.0, 29.0, 31.9)
    extension = name.rpartition(".")[2]
    if extension == "dng":
        tifffile.imwrite(path, np.asarray(photo), metadata=None)
    elif name == "deep.tif":
        planes = np.asarray(photo, np.float32).transpose(2, 0, 1) / 255
        tifffile.imwrite(
            path, planes, photometric="rgb", planarconfig="separate", compression="zlib"
        )
    elif extension == "jxl":
        photo.save(path, "JXL", exif=tags.tobytes(), use_container=True)
    elif extension == "pdf":
        canvas = reportlab.Canvas(str(path), pagesize=(100, 100))
        canvas.drawString(10, 50, "hello")
        canvas.save()
    elif extension == "docx":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
            archive.writestr(
                "word/document.xml",
                f'<w:document xmlns:w="{space}"><w:body><w:p><w:r><w:t>hi</w:t></w:r></w:p></w:body></w:document>',
            )
            archive.writestr("docProps/core.xml", "<c><created>2019</created></c>")
    elif extension == "eml":
        path.write_bytes(
            b"From: a@b.c\nTo: d@e.f\nSubject: x\nDate: Sun, 14 Jul 2019 10:15:00 +0200\n\nbody\n"
        )
    elif extension in ("mp4", "mkv", "avi"):
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4" if extension == "avi" else "libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            for packet in [*stream.encode(av.VideoFrame.from_image(photo)), *stream.encode()]:
                container.mux(packet)
    else:
        exif = Image.Exif() if extension in ("bmp", "gif") else tags
        photo.save(path, progressive="progressive" in name, exif=exif)
    return path.read_bytes()


def damaged(body: bytes, rng: np.random.Generator) -> bytes:
    """*body* with a few bytes changed, mostly near the start where the structure is, cut off or repeated in part."""
    raw = bytearray(body)
    for _ in range(int(rng.integers(1, 12))):
        reach = len(raw) if rng.random() < 0.4 else min(len(raw), 400)
        at = int(rng.integers(0, reach))
        width = int(rng.choice([1, 1, 2, 4]))
        raw[at : at + width] = rng.choice(
            [b"\0" * width, b"\xff" * width, rng.bytes(width), b"\x7f" + b"\xff" * (width - 1)]
        )
    if rng.random() < 0.2:
        raw = raw[: int(rng.integers(1, len(raw)))]
    return bytes(raw)


NAMES = [
    "a.jpg",
    "progressive.jpg",
    "a.png",
    "a.webp",
    "a.gif",
    "a.bmp",
    "a.tif",
    "deep.tif",
    "a.jxl",
    "a.heic",
    "a.avif",
    "a.dng",
    "a.mp4",
    "a.mkv",
    "a.avi",
    "a.pdf",
    "a.docx",
    "a.eml",
]


@pytest.mark.parametrize("name", NAMES)
def test_no_damage_stops_a_visit(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    body = sample(name, path)
    rng = np.random.default_rng(sum(name.encode()))
    kinds = {
        "mp4": Kind.VIDEO,
        "mkv": Kind.VIDEO,
        "avi": Kind.VIDEO,
        "pdf": Kind.DOCUMENT,
        "docx": Kind.DOCUMENT,
        "eml": Kind.DOCUMENT,
    }
    good = identify(os.fsencode(path))
    assert good.kind is kinds.get(name.rpartition(".")[2], Kind.PHOTO)
    for _ in range(ROUNDS):
        path.write_bytes(damaged(body, rng))
        try:
            found = identify(os.fsencode(path))
        except Unreadable:
            continue
        # the type as it was when the job was queued: the bytes may have rotted since
        for mime, kind in {(good.mime, good.kind), (found.mime, found.kind)}:
            if kind is None:
                continue
            request = Visit(
                path=os.fsencode(path),
                relative=name.encode(),
                kind=kind,
                mime=mime,
                mtime_ns=0,
                stages=STAGES,
            )
            findings = visit(request, None)
            assert findings.metadata is not None
            assert (findings.preview is not None) != (
                Stage.PREVIEW in {*findings.failed, *findings.skipped}
            )
            assert all(reason and len(reason) < 200 for reason in findings.failed.values())


def test_a_bomb_inside_an_office_file_is_not_unpacked(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<x/>")
        archive.writestr("docProps/core.xml", b"<c>" + bytes(200_000_000))
    (tmp_path / "a.docx").write_bytes(out.getvalue())
    path = os.fsencode(tmp_path / "a.docx")
    request = Visit(
        path=path,
        relative=b"a.docx",
        kind=Kind.DOCUMENT,
        mime=identify(path).mime,
        mtime_ns=0,
        stages=frozenset({Stage.METADATA}),
    )
    assert visit(request, None).metadata is not None
