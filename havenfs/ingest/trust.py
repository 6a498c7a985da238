"""What a worker says, checked for sense before it is written: a worker may be in the hands of a file that it opened.

Types are the protocol's business; here are sizes, ranges and magic bytes. Pure.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from havenfs.entities import DateSource, Stage, TextOrigin
from havenfs.errors import Unreadable

if TYPE_CHECKING:
    from havenfs.entities import Embedding, Faces, Findings, Identity, Metadata, Preview, Text

HASH = 32
TEXT = 4 << 20  # characters: a long novel has 2 M
WORDS = 4096  # characters of one field of metadata
IMAGE = 4 << 20  # bytes: a 1440 px WebP of noise has 1.5 MB
FRAMES = 64
FACES = 1024  # in all frames of a video
GRID = 256  # cells
BOX = 9  # bytes of one word's place
SIDE = (1 << 31) - 1  # pixels: what a header can say, true or not; it harms nothing
YEARS = (-62_135_596_800, 253_402_300_799)  # 0001..9999 in seconds


def identity(found: Identity) -> Identity:
    """The identity, if it can be one. Raises Unreadable."""
    _check(len(found.hash) == HASH and found.size > 0, "hash")
    _check(0 < len(found.mime) <= 255 and found.mime.isprintable(), "type")
    return found


def findings(
    found: Findings,
    stages: frozenset[Stage],
    *,
    dimension: int | None,
    face_dimension: int | None = None,
) -> Findings:
    """The findings, if they can be some about these stages. The dimensions are those of the models in use, for pictures
    and for faces. Raises Unreadable."""
    for reasons in (found.skipped, found.failed):
        _check(reasons.keys() <= stages, "stages")
        _check(all(0 < len(reason) <= WORDS for reason in reasons.values()), "reasons")
    if found.metadata is not None:
        _check(Stage.METADATA in stages, "stages")
        _metadata(found.metadata)
    if found.preview is not None:
        _check(Stage.PREVIEW in stages, "stages")
        _preview(found.preview)
    if found.embeddings:
        _check(Stage.EMBED in stages and dimension is not None, "stages")
        _embeddings(found.embeddings, dimension or 0)
    if found.faces is not None:
        _check(Stage.FACES in stages and face_dimension is not None, "stages")
        _faces(found.faces, face_dimension or 0)
    if found.text is not None:
        _check(Stage.TEXT in stages and len(found.text.body) <= TEXT, "text")
        _text(found.text)
    return found


def _metadata(found: Metadata) -> None:
    if found.taken is not None:
        _check(YEARS[0] <= found.taken.local <= YEARS[1], "date")
        _check(abs(found.taken.offset or 0) <= 24 * 60, "time zone")
        _check(_between(found.taken.confidence, 0, 1), "date")
        _check(found.taken.source is not DateSource.GIVEN, "date")  # only people give dates
    _check(_between(found.latitude, -90, 90) and _between(found.longitude, -180, 180), "position")
    _check(_between(found.width, 0, SIDE) and _between(found.height, 0, SIDE), "size")
    _check(_between(found.orientation, 1, 8), "size")
    _check(_between(found.duration_ms, 0, 1 << 42) and _between(found.rating, 0, 5), "numbers")
    _check(_between(found.iso, 0, 1 << 40), "numbers")
    for number in (found.aperture, found.focal_mm, found.exposure_s):
        _check(_between(number, 0, 1e9), "numbers")
    words = [
        found.camera,
        found.lens,
        found.content_id,
        found.burst_id,
        found.adjusted,
        found.hdr,
        *found.keywords,
    ]
    if found.locality is not None:
        words += [found.locality.country, found.locality.region, found.locality.city]
    _check(all(len(word or "") <= WORDS for word in words) and len(found.keywords) <= 4096, "words")
    _check(len(found.caption or "") <= TEXT, "words")


def _preview(found: Preview) -> None:
    for image in (found.small, found.large, *([found.strip] if found.strip is not None else [])):
        _check(len(image) <= IMAGE and image[:4] == b"RIFF" and image[8:12] == b"WEBP", "preview")
    _check(0 < found.width <= SIDE and 0 < found.height <= SIDE, "size")
    _check(len(found.thumbhash) <= 64 and len(found.grid) == GRID, "fingerprint")
    for bits in (found.phash, found.inner):
        _check(-(1 << 63) <= bits < 1 << 63, "fingerprint")
    _check(_between(found.text_likeness, 0, 1) and _between(found.cut, 0, 100), "numbers")


def _embeddings(found: tuple[Embedding, ...], dimension: int) -> None:
    _check(len(found) <= FRAMES and len({e.model for e in found}) == 1, "vectors")
    _check(len({e.frame_ms for e in found}) == len(found), "vectors")
    for embedding in found:
        _vector(embedding.vector, dimension)
        _check(0 <= embedding.frame_ms < 1 << 42, "vectors")


def _faces(found: Faces, dimension: int) -> None:
    _check(len(found.found) <= FACES and 0 < len(found.model) <= 255, "faces")
    for face in found.found:
        _vector(face.vector, dimension)
        place = face.region
        _check(0 <= place.frame_ms < 1 << 42, "faces")
        _check(0 <= place.left < place.right <= 1 and 0 <= place.top < place.bottom <= 1, "faces")
        _check(len(face.points) == 10 and all(-1 <= share <= 2 for share in face.points), "faces")
        for share in (face.score, face.sharpness, face.frontal):
            _check(_between(share, 0, 1), "faces")
        _check(_between(face.size, 0, SIDE), "faces")


def _vector(vector: bytes, dimension: int) -> None:
    _check(len(vector) == 4 * dimension, "vectors")
    length = math.fsum(x * x for x in memoryview(vector).cast("f"))
    _check(math.isfinite(length) and 0.9 < length < 1.1, "vectors")


def _text(found: Text) -> None:
    count, rest = divmod(len(found.boxes), BOX)
    _check(not rest and (not count or _whole(found, count)), "words")
    code = found.language or "xx"
    _check(len(code) in (2, 3) and code.isascii() and code.isalpha(), "language")


def _whole(found: Text, count: int) -> bool:
    """Whether *count* boxes are those of a picture's words, or of the page that such words begin with: pages and blocks
    end with an empty line."""
    for part in found.body.split("\n\n") if found.origin is TextOrigin.OCR else ():
        count -= len(part.split())
        if count <= 0:
            break
    return count == 0


def _between(value: float | None, low: float, high: float) -> bool:
    return value is None or low <= value <= high  # false for NaN


def _check(good: bool, what: str) -> None:  # noqa: FBT001
    if not good:
        raise Unreadable(f"the decoder's answer makes no sense ({what})")
