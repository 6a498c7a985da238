"""The hard files: everything that has ever stopped an indexer, a few of each, below `hard/`.

Each comes with what is hard about it. Those that are good pictures under a bad name are assets as well; the others
must end with a reason, and none may stop the rest. Names that the file system refuses are left out. One thread.
"""

from __future__ import annotations

import io
import os
import struct
import unicodedata
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from havenfs.sample import documents, photos, scenes
from havenfs.sample.shots import FEATURED
from havenfs.sample.truth import Known

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

FOLDER = "hard"


def write(directory: Path, seed: int) -> tuple[dict[str, Known], dict[str, str]]:
    """Write the hard files; return the truth about those that can be read, and what is hard about each."""
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    assets: dict[str, Known] = {}
    hard: dict[str, str] = {}
    for place, (name, why, make) in enumerate(_FILES):
        path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
        relative = f"{FOLDER}/{os.fsdecode(name)}"
        try:
            known = make(path, np.random.default_rng([seed, 3_000_000 + place]))
        except OSError:  # this file system has no such names, links or pipes
            continue
        hard[relative] = why
        if known is not None:
            assets[relative] = known
    return assets, hard


def _picture(rng: np.random.Generator) -> tuple[Image.Image, Known]:
    scene = FEATURED[int(rng.integers(len(FEATURED)))]
    labels = scenes.labels(scene)
    known = Known(
        kind="photo", labels=labels, facts=tuple(sorted(scenes.facts(scene) - set(labels)))
    )
    return scenes.draw(scene, 640, 480, rng), known


def _encoded(rng: np.random.Generator, form: str = "JPEG") -> tuple[bytes, Known]:
    image, known = _picture(rng)
    memory = io.BytesIO()
    image.save(memory, form, quality=85)
    return memory.getvalue(), known


def _put(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    photos.stamp(path, None, None)


def _good(form: str = "JPEG") -> Callable[[Path, np.random.Generator], Known]:
    def make(path: Path, rng: np.random.Generator) -> Known:
        data, known = _encoded(rng, form)
        _put(path, data)
        return known

    return make


def _bytes(
    made: Callable[[np.random.Generator], bytes],
) -> Callable[[Path, np.random.Generator], None]:
    def make(path: Path, rng: np.random.Generator) -> None:
        _put(path, made(rng))

    return make


def _corrupt(rng: np.random.Generator) -> bytes:
    data = bytearray(_encoded(rng)[0])
    middle = len(data) // 2
    data[middle : middle + 2000] = rng.integers(0, 256, 2000, dtype=np.uint8).tobytes()
    return bytes(data)


def _truncated(rng: np.random.Generator) -> bytes:
    data = _encoded(rng)[0]
    return data[: len(data) // 3]


def _huge_jpeg(rng: np.random.Generator) -> bytes:
    """A real JPEG whose frame header (SOF0) is changed to 16320 x 12240: 200 megapixels, a few kilobytes."""
    data = bytearray(_encoded(rng)[0])
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 12240, 16320)
    return bytes(data[: at + 4000])


def _huge_png(rng: np.random.Generator) -> bytes:
    """A PNG (ISO 15948) that announces 16320 x 12240 pixels and holds a hundred rows."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = bytes((1 + 16320 * 3) * 100)
    header = struct.pack(">IIBBBBB", 16320, 12240, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _words(path: Path, _: np.random.Generator) -> Known:
    text = "This is a note that somebody saved under the name of a photo. Keyword: marzipan."
    _put(path, text.encode())
    return Known(kind="document", labels=("document",), text=text)


def _broken_pdf(_: np.random.Generator) -> bytes:
    data = documents.text_pdf(
        "Broken", ("The table at the end points nowhere.",), photos.UNDATED.replace(tzinfo=None)
    )
    head, _mark, _tail = data.rpartition(b"xref\n0 8")
    return (
        head
        + b"xref\n0 8\n0000099999 65535 f \ntrailer << /Size 999 >>\nstartxref\n7777777\n%%EOF\n"
    )


def _bomb(_: np.random.Generator) -> bytes:
    """A Word document of 20 KB whose text unpacks to 20 MB."""
    body = "<w:p><w:r><w:t>" + "boom " * 4_000_000 + "</w:t></w:r></w:p>"
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return documents.archive(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>',
        }
    )


def _cut_video(rng: np.random.Generator) -> bytes:
    """The boxes of an MP4 up to the middle of its sample data: the index at the end never arrived."""
    ftyp = struct.pack(">I", 24) + b"ftypisom" + struct.pack(">I", 512) + b"isomavc1"
    return (
        ftyp
        + struct.pack(">I", 5_000_000)
        + b"mdat"
        + rng.integers(0, 256, 30_000, dtype=np.uint8).tobytes()
    )


def _noise(rng: np.random.Generator) -> bytes:
    return b"\x00\xfe" + rng.integers(0, 256, 5000, dtype=np.uint8).tobytes()


def _unreadable(path: Path, rng: np.random.Generator) -> None:
    _put(path, _encoded(rng)[0])
    path.chmod(0)


def _link(target: str) -> Callable[[Path, np.random.Generator], None]:
    def make(path: Path, _: np.random.Generator) -> None:
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    return make


def _pipe(path: Path, _: np.random.Generator) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


_LONG = b"a very long name " + b"x" * 234 + b".jpg"
_FILES: tuple[tuple[bytes, str, Callable[[Path, np.random.Generator], Known | None]], ...] = (
    (b"corrupt.jpg", "garbage in the middle", _bytes(_corrupt)),
    (b"truncated.jpg", "two thirds are missing", _bytes(_truncated)),
    (b"empty.jpg", "no bytes at all", _bytes(lambda _: b"")),
    (b"huge.jpg", "its header claims 200 megapixels", _bytes(_huge_jpeg)),
    (b"huge.png", "its header claims 200 megapixels", _bytes(_huge_png)),
    (b"a png.jpg", "a PNG named .jpg", _good("PNG")),
    (b"a note.jpg", "text named .jpg", _words),
    (b"a photo.txt", "a JPEG named .txt", _good()),
    ("🏖️ 👨‍👩‍👧 holiday.jpg".encode(), "emoji in the name", _good()),
    (b"two\nlines.jpg", "a newline in the name", _good()),
    (
        unicodedata.normalize("NFD", "Café Crème été.jpg").encode(),
        "decomposed accents (NFD) in the name",
        _good(),
    ),
    (b"na\xefve \xff latin1.jpg", "a name that is not UTF-8", _good()),
    (_LONG, "a name of 255 bytes", _good()),
    (b" leading and trailing .jpg ", "blanks around the name, and so no extension", _good()),
    (b'quote " star * colon : pipe | <angle>?.jpg', "characters that Windows forbids", _good()),
    (b"CON.jpg", "a device name of Windows", _good()),
    (b"loop", "a symbolic link to its own folder", _link(".")),
    (b"circle a.jpg", "two symbolic links that point at each other", _link("circle b.jpg")),
    (b"circle b.jpg", "two symbolic links that point at each other", _link("circle a.jpg")),
    (b"dangling.jpg", "a symbolic link to nothing", _link("nowhere.jpg")),
    (b"unreadable.jpg", "no permission to read (except for root)", _unreadable),
    (b"pipe.jpg", "a named pipe: opening it waits for ever", _pipe),
    (b"unknown.bin", "unknown bytes", _bytes(_noise)),
    (b"bomb.docx", "20 KB that unpack to 20 MB", _bytes(_bomb)),
    (b"broken xref.pdf", "its cross-reference table points nowhere", _bytes(_broken_pdf)),
    (b"cut.mp4", "cut short before its index", _bytes(_cut_video)),
)
