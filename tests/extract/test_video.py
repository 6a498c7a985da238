"""Frames and facts of videos."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import numpy as np
import pytest
from PIL import Image

from havenfs.entities import DateSource, Kind, Metadata, Taken
from havenfs.errors import Unreadable
from havenfs.extract import metadata, video
from havenfs.extract.identify import identify

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from av.video.stream import VideoStream

JULY = 1_563_092_100  # 2019-07-14 08:15:00 UTC


def film(
    path: Path,
    *,
    codec: str = "libx264",
    frames: int = 60,
    black: int = 0,
    size: tuple[int, int] = (160, 120),
    tags: dict[str, str] | None = None,
) -> Path:
    """Two seconds at 30 frames: red left, blue right, after *black* black frames."""
    width, height = size
    with av.open(str(path), "w") as container:
        container.metadata.update(tags or {})
        stream = cast("VideoStream", container.add_stream(codec, rate=30))
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = width, height, "yuv420p", 250
        for index in range(frames):
            pixels = np.zeros((height, width, 3), np.uint8)
            if index >= black:
                pixels[:, : width // 2] = (255, 0, 0)
                pixels[:, width // 2 :] = (0, 0, 255)
                pixels[: height // 4, : width // 4] = index * 4 % 256
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def frames(path: Path) -> tuple[video.Frame, ...]:
    name = os.fsencode(path)
    return video.look(name, identify(name).mime).frames


def facts(path: Path) -> Metadata:
    name = os.fsencode(path)
    return video.facts(name, identify(name).mime)


@pytest.mark.parametrize(
    ("extension", "codec"),
    [
        ("mp4", "libx264"),
        ("mov", "libx264"),
        ("mkv", "libx264"),
        ("webm", "libvpx"),
        ("avi", "mpeg4"),
        ("3gp", "mpeg4"),
        ("mpg", "mpeg2video"),
        ("ts", "libx264"),
    ],
)
def test_frames_are_spread_over_every_sort_of_video(
    tmp_path: Path, extension: str, codec: str
) -> None:
    path = film(tmp_path / f"a.{extension}", codec=codec)
    found = frames(path)
    assert identify(os.fsencode(path)).kind is Kind.VIDEO
    assert 4 <= len({frame.position_ms for frame in found}) == len(found) <= 8
    told = facts(path)
    assert told.duration_ms is not None
    # a program stream has no index: its length is an estimate
    assert (1000 if extension == "mpg" else 1800) <= told.duration_ms <= 2100
    assert max(frame.position_ms for frame in found) > 0.6 * told.duration_ms
    assert {(frame.picture.width, frame.picture.height) for frame in found} == {(160, 120)}
    red, green, blue = found[0].picture.image.getpixel((60, 100))  # type: ignore[misc]
    assert red > 200 > 60 > max(green, blue)
    assert (told.width, told.height) == (160, 120)


def test_the_poster_is_not_black(tmp_path: Path) -> None:
    found = frames(film(tmp_path / "a.mp4", black=40))
    assert found
    assert min(frame.position_ms for frame in found) >= 1300
    only = frames(film(tmp_path / "b.mp4", black=60))
    assert len(only) == 1


def test_a_large_video_comes_back_at_1440(tmp_path: Path) -> None:
    found = frames(film(tmp_path / "a.mp4", size=(1920, 1080), frames=3))
    assert (found[0].picture.width, found[0].picture.height) == (1920, 1080)
    assert found[0].picture.image.size == (1440, 810)


def test_a_phone_held_upright_gives_an_upright_poster(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    body = bytearray(path.read_bytes())
    matrix = body.index(b"tkhd") + 4 + 4 + 20 + 16
    # a quarter turn clockwise, as telephones write it (ISO/IEC 14496-12, 8.3.2)
    body[matrix : matrix + 36] = struct.pack(
        ">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 120 << 16, 0, 1 << 30
    )
    path.write_bytes(body)
    assert (facts(path).width, facts(path).height) == (120, 160)
    picture = frames(path)[0].picture
    assert (picture.width, picture.height) == picture.image.size == (120, 160)
    top, bottom = picture.image.getpixel((20, 60)), picture.image.getpixel((20, 140))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200
    assert bottom[2] > 200


def test_the_container_tells_date_and_place(tmp_path: Path) -> None:
    path = film(
        tmp_path / "a.mp4",
        tags={"creation_time": "2019-07-14T08:15:00Z", "location": "+41.8902+012.4922/"},
    )
    told = facts(path)
    assert told.taken == Taken(local=JULY, offset=0, source=DateSource.CONTAINER)
    assert (told.latitude, told.longitude) == (41.8902, 12.4922)
    found = metadata.read(
        os.fsencode(path), b"a.mp4", kind=Kind.VIDEO, mime="video/mp4", mtime_ns=0
    )
    assert found.taken == Taken(local=JULY + 7200, offset=120, source=DateSource.CONTAINER)
    assert found.locality is not None
    assert found.locality.city == "Rome"


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("VID_20190714_101500.mp4", 2),
        ("PXL_20190714_081500123.mp4", 0),
        ("VID_20190712_093311.mp4", 0),
        ("clip.mp4", 0),
    ],
)
def test_the_name_tells_the_time_zone_of_a_video_without_position(
    tmp_path: Path, name: str, hours: int
) -> None:
    path = film(tmp_path / name, frames=5, tags={"creation_time": "2019-07-14T08:15:00Z"})
    found = metadata.read(
        os.fsencode(path), name.encode(), kind=Kind.VIDEO, mime="video/mp4", mtime_ns=0
    )
    assert found.taken == Taken(
        local=JULY + hours * 3600, offset=hours * 60, source=DateSource.CONTAINER
    )


def test_positions_in_degrees_minutes_and_seconds() -> None:
    for text in ("+41.8902+012.4922/", "+4153.412+01229.532/", "+415324.7+0122931.9+021.000/"):
        found = video._position({"location": text})
        assert found is not None
        assert found == (pytest.approx(41.8902, abs=1e-3), pytest.approx(12.4922, abs=1e-3))
    assert video._position({"location": "here"}) is None


def test_apple_writes_local_time_and_camera() -> None:
    tags = {"com.apple.quicktime.creationdate": "2019-07-14T10:15:00+0200", "creation_time": "2019-07-14T08:15:00Z",
            "com.apple.quicktime.make": "Apple", "com.apple.quicktime.model": "iPhone 12"}  # fmt: skip
    assert video._taken(tags) == Taken(local=JULY + 7200, offset=120, source=DateSource.CONTAINER)
    assert video._camera(tags) == "Apple iPhone 12"


def test_half_a_copy_says_so(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    body = path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(body[: int(len(body) * share)])
        with pytest.raises(Unreadable, match="cut off: the index at its end is missing"):
            frames(path)


def test_a_recording_that_was_interrupted_shows_what_is_there(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv")
    body = path.read_bytes()
    path.write_bytes(body[: len(body) // 2])
    assert frames(path)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 800), np.int16), format="s16", layout="mono"
        )
        frame.sample_rate = 8000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    with pytest.raises(Unreadable, match="only sound"):
        frames(tmp_path / "a.mkv")


def test_a_codec_that_is_not_on_the_list_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="not supported"):
        frames(film(tmp_path / "a.mkv", codec="ffv1", frames=3))


def test_noise_behind_a_header_is_damaged(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for name, head in {
        "a.mp4": b"\0\0\0\x10ftypisom\0\0\0\0",
        "a.mkv": b"\x1a\x45\xdf\xa3",
        "a.avi": b"RIFF\xff\xff\0\0AVI LIST",
    }.items():
        (tmp_path / name).write_bytes(head + rng.bytes(5000))
        with pytest.raises(Unreadable):
            frames(tmp_path / name)


@pytest.mark.parametrize(("at", "said"), [(80, 600_000), (64, (1 << 63) - 1)])
def test_a_film_that_lasts_less_than_nothing_or_for_ever_has_no_length(
    tmp_path: Path, at: int, said: int
) -> None:
    path = film(tmp_path / "a.wmv", codec="wmv2")
    raw = bytearray(path.read_bytes())
    properties = raw.index(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    struct.pack_into("<Q", raw, properties + at, said)  # the length, and what is taken from it
    path.write_bytes(raw)
    assert facts(path).duration_ms is None


def scenes(
    path: Path,
    colours: list[str],
    seconds: float,
    *,
    rate: int = 10,
    gop: int = 20,
    **options: object,
) -> Path:
    """A video that shows each colour, with a bar that moves, for an equal part of its time."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 160, 120, "yuv420p", gop
        stream.options = {"preset": "ultrafast", **{k: str(v) for k, v in options.items()}}
        count = round(seconds * rate)
        for index in range(count):
            image = Image.new("RGB", (160, 120), colours[index * len(colours) // count])
            image.paste("grey", (index * 7 % 160, 0, index * 7 % 160 + 20, 120))
            for packet in stream.encode(av.VideoFrame.from_image(image)):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def colours(images: Iterable[Image.Image]) -> set[str]:
    known = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
    found: set[str] = set()
    for image in images:
        middle = np.median(np.asarray(image.resize((32, 32)), np.float32).reshape(-1, 3), axis=0)
        found.add(min(known, key=lambda name: float(np.abs(middle - known[name]).sum())))
    return found


def test_a_short_scene_in_the_middle_is_among_the_frames(tmp_path: Path) -> None:
    path = scenes(tmp_path / "a.mp4", ["red"] * 4 + ["lime"] + ["red"] * 4, 18)
    assert colours(frame.picture.image for frame in frames(path)) == {"red", "lime"}


@pytest.mark.parametrize("gop", [1, 50, 100_000])
def test_a_long_video_is_seen_to_its_end_in_little_work(tmp_path: Path, gop: int) -> None:
    path = scenes(tmp_path / "a.mp4", ["red", "lime", "blue", "white"], 3600, rate=1, gop=gop)
    assert facts(path).duration_ms == pytest.approx(3_600_000, rel=0.01)
    assert colours(frame.picture.image for frame in frames(path)) == {
        "red",
        "lime",
        "blue",
        "white",
    }


def test_frames_that_say_nothing_new_are_left_out(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        frame = av.VideoFrame.from_image(Image.effect_noise((160, 120), 60).convert("RGB"))
        for packet in [p for _ in range(40) for p in stream.encode(frame)] + stream.encode():
            container.mux(packet)
    assert len(frames(tmp_path / "a.mp4")) == 1


def test_the_strip_shows_the_video_from_left_to_right(tmp_path: Path) -> None:
    path = scenes(tmp_path / "a.mp4", ["red", "lime", "blue"], 12)
    name = os.fsencode(path)
    strip = video.look(name, identify(name).mime).strip
    assert strip.size == (12 * 160, 120)
    tiles = [strip.crop((at * 160, 0, at * 160 + 160, 120)) for at in range(12)]
    shown = [colours([tile]).pop() for tile in tiles]
    assert shown == ["red"] * 4 + ["lime"] * 4 + ["blue"] * 4


def test_a_variable_frame_rate_and_a_broken_tail_are_no_hindrance(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 160, 120, "yuv420p", 12
        stream.codec_context.time_base = Fraction(1, 1000)
        moment = 0
        for index in range(120):
            frame = av.VideoFrame.from_image(
                Image.new("RGB", (160, 120), "red" if index < 60 else "lime")
            )
            frame.pts, frame.time_base = moment, Fraction(1, 1000)
            moment += 20 if index % 3 else 400
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    whole = frames(tmp_path / "a.mkv")
    assert colours(frame.picture.image for frame in whole) == {"red", "lime"}
    body = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(body[: len(body) * 4 // 5] + bytes(len(body) // 5))
    assert colours(frame.picture.image for frame in frames(tmp_path / "a.mkv")) == {"red", "lime"}


@pytest.mark.parametrize(
    ("transfer", "name", "grey"), [("smpte2084", "pq", 0.58), ("arib-std-b67", "hlg", 0.75)]
)
def test_high_dynamic_range_is_told_and_brought_down(
    tmp_path: Path, transfer: str, name: str, grey: float
) -> None:
    """The code values of reference white (ITU-R BT.2408): shown as they are, they would be grey."""
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p10le"
        number = {"smpte2084": 16, "arib-std-b67": 18}[transfer]
        stream.codec_context.color_trc = number
        stream.codec_context.color_primaries = 9
        stream.codec_context.colorspace = 9
        white = np.full((120, 160, 3), round(grey * 65535), np.uint16)
        frame = av.VideoFrame.from_ndarray(white, format="rgb48le").reformat(format="yuv420p10le")
        frame.color_trc = number
        for packet in [p for _ in range(10) for p in stream.encode(frame)] + stream.encode():
            container.mux(packet)
    assert facts(tmp_path / "a.mp4").hdr == name
    shown = np.asarray(frames(tmp_path / "a.mp4")[0].picture.image)
    assert 205 <= shown.mean() <= 250
    assert np.ptp(shown.reshape(-1, 3).mean(axis=0)) < 6
