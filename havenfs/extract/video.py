"""Videos through PyAV: what the container says, and a few frames spread over the duration.

Bounded work: one thread, MOMENTS seeks at most, and after each a limited number of pixels decoded. Demuxer and codec come
from an allow-list, so that a crafted file cannot reach the rarely used ones (FFmpeg's CVEs of 2026 were there), nor a
playlist another file. Runs in a worker process.
"""

from __future__ import annotations

import math
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np
from av.error import FFmpegError
from PIL import Image

from havenfs.entities import DateSource, Metadata, Taken
from havenfs.errors import SourceGone, Unreadable
from havenfs.extract import dates, tone
from havenfs.extract.decode import LARGE, Picture, finish
from havenfs.extract.extent import boxes
from havenfs.extract.failures import reason
from havenfs.extract.original import opened

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

DEMUXERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/3gpp": "mov",
    "video/x-matroska": "matroska",
    "video/webm": "matroska",
    "video/x-msvideo": "avi",
    "video/mpeg": "mpeg",
    "video/mp2t": "mpegts",
    "video/x-ms-asf": "asf",
}
"""FFmpeg's demuxer for each type that `magic` knows."""

CODECS = frozenset(
    [
        "av1",
        "dvvideo",
        "flv1",
        "h263",
        "h264",
        "hevc",
        "libdav1d",
        "mjpeg",
        "mpeg1video",
        "mpeg2video",
        "mpeg4",
        "msmpeg4v2",
        "msmpeg4v3",
        "prores",
        "rawvideo",
        "theora",
        "vc1",
        "vp8",
        "vp9",
        "libvpx",
        "libvpx-vp9",
        "wmv1",
        "wmv2",
        "wmv3",
    ]
)
MOMENTS = 12
"""Equal parts of the duration; a frame is looked for in the middle of each. All of them make the strip."""
EMBEDDED = 8  # frames that are looked at by the model, the poster among them
ORDER = (2, 8, 5, 10, 0, 3, 7, 11, 4, 6, 9, 1)
"""Moments as they are taken, so that few of them are spread too. The first may stand for the video: a fifth into it
people have begun to hold still."""
TILE = 160  # pixels, longer side of a frame in the strip
PIXELS = 1_200_000_000
"""Decoded of one video at most: 144 frames of 4K, 580 of full HD. A shorter one is read through, of a longer one each
moment's share is decoded after the key frame before it; reaching the exact moment is not worth more."""
SAME = 2.0
"""Mean difference of two frames, 0-255, below which one of them says nothing new. A still scene's noise has 0.5 to 1.5."""
LONGEST_S = 366 * 86400.0  # a camera that watches a door fills a file a day
MAX_PIXELS = 8192 * 4608
FAILURES = (
    FFmpegError,
    OSError,
    ValueError,
    EOFError,
    IndexError,
    RuntimeError,
    ArithmeticError,
    MemoryError,
)
# Not all of failures.DECODING: PyAV raises its own errors about data, so a TypeError here is a wrong call of ours, and
# would tell the owner that every video is damaged.


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture of a video."""

    picture: Picture
    position_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What can be seen of a video."""

    frames: tuple[Frame, ...]
    """The poster first, then up to EMBEDDED - 1 more that are neither black nor like one before."""
    strip: Image.Image
    """MOMENTS frames of one size side by side, in order."""


def look(path: bytes, mime: str) -> Film:
    """Pictures spread over the duration. Raises Unreadable and SourceGone."""
    with _container(path, mime) as (container, stream):
        length = _duration(container, stream)
        found: dict[int, Frame] = {}
        first_error: BaseException | None = None
        if not _is_read_through(container, stream, length):
            for moment in range(MOMENTS):
                try:
                    frame = _at(container, stream, (moment + 0.5) / MOMENTS * (length or 0.0))
                except FAILURES as error:
                    first_error = first_error or error
                    continue
                if frame is not None:
                    found.setdefault(frame.position_ms, frame)
        if len(found) < 2:
            # Short; damaged where we looked; or not to be sought in, for want of an index or of key frames.
            try:
                through = _forward(container, stream, length or 0.0, first_error)
            except (Unreadable, SourceGone):
                if not found:
                    raise
                through = []
            found |= {frame.position_ms: frame for frame in through}
    ordered = [found[position] for position in sorted(found)]
    return Film(frames=_telling(ordered), strip=_strip(ordered, length or 0.0))


def _telling(ordered: Sequence[Frame]) -> tuple[Frame, ...]:
    """The poster, then what differs from it and from each other; a black video has its first frame."""
    by_moment = [ordered[round(at * (len(ordered) - 1) / (MOMENTS - 1))] for at in ORDER]
    kept: list[tuple[Frame, NDArray[np.float32]]] = []
    for frame in by_moment:
        small = np.asarray(frame.picture.image.resize((32, 32)), np.float32)
        if not _black(small) and all(np.abs(small - other).mean() >= SAME for _, other in kept):
            kept.append((frame, small))
        if len(kept) == EMBEDDED:
            break
    return tuple(frame for frame, _ in kept) or (by_moment[0],)


def _strip(ordered: Sequence[Frame], length: float) -> Image.Image:
    """Each moment shows the frame nearest to it."""
    first = ordered[0].picture.image
    scale = TILE / max(first.size)
    width, height = (max(1, round(side * scale)) for side in first.size)
    strip = Image.new("RGB", (MOMENTS * width, height))
    tiles = {
        frame.position_ms: frame.picture.image.resize((width, height), reducing_gap=2.0)
        for frame in ordered
    }
    for moment in range(MOMENTS):
        wanted = (moment + 0.5) / MOMENTS * length * 1000
        nearest = min(tiles, key=lambda position: abs(position - wanted))
        strip.paste(tiles[nearest], (moment * width, 0))
    return strip


def facts(path: bytes, mime: str) -> Metadata:
    """Dimensions as displayed, duration, date, position and camera of the container. Raises Unreadable, SourceGone.

    A date in UTC comes with offset 0; who knows the position converts it.
    """
    with _container(path, mime) as (container, stream):
        tags = {
            key.lower(): value for key, value in {**stream.metadata, **container.metadata}.items()
        }
        width, height = _displayed(stream)
        if _rotation(container, stream) % 180:
            width, height = height, width
        length = _duration(container, stream)
        transfer = tone.TRANSFERS.get(int(stream.codec_context.color_trc))
    position = _position(tags)
    return Metadata(
        taken=_taken(tags),
        latitude=position[0] if position else None,
        longitude=position[1] if position else None,
        width=width,
        height=height,
        duration_ms=round(length * 1000) if length else None,
        camera=_camera(tags),
        live="com.apple.quicktime.content.identifier" in tags and (length or 99.0) < 4.0,
        content_id=tags.get("com.apple.quicktime.content.identifier", "").strip()[:200] or None,
        hdr=transfer,
    )


@contextmanager
def _container(path: bytes, mime: str) -> Generator[tuple[InputContainer, VideoStream]]:
    demuxer = DEMUXERS.get(mime)
    if demuxer is None:
        raise Unreadable("this sort of video is not supported")
    with opened(path) as file:
        try:
            with av.open(file, "r", format=demuxer, metadata_errors="replace") as container:
                # A stream of a codec that FFmpeg does not know has no context, whatever PyAV's types say.
                stream = next(
                    (
                        s
                        for s in container.streams.video
                        if getattr(s.codec_context, "name", None) in CODECS
                    ),
                    None,
                )
                if stream is None:
                    raise Unreadable(
                        "this sort of video is not supported"
                        if container.streams.video
                        else "it has no picture, only sound"
                    )
                if not 0 < stream.width * stream.height <= MAX_PIXELS:
                    raise Unreadable(
                        f"the video's size is not supported ({stream.width} x {stream.height})"
                    )
                stream.thread_count = 1
                yield container, stream
        except FAILURES as error:
            if demuxer == "mov" and isinstance(error, FFmpegError) and not _has_index(path):
                raise Unreadable("the file is cut off: the index at its end is missing") from error
            raise _reason(error) from error


def _reason(error: BaseException) -> Exception:
    """As `failures.reason`; but an EIO that FFmpeg made up is about the data, not about the disk."""
    if isinstance(error, FFmpegError) and isinstance(error, OSError):
        return reason(ValueError(error.strerror), "video")
    return reason(error, "video")


def _has_index(path: bytes) -> bool:
    """Whether an MP4 or QuickTime file has its `moov` box: recorders write it last, so half a copy lacks it."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        return any(
            name == b"moov" and start + length <= size for name, start, length in boxes(file, size)
        )


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds; None when the file does not say (a recording that was cut off), or nonsense."""
    said: list[float] = []
    if stream.duration and stream.time_base:
        said.append(float(stream.duration * stream.time_base))
    if container.duration:
        said.append(container.duration / av.time_base)
    return next((seconds for seconds in said if 0 < seconds < LONGEST_S), None)


def _is_read_through(container: InputContainer, stream: VideoStream, length: float | None) -> bool:
    """Short enough; or there is no duration to seek in, or an MPEG stream, which has no index."""
    if length is None:
        return True
    pixels = length * float(stream.average_rate or 30) * stream.width * stream.height
    most = PIXELS if container.format.name in ("mpeg", "mpegts") else PIXELS // 2
    return pixels <= most


def _at(container: InputContainer, stream: VideoStream, seconds: float) -> Frame | None:
    """The frame at *seconds*, or the last before it that the budget of pixels reaches."""
    if stream.time_base:
        start = stream.start_time or 0
        container.seek(start + int(seconds / stream.time_base), stream=stream, backward=True)
    budget = max(1, PIXELS // MOMENTS // (stream.width * stream.height))
    last: VideoFrame | None = None
    start_s = float((stream.start_time or 0) * (stream.time_base or 0))
    try:
        for count, frame in enumerate(container.decode(stream), 1):
            if not frame.is_corrupt:
                last = frame
            if (last is not None and (frame.time or 0.0) - start_s >= seconds) or count >= budget:
                break
    except FAILURES:
        if last is None:
            raise
    if last is None:
        return None
    return _frame(last, stream, start_s)


def _forward(
    container: InputContainer, stream: VideoStream, length: float, error: BaseException | None
) -> list[Frame]:
    """Frames at the moments of *length* as far as decoding from the start gets. Raises Unreadable when there is none."""
    targets = [(moment + 0.5) / MOMENTS * length for moment in range(MOMENTS)] if length else [0.0]
    start_s = float((stream.start_time or 0) * (stream.time_base or 0))
    budget = max(1, PIXELS // (stream.width * stream.height))
    found: list[Frame] = []
    last: VideoFrame | None = None
    try:
        container.seek(0)
        for count, frame in enumerate(container.decode(stream), 1):
            last = last if frame.is_corrupt else frame
            if last is not None and (frame.time or 0.0) - start_s >= targets[len(found)]:
                found.append(_frame(last, stream, start_s))
            if len(found) == len(targets) or count >= budget:
                break
    except FAILURES as problem:
        error = error or problem
    if not found and last is not None:
        found.append(_frame(last, stream, start_s))
    if not found:
        raise (
            _reason(error)
            if error is not None
            else Unreadable("no picture can be decoded in this video")
        )
    return found


def _frame(frame: VideoFrame, stream: VideoStream, start_s: float) -> Frame:
    width, height = _displayed(stream)
    if frame.rotation % 180:
        width, height = height, width
    position = max(0, round(((frame.time or 0.0) - start_s) * 1000))
    return Frame(picture=finish(_image(frame, stream), width, height), position_ms=position)


def _image(frame: VideoFrame, stream: VideoStream) -> Image.Image:
    width, height = _displayed(stream)
    scale = min(1.0, LARGE / max(width, height))
    transfer = tone.TRANSFERS.get(int(frame.color_trc))
    small = frame.reformat(
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
        format="rgb48le" if transfer else "rgb24",
        interpolation="BICUBIC",
    )
    if transfer:
        image = Image.fromarray(
            tone.mapped(small.to_ndarray().astype(np.uint16, copy=False), transfer)
        )
    else:
        image = small.to_image()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    # the display matrix says counter-clockwise, as Pillow does
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def _displayed(stream: VideoStream) -> tuple[int, int]:
    """Width and height in square pixels, before rotation."""
    ratio = stream.sample_aspect_ratio
    width = stream.width if not ratio else round(stream.width * float(ratio))
    return min(max(1, width), 4 * stream.width), stream.height


def _rotation(container: InputContainer, stream: VideoStream) -> int:
    """Degrees, from the first frame: the display matrix of the track travels with the frames."""
    try:
        for count, frame in enumerate(container.decode(stream)):
            if not frame.is_corrupt or count > 8:
                return frame.rotation
    except FAILURES:
        return 0
    return 0


def _black(small: NDArray[np.float32]) -> bool:
    """A fade or the moment before the lens opened: dark and even."""
    return float(small.mean()) < 20 and float(small.std()) < 10


def _taken(tags: Mapping[str, str]) -> Taken | None:
    for key in (
        "com.apple.quicktime.creationdate",
        "creation_time",
        "date",
        "date_recorded",
        "icrd",
        "encoded_date",
    ):
        text = tags.get(key)
        found = dates.stamp(text) if text else None
        if found is not None:
            local, offset = found
            if key == "com.apple.quicktime.creationdate" or offset is not None:
                return Taken(local=local, offset=offset, source=DateSource.CONTAINER)
            return Taken(
                local=local,
                offset=0 if key == "creation_time" else None,
                source=DateSource.CONTAINER,
            )
    return None


_ISO6709 = re.compile(r"([+-]\d{2,7}(?:\.\d+)?)([+-]\d{3,8}(?:\.\d+)?)")


def _position(tags: Mapping[str, str]) -> tuple[float, float] | None:
    for key in ("com.apple.quicktime.location.iso6709", "location", "location-eng", "xyz"):
        match = _ISO6709.match(tags.get(key, "").strip())
        if match:
            return _degrees(match[1], 2), _degrees(match[2], 3)
    return None


def _degrees(text: str, digits: int) -> float:
    """Decimal degrees of an ISO 6709 number: DD.D, DDMM.M or DDMMSS.S (*digits* of degrees)."""
    sign = -1.0 if text[0] == "-" else 1.0
    whole = text[1:].split(".")[0]
    value = float(text[1:])
    if len(whole) <= digits:
        return sign * value
    if len(whole) <= digits + 2:
        degrees, minutes = divmod(value, 100)
        return sign * (degrees + minutes / 60)
    degrees, rest = divmod(value, 10_000)
    minutes, seconds = divmod(rest, 100)
    return sign * (math.floor(degrees) + minutes / 60 + seconds / 3600)


def _camera(tags: Mapping[str, str]) -> str | None:
    make = (
        tags.get("com.apple.quicktime.make")
        or tags.get("make")
        or tags.get("com.android.manufacturer")
        or ""
    )
    model = (
        tags.get("com.apple.quicktime.model")
        or tags.get("model")
        or tags.get("com.android.model")
        or ""
    )
    return (model if model.startswith(make) else f"{make} {model}").strip() or None
