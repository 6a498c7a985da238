"""Facts of the camera: EXIF of pictures and raw files as partial Metadata. Decodes no pixels, judges no date against others.

Tags are hostile and, more often, sloppy: any may be missing, of another type, NaN, or text in an unknown code.
"""

from __future__ import annotations

import contextlib
import io
import math
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from PIL import Image

from havenfs.entities import DateSource, Metadata, Taken
from havenfs.extract import dates, jxl, magic
from havenfs.extract.apple import MakerNote, maker_note
from havenfs.extract.failures import DECODING
from havenfs.extract.upright import orientation

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADERS = 4 << 20
"""Bytes from the start of a raw file in which its EXIF lies."""

_EMPTY_CAPTIONS = frozenset(
    {"olympus digital camera", "sony dsc", "minolta digital camera", "kodak digital still camera", "default", "dcim",
     "samsung", "screenshot", "digital camera", "exif_jpeg_picture", "binary comment"}
)  # fmt: skip
"""What cameras write into the caption when nobody wrote one."""


def of_image(image: Image.Image, file: BinaryIO) -> Metadata:
    """The EXIF of an opened (not loaded) *image* in *file*, with its size upright."""
    try:
        tags = image.getexif()
    except DECODING:
        tags = Image.Exif()
    found = of_tags(tags)
    width, height = image.size
    turn = orientation(image, file)
    if turn >= 5:
        width, height = height, width
    return first_of(Metadata(width=width, height=height, orientation=turn), found)


def of_jxl(known: jxl.Header) -> Metadata:
    """The EXIF of a JPEG XL picture, with its size upright."""
    tags = Image.Exif()
    try:
        if known.exif:
            tags.load(b"Exif\0\0" + known.exif)
        found = of_tags(tags)
    except DECODING:
        found = Metadata()
    return _with_size(found, known.width, known.height)


def of_raw(file: BinaryIO, mime: str) -> Metadata:
    """The EXIF of a camera's raw file. The size is left to the preview: its tags describe the sensor, or a thumbnail."""
    head = file.read(HEADERS)
    merged = Metadata()
    for block in _blocks(head, mime):
        tags = Image.Exif()
        try:
            tags.load(b"Exif\0\0" + block)
            found = of_tags(tags)
        except DECODING:
            continue
        merged = first_of(merged, found)
    return merged


def _blocks(head: bytes, mime: str) -> list[bytes]:
    """The TIFF structures with EXIF in the first bytes of a raw file."""
    if mime == "image/x-fuji-raf":  # a whole JPEG at an offset that the header tells
        start = int.from_bytes(head[84:88])
        jpeg = head[start : start + HEADERS]
        try:
            with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
                block = image.info.get("exif")
        except DECODING:
            return []
        return [block[6:]] if isinstance(block, bytes) else []
    if (
        mime == "image/x-canon-cr3"
    ):  # boxes CMT1 (camera), CMT2 (exposure), CMT4 (position), each a TIFF
        blocks: list[bytes] = []
        for name in (b"CMT1", b"CMT2", b"CMT4"):
            at = head.find(name)
            if at >= 4:
                blocks.append(head[at + 4 : at - 4 + int.from_bytes(head[at - 4 : at])])
        return blocks
    if head[:2] not in (b"II", b"MM"):
        return []
    # Olympus and Panasonic write their own letters where TIFF has 42
    return [head[:2] + (b"*\0" if head[:2] == b"II" else b"\0*") + head[4:]]


def of_tags(tags: Image.Exif) -> Metadata:
    """Metadata in the main, EXIF and GPS directories of *tags*. Canon's CR3 has the latter as main directories."""
    main: Mapping[int, Any] = tags
    detail = {**_directory(tags, 0x8769)}
    gps = _directory(tags, 0x8825)
    if 0x829A in main or 0x9003 in main:
        detail = {**dict(main), **detail}
    if not gps and 0x0002 in main and 0x0004 in main:
        gps = dict(main)
    position = _position(gps)
    comment = _comment(detail.get(0x9286))
    note = detail.get(0x927C)
    apple = maker_note(note) if isinstance(note, bytes) else MakerNote()
    return Metadata(
        taken=_taken(main, detail),
        latitude=position[0] if position else None,
        longitude=position[1] if position else None,
        camera=camera(_text(main.get(0x010F)), _text(main.get(0x0110))),
        lens=_text(detail.get(0xA434)) or None,
        iso=_iso(detail),
        aperture=_positive(detail.get(0x829D), 0.3, 256),
        focal_mm=_positive(detail.get(0x920A), 0.5, 10_000),
        exposure_s=_positive(detail.get(0x829A), 1e-6, 100_000),
        rating=_rating(main.get(0x4746)),
        caption=_caption(
            _text(main.get(0x010E)), _utf16(main.get(0x9C9B)), _utf16(main.get(0x9C9C)), comment
        ),
        keywords=tuple(
            word.strip() for word in _utf16(main.get(0x9C9E)).split(";") if word.strip()
        ),
        screenshot=comment.lower() == "screenshot"
        or "screenshot" in _text(main.get(0x0131)).lower(),
        content_id=apple.content_id,
        burst_id=apple.burst_id,
    )


def camera(make: str, model: str) -> str | None:
    """One name from maker and model, without saying the maker twice."""
    brand = make.split()[0].lower() if make.split() else ""
    if not model:
        return make or None
    return model if not brand or model.lower().startswith(brand) else f"{make} {model}"


def first_of(*parts: Metadata) -> Metadata:
    """Each field from the first of *parts* that has it; a position is taken whole."""
    located = next(
        (p for p in parts if p.latitude is not None and p.longitude is not None), Metadata()
    )

    def pick(name: str) -> Any:
        return next((value for p in parts if (value := getattr(p, name)) not in (None, ())), None)

    return Metadata(
        taken=pick("taken"),
        latitude=located.latitude,
        longitude=located.longitude,
        width=pick("width"),
        height=pick("height"),
        duration_ms=pick("duration_ms"),
        camera=pick("camera"),
        lens=pick("lens"),
        iso=pick("iso"),
        aperture=pick("aperture"),
        focal_mm=pick("focal_mm"),
        exposure_s=pick("exposure_s"),
        rating=pick("rating"),
        caption=pick("caption"),
        keywords=pick("keywords") or (),
        screenshot=any(p.screenshot for p in parts),
        raw=any(p.raw for p in parts),
        live=any(p.live for p in parts),
        content_id=pick("content_id"),
        burst_id=pick("burst_id"),
        adjusted=pick("adjusted"),
        hdr=pick("hdr"),
    )


def valid_position(latitude: float, longitude: float) -> bool:
    """On Earth, and not the 0, 0 that devices without a fix write (a square of 100 m off Ghana)."""
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return False
    if abs(latitude) > 90 or abs(longitude) > 180:
        return False
    return not (abs(latitude) < 0.001 and abs(longitude) < 0.001)


def is_raw(mime: str) -> bool:
    """Whether `of_raw` is the reader for that type."""
    return mime in magic.RAW


def _with_size(found: Metadata, width: int, height: int) -> Metadata:
    return first_of(Metadata(width=width, height=height), found)


def _directory(tags: Image.Exif, number: int) -> Mapping[int, Any]:
    try:
        return dict(tags.get_ifd(number))
    except DECODING:
        return {}


def _taken(main: Mapping[int, Any], detail: Mapping[int, Any]) -> Taken | None:
    """DateTimeOriginal, then DateTimeDigitized; DateTime of the file is what editors overwrite and comes last."""
    for text, zone in (
        (detail.get(0x9003), detail.get(0x9011)),
        (detail.get(0x9004), detail.get(0x9012)),
        (main.get(0x0132), detail.get(0x9010)),
    ):
        found = dates.stamp(_text(text))
        if found is not None:
            offset = dates.offset(_text(zone))
            return Taken(
                local=found[0],
                offset=offset if offset is not None else found[1],
                source=DateSource.EXIF,
            )
    return None


def _position(gps: Mapping[int, Any]) -> tuple[float, float] | None:
    latitude, longitude = _degrees(gps.get(2)), _degrees(gps.get(4))
    if latitude is None or longitude is None:
        return None
    if _text(gps.get(1)).upper().startswith("S"):
        latitude = -abs(latitude)
    if _text(gps.get(3)).upper().startswith("W"):
        longitude = -abs(longitude)
    return (
        (round(latitude, 7), round(longitude, 7)) if valid_position(latitude, longitude) else None
    )


def _degrees(value: Any) -> float | None:
    """Degrees, minutes and seconds as rationals; also a single number, which some programs write."""
    parts = cast("list[Any]", list(value) if isinstance(value, tuple | list) else [value])  # pyright: ignore[reportUnknownArgumentType]
    numbers = [_number(part) for part in parts[:3]]
    if not numbers or numbers[0] is None:
        return None
    return sum((number or 0.0) / 60**index for index, number in enumerate(numbers))


def _number(value: Any) -> float | None:
    if isinstance(value, tuple | list):
        value = value[0] if value else None  # pyright: ignore[reportUnknownVariableType]
    try:
        number = float(value)  # pyright: ignore[reportUnknownArgumentType]
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if math.isfinite(number) else None


def _integer(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _positive(value: Any, least: float, most: float) -> float | None:
    number = _number(value)
    return round(number, 9) if number is not None and least <= number <= most else None


def _iso(detail: Mapping[int, Any]) -> int | None:
    for tag in (0x8827, 0x8832, 0x8831):
        number = _integer(detail.get(tag))
        if number is not None and 0 < number < 65535:  # 65535: "look into the other tags"
            return number
    return _integer(detail.get(0x8832))


def _rating(value: Any) -> int | None:
    number = _integer(value)
    return number if number is not None and 0 <= number <= 5 else None


def _text(value: Any) -> str:
    """Text of a tag. The standard says ASCII; what is there is often UTF-8, which Pillow reads as Latin-1."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return ""
    with contextlib.suppress(UnicodeError):  # really Latin-1, or beyond it already
        value = value.encode("latin-1").decode("utf-8")
    return value.split("\0")[0].strip()


def _utf16(value: Any) -> str:
    """The XP... tags of Windows."""
    if isinstance(value, tuple | list):
        try:
            value = bytes(value)  # pyright: ignore[reportUnknownArgumentType]
        except (ValueError, TypeError):
            return ""
    return (
        value.decode("utf-16-le", "ignore").split("\0")[0].strip()
        if isinstance(value, bytes)
        else ""
    )


def _comment(value: Any) -> str:
    """UserComment: eight bytes that name the code, then the text."""
    if not isinstance(value, bytes):
        return _text(value)
    code, body = value[:8], value[8:]
    if code.startswith(b"UNICODE"):
        big = body[:1] == b"\0"
        return body.decode("utf-16-be" if big else "utf-16-le", "ignore").split("\0")[0].strip()
    if code.startswith((b"ASCII", b"JIS", b"\0\0\0")):
        return _text(body)
    return _text(value)


def _caption(*candidates: str) -> str | None:
    for text in candidates:
        if (
            text
            and text.lower() not in _EMPTY_CAPTIONS
            and any(letter.isalnum() for letter in text)
        ):
            return text[:4000]
    return None
