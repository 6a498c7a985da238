"""One decode: formats, colours, orientation, limits, and what is said about damaged files."""

from __future__ import annotations

import io
import os
import resource
import struct
import time
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pillow_jxl
import pytest
import tifffile
from PIL import Image, ImageCms, UnidentifiedImageError
from skimage import data

from havenfs.errors import SourceGone, Unreadable
from havenfs.extract import exif, jxl
from havenfs.extract.decode import LARGE, Picture, decode
from havenfs.extract.identify import identify

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

assert pillow_jxl  # importing it teaches Pillow to write JPEG XL
WRITERS = {"jxl": "JXL"}  # but not by which name


def photograph(width: int = 800, height: int = 600) -> Image.Image:
    return Image.fromarray(data.astronaut()).resize((width, height))


def halves() -> Image.Image:
    """Red left, blue right."""
    image = Image.new("RGB", (400, 200), (255, 0, 0))
    image.paste((0, 0, 255), (200, 0, 400, 200))
    return image


def look(path: Path) -> Picture:
    name = os.fsencode(path)
    return decode(name, identify(name).mime)


def near(one: object, other: object, tolerance: int = 12) -> bool:
    return bool(np.abs(np.subtract(one, other)).max() <= tolerance)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "extension", ["jpg", "png", "webp", "gif", "bmp", "tif", "heic", "avif", "jxl"]
)
def test_every_format_gives_the_same_picture(tmp_path: Path, extension: str) -> None:
    photograph().save(tmp_path / f"a.{extension}", WRITERS.get(extension))
    picture = look(tmp_path / f"a.{extension}")
    assert (picture.width, picture.height, picture.image.mode) == (800, 600, "RGB")
    difference = np.asarray(picture.image, np.int16) - np.asarray(photograph(), np.int16)
    assert np.abs(difference).mean() < 8


@pytest.mark.parametrize(
    ("size", "extension"),
    [
        ((4000, 3000), "jpg"),
        ((3000, 4000), "jpg"),
        ((9000, 30), "jpg"),
        ((1441, 1441), "jpg"),
        ((1500, 500), "png"),
        ((1900, 1400), "webp"),
    ],
)
def test_large_pictures_come_back_at_1440(
    tmp_path: Path, size: tuple[int, int], extension: str
) -> None:
    photograph(*size).save(tmp_path / f"a.{extension}")
    picture = look(tmp_path / f"a.{extension}")
    assert (picture.width, picture.height) == size
    assert max(picture.image.size) == LARGE
    assert abs(picture.image.width / picture.image.height / (size[0] / size[1]) - 1) < 0.1


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "tif", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright(tmp_path: Path, extension: str, orientation: int) -> None:
    stored = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    upright = photograph(200, 120)
    exif = Image.Exif()
    exif[0x0112] = orientation
    (upright.transpose(stored) if stored is not None else upright).save(
        tmp_path / f"a.{extension}", exif=exif
    )
    picture = look(tmp_path / f"a.{extension}")
    assert (picture.width, picture.height) == picture.image.size == (200, 120)
    assert np.abs(np.asarray(picture.image, np.int16) - np.asarray(upright, np.int16)).mean() < 10


def test_other_colour_modes_become_rgb(tmp_path: Path) -> None:
    source = photograph(200, 120)
    for name, image in {
        "cmyk.jpg": source.convert("CMYK"),
        "cmyk.tif": source.convert("CMYK"),
        "palette.png": source.quantize(200),
        "grey.jpg": source.convert("L"),
        "greyalpha.png": source.convert("LA"),
        "ycc.tif": source.convert("YCbCr"),
    }.items():
        image.save(tmp_path / name)
        picture = look(tmp_path / name)
        assert picture.image.mode == "RGB", name
        wanted = source if "grey" not in name else source.convert("L").convert("RGB")
        assert (
            np.abs(np.asarray(picture.image, np.int16) - np.asarray(wanted, np.int16)).mean() < 12
        ), name


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    Image.fromarray(np.full((60, 80), 40_000, np.uint16)).save(tmp_path / "a.png")
    Image.fromarray(np.full((60, 80), 40_000, np.uint16)).save(tmp_path / "a.tif")
    assert look(tmp_path / "a.png").image.getpixel((5, 5)) == (156, 156, 156)
    assert look(tmp_path / "a.tif").image.getpixel((5, 5)) == (156, 156, 156)
    Image.fromarray(np.linspace(0, 1, 4800, dtype=np.float32).reshape(60, 80)).save(
        tmp_path / "f.tif"
    )
    grey = np.asarray(look(tmp_path / "f.tif").image)
    assert grey.min() == 0
    assert grey.max() == 255


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
def test_where_zero_is_white_it_is_shown_white(tmp_path: Path, kind: Any) -> None:
    ramp = np.linspace(0, np.iinfo(kind).max, 80, dtype=np.float64).astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", np.tile(ramp, (60, 1)), photometric="miniswhite")
    found = np.asarray(look(tmp_path / "a.tif").image)[5, :, 0].astype(int)
    assert near(found, np.linspace(255, 0, 80), 2)


@pytest.mark.parametrize("kind", [np.int32, np.float32, np.float64])
def test_numbers_that_are_all_one_are_no_black(tmp_path: Path, kind: Any) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((60, 80), 1000, kind))
    assert look(tmp_path / "a.tif").image.getpixel((5, 5)) == (128, 128, 128)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.gif"])
def test_transparency_is_white(tmp_path: Path, name: str) -> None:
    image = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (20, 0, 40, 40))
    image.save(tmp_path / name)
    found = look(tmp_path / name).image
    assert near(found.getpixel((5, 5)), (255, 255, 255))
    assert near(found.getpixel((35, 5)), (0, 0, 255))


def display_p3() -> bytes:
    """A matrix profile with the primaries of Display P3, written by hand (ICC.1:2010)."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + fixed(x) + fixed(y) + fixed(z)

    text = b"Display P3"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + bytes(80),
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        b"rTRC": b"curv\0\0\0\0\0\0\0\x01" + struct.pack(">H", round(2.2 * 256)),
    }
    tags[b"gTRC"] = tags[b"bTRC"] = tags[b"rTRC"]
    tags = {name: body + bytes(-len(body) % 4) for name, body in tags.items()}
    offset = 128 + 4 + 12 * len(tags)
    table, bodies = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += name + struct.pack(">II", offset + len(bodies), len(body))
        bodies += body
    header = bytearray(128)
    header[8:12] = b"\x02\x40\0\0"
    header[12:24] = b"mntrRGB XYZ "
    header[36:40] = b"acsp"
    header[68:80] = fixed(0.9642) + fixed(1.0) + fixed(0.8249)
    header[0:4] = struct.pack(">I", 128 + len(table) + len(bodies))
    return bytes(header) + table + bodies


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.heic"])
def test_display_p3_comes_out_as_srgb(tmp_path: Path, name: str) -> None:
    orange = Image.new("RGB", (64, 64), (200, 120, 60))
    profile = display_p3()
    wanted = ImageCms.profileToProfile(
        orange, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    )
    assert wanted is not None
    orange.save(tmp_path / name, icc_profile=profile, quality=98)
    red, green, blue = look(tmp_path / name).image.getpixel((30, 30))  # type: ignore[misc]
    assert near((red, green, blue), wanted.getpixel((30, 30)), 5)
    assert red > 206  # P3's red is redder: its number grows in sRGB


def test_a_damaged_profile_is_as_good_as_none(tmp_path: Path) -> None:
    halves().save(tmp_path / "a.jpg", icc_profile=b"nonsense" * 40)
    assert near(look(tmp_path / "a.jpg").image.getpixel((20, 20)), (255, 0, 0))


def cut(path: Path, share: float) -> Path:
    body = path.read_bytes()
    path.write_bytes(body[: int(len(body) * share)])
    return path


def test_a_cut_off_jpeg_says_how_far_it_comes(tmp_path: Path) -> None:
    photograph().save(tmp_path / "a.jpg", quality=92)
    with pytest.raises(Unreadable, match=r"cut off after about (3|4)\d % of the picture"):
        look(cut(tmp_path / "a.jpg", 0.4))


@pytest.mark.parametrize(
    "extension", ["jpg", "png", "webp", "gif", "bmp", "tif", "heic", "avif", "jxl"]
)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_cut_off_file_of_any_format_says_so(tmp_path: Path, extension: str, share: float) -> None:
    photograph().save(tmp_path / f"a.{extension}", WRITERS.get(extension))
    with pytest.raises(Unreadable, match=r"cut off|damaged"):
        look(cut(tmp_path / f"a.{extension}", share))


@pytest.mark.parametrize("size", [(64, 64), (400, 300), (800, 600), (3000, 2000)])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_only_lacks_its_end_marker_is_a_picture(
    tmp_path: Path, size: tuple[int, int], progressive: bool
) -> None:
    photograph(*size).save(tmp_path / "a.jpg", quality=90, progressive=progressive)
    whole = look(tmp_path / "a.jpg")
    assert whole.cut is None
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-2])
    found = look(tmp_path / "a.jpg")
    assert found.cut == 100
    difference = np.asarray(found.image, np.int16) - np.asarray(whole.image, np.int16)
    assert np.abs(difference).mean() < 0.1


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_what_there_is_of_a_cut_off_jpeg_is_had_on_request(tmp_path: Path, mode: str) -> None:
    photograph(1000, 800).convert(mode).save(tmp_path / "a.jpg", quality=90)
    name = os.fsencode(cut(tmp_path / "a.jpg", 0.5))
    found = decode(name, "image/jpeg", partial=True)
    assert found.cut is not None
    assert 40 <= found.cut <= 60
    top, wanted = (
        np.asarray(image.crop((0, 0, 1000, 300)), np.int16)
        for image in (found.image, photograph(1000, 800).convert(mode).convert("RGB"))
    )
    assert np.abs(top - wanted).mean() < 8
    with pytest.raises(Unreadable, match="cut off after about"):
        look(tmp_path / "a.jpg")


def test_a_progressive_jpeg_that_is_cut_off_is_no_picture(tmp_path: Path) -> None:
    photograph().save(tmp_path / "a.jpg", progressive=True)
    with pytest.raises(Unreadable, match="cut off"):
        look(cut(tmp_path / "a.jpg", 0.5))


def jpeg_header(width: int, height: int, body: int) -> bytes:
    out = io.BytesIO()
    photograph().save(out, "JPEG")
    raw = bytearray(out.getvalue())
    at = raw.index(b"\xff\xc0")
    raw[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(raw[:body]) + bytes(max(0, body - len(raw)))


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", b"")
    )


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("a.jpg", jpeg_header(16320, 12240, 3000), "announces 200 megapixels and holds 3000 bytes"),
        ("a.png", png_header(16320, 12240), r"too large to decode \(200 megapixels\)"),
        ("a.jpg", jpeg_header(65500, 65500, 3000), "too many pixels"),
        ("a.png", png_header(30000, 30000), "too many pixels"),
        ("a.png", png_header(0, 10), "damaged"),
    ],
)
def test_a_header_that_promises_too_much_fails_at_once_and_in_little_memory(
    tmp_path: Path, name: str, body: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(body)
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(Unreadable, match=message):
        look(tmp_path / name)
    assert time.monotonic() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


def test_a_real_200_megapixel_jpeg_is_decoded_small(tmp_path: Path) -> None:
    tile = photograph(1020, 1020)
    big = Image.new("RGB", (16320, 12240))
    for x in range(0, 16320, 1020):
        for y in range(0, 12240, 1020):
            big.paste(tile, (x, y))
    big.save(tmp_path / "a.jpg", quality=60)
    del big
    picture = look(tmp_path / "a.jpg")
    assert (picture.width, picture.height, picture.image.size) == (16320, 12240, (1440, 1080))


def raw_file(path: Path, orientation: int) -> None:
    """An uncompressed Bayer DNG, red all over."""
    mosaic = np.zeros((600, 800), np.uint16)
    mosaic[0::2, 0::2] = 40_000
    mosaic[0::2, 1::2] = mosaic[1::2, 0::2] = 8_000
    mosaic[1::2, 1::2] = 4_000
    identity = sum(((int(v * 10_000), 10_000) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1)), ())
    tifffile.imwrite(
        path,
        mosaic,
        photometric=32803,
        software=False,
        metadata=None,
        extratags=[
            (50706, "B", 4, (1, 4, 0, 0), True), (50707, "B", 4, (1, 1, 0, 0), True), (50708, "s", 0, "Haven Test", True),
            (33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True), (50721, "2i", 9, identity, True),
            (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True), (50778, "H", 1, 21, True), (50717, "I", 1, 65535, True),
            (271, "s", 0, "Haven", True), (272, "s", 0, "Test", True), (274, "H", 1, orientation, True),
        ],
    )  # fmt: skip


@pytest.mark.parametrize(("orientation", "size"), [(1, (800, 600)), (6, (600, 800))])
def test_a_raw_file_without_preview_is_developed(
    tmp_path: Path, orientation: int, size: tuple[int, int]
) -> None:
    raw_file(tmp_path / "a.dng", orientation)
    picture = look(tmp_path / "a.dng")
    assert (picture.width, picture.height) == size
    red, green, blue = picture.image.getpixel((50, 50))  # type: ignore[misc]
    assert red > 200 > 100 > max(green, blue)


def test_a_damaged_raw_file_says_so(tmp_path: Path) -> None:
    raw_file(tmp_path / "a.dng", 1)
    with pytest.raises(Unreadable):
        look(cut(tmp_path / "a.dng", 0.05))


def with_preview(path: Path, preview: bytes, orientation: int) -> None:
    """The same DNG with a JPEG of the camera's in a second directory, as cameras write it: first the preview."""
    raw_file(path, orientation)
    body = bytearray(path.read_bytes())
    sensor = int.from_bytes(body[4:8], "little")
    at, start = len(body) + len(body) % 2, 0
    entries = [(254, 4, 1, 1), (256, 4, 1, 1440), (257, 4, 1, 1080), (259, 3, 1, 7), (262, 3, 1, 6)]
    entries += [(273, 4, 1, 0), (277, 3, 1, 3), (279, 4, 1, len(preview)), (330, 4, 1, sensor)]
    start = at + 2 + 12 * (len(entries) + 3) + 4
    makers = [(271, b"Haven\0"), (272, b"Test\0\0")]
    fields = [(274, 3, 1, orientation)] + [
        (tag, kind, n, start if tag == 273 else v) for tag, kind, n, v in entries
    ]
    extra = start + len(preview)
    for tag, text in makers:
        fields.append((tag, 2, len(text), extra))
        extra += len(text)
    directory = struct.pack("<H", len(fields))
    for field in sorted(fields):
        directory += struct.pack("<HHII", *field)
    body += bytes(at - len(body)) + directory + bytes(4) + preview + b"".join(t for _, t in makers)
    body[4:8] = at.to_bytes(4, "little")
    path.write_bytes(body)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_raw_file_shows_the_preview_that_its_camera_made(
    tmp_path: Path, orientation: int
) -> None:
    out = io.BytesIO()
    photograph(1440, 1080).save(out, "JPEG", quality=90)
    with_preview(tmp_path / "a.dng", out.getvalue(), orientation)
    picture = look(tmp_path / "a.dng")
    assert (picture.width, picture.height) == ((800, 600) if orientation < 5 else (600, 800))
    turned = photograph(1440, 1080).rotate({1: 0, 3: 180, 6: -90, 8: 90}[orientation], expand=True)
    assert picture.image.size == turned.size
    assert np.abs(np.asarray(picture.image, np.int16) - np.asarray(turned, np.int16)).mean() < 8


def test_a_preview_that_is_too_small_is_not_taken(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (160, 120), "lime").save(out, "JPEG")
    with_preview(tmp_path / "a.dng", out.getvalue(), 1)
    red, green, _ = look(tmp_path / "a.dng").image.getpixel((50, 50))  # type: ignore[misc]
    assert red > green


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_heic_that_only_exif_turns_is_turned_once(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = photograph(200, 120)
    stored.save(tmp_path / "a.heic", exif=exif)
    found = look(tmp_path / "a.heic")
    stored.save(tmp_path / "a.png", exif=exif)
    wanted = look(tmp_path / "a.png")
    assert (found.width, found.height) == (wanted.width, wanted.height)
    assert np.abs(np.asarray(found.image, np.int16) - np.asarray(wanted.image, np.int16)).mean() < 8


def deep(dtype: type, scale: float) -> NDArray[Any]:
    return (np.asarray(photograph(200, 120)).astype(np.float64) * scale).astype(dtype)


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (deep(np.uint16, 257), {}),
        (deep(np.uint16, 257), {"planarconfig": "separate"}),
        (deep(np.uint16, 257), {"planarconfig": "separate", "compression": "zlib"}),
        (deep(np.uint8, 1), {"planarconfig": "separate"}),
        (deep(np.uint16, 257), {"tile": (64, 64), "compression": "zlib", "predictor": True}),
        (deep(np.uint32, 16843009), {}),
        (deep(np.float32, 1 / 255), {}),
        (deep(np.float16, 1 / 255), {}),
        (deep(np.float64, 1 / 255), {"compression": "zlib"}),
        (deep(np.uint8, 1), {"bigtiff": True}),
    ],
)
def test_tiffs_of_any_depth_and_layout_give_the_same_picture(
    tmp_path: Path, array: NDArray[Any], options: dict[str, Any]
) -> None:
    if options.get("planarconfig"):
        array = np.ascontiguousarray(array.transpose(2, 0, 1))
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", **options)
    found = np.asarray(look(tmp_path / "a.tif").image, np.int16)
    assert np.abs(found - np.asarray(photograph(200, 120), np.int16)).max() <= 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint32, np.float32])
def test_tiffs_that_lie_on_their_side_say_so_once(tmp_path: Path, dtype: type) -> None:
    array = deep(dtype, {np.uint8: 1, np.uint32: 16843009, np.float32: 1 / 255}[dtype])
    tifffile.imwrite(
        tmp_path / "a.tif", array, photometric="rgb", extratags=[(274, "H", 1, 6, True)]
    )
    picture = look(tmp_path / "a.tif")
    assert (picture.width, picture.height) == picture.image.size == (120, 200)
    wanted = np.asarray(photograph(200, 120).transpose(Image.Transpose.ROTATE_270), np.int16)
    assert np.abs(np.asarray(picture.image, np.int16) - wanted).max() <= 2
    with (tmp_path / "a.tif").open("rb") as file:
        try:
            with Image.open(file) as image:
                found = exif.of_image(image, file)
        except UnidentifiedImageError:
            return  # its size comes with the preview
    assert (found.width, found.height) == (120, 200)


def test_a_thumbnail_that_stands_first_in_a_tiff_is_not_the_picture(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(np.zeros((30, 50, 3), np.uint8), photometric="rgb", subfiletype=1)
        writer.write(np.asarray(photograph(200, 120)), photometric="rgb")
        writer.write(np.zeros((60, 60, 3), np.uint8), photometric="rgb")
    picture = look(tmp_path / "a.tif")
    assert (picture.width, picture.height) == (200, 120)


def test_a_tiff_of_too_many_floats_is_refused_before_it_is_read(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8, 3), np.float32), photometric="rgb")
    body = bytearray((tmp_path / "a.tif").read_bytes())
    at = int.from_bytes(body[4:8], "little")
    for index in range(int.from_bytes(body[at : at + 2], "little")):
        entry = at + 2 + index * 12
        if int.from_bytes(body[entry : entry + 2], "little") in (256, 257):
            body[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, 40_000)
    (tmp_path / "a.tif").write_bytes(body)
    with pytest.raises(Unreadable, match=r"too large|too many"):
        look(tmp_path / "a.tif")


@pytest.mark.parametrize(
    "size", [(64, 64), (800, 600), (640, 480), (77, 31), (9000, 30), (1000, 1000)]
)
@pytest.mark.parametrize("container", [False, True])
def test_the_size_of_a_jpeg_xl_stands_in_its_header(
    tmp_path: Path, size: tuple[int, int], container: bool
) -> None:
    photograph(*size).save(tmp_path / "a.jxl", format="JXL", use_container=container, effort=1)
    with (tmp_path / "a.jxl").open("rb") as file:
        found = jxl.header(file, (tmp_path / "a.jxl").stat().st_size)
    assert (found.width, found.height) == size


def test_a_jpeg_xl_that_promises_too_much_is_not_decoded(tmp_path: Path) -> None:
    # not small; height 30 bits wide: 2 ** 30; ratio 1: as wide as high
    bits = 0 | 3 << 1 | ((1 << 30) - 1) << 3 | 1 << 33
    (tmp_path / "a.jxl").write_bytes(b"\xff\x0a" + bits.to_bytes(8, "little") + bytes(100))
    with pytest.raises(Unreadable, match="too many pixels"):
        look(tmp_path / "a.jxl")


def test_a_file_that_vanished_is_gone(tmp_path: Path) -> None:
    with pytest.raises(SourceGone):
        decode(os.fsencode(tmp_path / "a.jpg"), "image/jpeg")
