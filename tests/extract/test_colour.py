"""Colours: what comes out is what littlecms makes of the whole chart, in every format that carries a profile."""

from __future__ import annotations

import io
import os
import struct
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pillow_heif
import pillow_jxl
import pytest
import tifffile
from PIL import Image, ImageCms

from havenfs.extract import colour
from havenfs.extract.decode import decode
from havenfs.extract.identify import identify

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

assert pillow_jxl  # importing it teaches Pillow to write JPEG XL
SIDE = 48  # pixels of a patch
CMS = cast(Any, ImageCms)
SRGB = CMS.createProfile("sRGB")
SPACES = ["Adobe RGB (1998)", "Display P3", "Rec. ITU-R BT.2020"]


def chart(mode: str = "RGB") -> Image.Image:
    """27 patches: the cube of three steps a channel, so greys and full colours are among them. CMYK: those inks."""
    steps = (40, 128, 230)
    patches = [(a, b, c) for a in steps for b in steps for c in steps]
    image = Image.new("RGB", (9 * SIDE, 3 * SIDE))
    for index, patch in enumerate(patches):
        x, y = index % 9 * SIDE, index // 9 * SIDE
        image.paste(patch, (x, y, x + SIDE, y + SIDE))
    return image.convert(mode)


def by_littlecms(image: Image.Image, icc: bytes) -> Image.Image:
    profile = CMS.ImageCmsProfile(io.BytesIO(icc))
    return CMS.profileToProfile(image, profile, SRGB, outputMode="RGB")


def lab(image: Image.Image) -> NDArray[Any]:
    """CIE L*a*b* of the middle of each patch."""
    turned = CMS.profileToProfile(image, SRGB, CMS.createProfile("LAB"), outputMode="LAB")
    raw = np.asarray(turned)[SIDE // 2 :: SIDE, SIDE // 2 :: SIDE]
    light = raw[..., :1].astype(np.float64) * (100 / 255)
    return np.concatenate([light, raw[..., 1:].astype(np.int8).astype(np.float64)], axis=-1)


def difference(found: Image.Image, wanted: Image.Image) -> float:
    """The largest Delta E (CIE 1976) of a patch; 2.3 is what people just notice."""
    return float(np.linalg.norm(lab(found) - lab(wanted), axis=-1).max())


def look(path: Path) -> Image.Image:
    name = os.fsencode(path)
    return decode(name, identify(name).mime).image


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    ("name", "options", "most"),
    [
        ("a.png", {}, 0.0),
        ("a.tif", {}, 0.0),
        ("a.webp", {"lossless": True}, 0.0),
        ("a.jpg", {"quality": 100, "subsampling": 0}, 2.3),
        ("a.heic", {"quality": 100, "chroma": 444}, 2.3),
        ("a.avif", {"quality": 100, "subsampling": "4:4:4"}, 3.0),
    ],
)
def test_a_wide_space_comes_out_as_littlecms_would_make_it(
    tmp_path: Path, space: str, name: str, options: dict[str, Any], most: float
):
    icc = colour.made(space)
    chart().save(tmp_path / name, icc_profile=icc, **options)
    assert difference(look(tmp_path / name), by_littlecms(chart(), icc)) <= most
    assert difference(chart(), by_littlecms(chart(), icc)) > 8  # ignored, it would be seen


def test_a_jpeg_packed_into_jpeg_xl_keeps_its_space(tmp_path: Path):
    icc = colour.made("Display P3")
    chart().save(tmp_path / "a.jpg", icc_profile=icc, quality=100, subsampling=0)
    with Image.open(tmp_path / "a.jpg") as image:
        image.save(tmp_path / "a.jxl", "JXL", lossless_jpeg=True)
    assert difference(look(tmp_path / "a.jxl"), by_littlecms(chart(), icc)) <= 2.3


@pytest.mark.parametrize("space", SPACES)
def test_the_profiles_made_here_are_those_spaces(space: str):
    """Against the definition: linearise, to XYZ by the primaries, to sRGB by sRGB's."""
    primaries = {
        "Adobe RGB (1998)": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
        "Display P3": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
        "Rec. ITU-R BT.2020": ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    }[space]

    def matrix(points: Any) -> Any:
        columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in points]).T
        white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
        return columns * np.linalg.solve(columns, white)

    code = np.array([150, 140, 120]) / 255
    linear = code**2.19921875 if space.startswith("Adobe") else ((code + 0.055) / 1.055) ** 2.4
    srgb = matrix(((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)))
    out = np.linalg.solve(srgb, matrix(primaries) @ linear)
    wanted = np.round((1.055 * out ** (1 / 2.4) - 0.055) * 255)
    image = Image.new("RGB", (9, 9), (150, 140, 120))
    found = cast(Any, by_littlecms(image, colour.made(space)).getpixel((5, 5)))
    assert np.abs(np.subtract(found, wanted)).max() <= 1


def test_sixteen_bits_keep_their_colours(tmp_path: Path):
    icc = colour.made("Adobe RGB (1998)")
    deep = np.asarray(chart()).astype(np.uint16) * 257
    tag = (34675, "B", len(icc), icc, True)
    for name, planes in {"a.tif": "contig", "b.tif": "separate"}.items():
        array = deep if planes == "contig" else np.ascontiguousarray(deep.transpose(2, 0, 1))
        tifffile.imwrite(
            tmp_path / name, array, photometric="rgb", planarconfig=planes, extratags=[tag]
        )
        assert difference(look(tmp_path / name), by_littlecms(chart(), icc)) <= 1


def cmyk_profile() -> bytes:
    """A printer's profile with a table of two steps an ink (ICC.1:2010, lut8Type): ideal inks on white paper."""
    nodes = bytearray()
    for index in range(16):
        c, m, y, k = (index >> shift & 1 for shift in (3, 2, 1, 0))
        inks = tuple(255 * (1 - ink) * (1 - k) for ink in (c, m, y))
        patch = Image.new("RGB", (1, 1), inks)
        value = CMS.profileToProfile(patch, SRGB, CMS.createProfile("LAB"), outputMode="LAB")
        light, a, b = np.asarray(value)[0, 0].tolist()
        nodes += bytes([light, (a + 128) % 256, (b + 128) % 256])
    straight = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0])
    lut += struct.pack(">9i", *(65536 if at in (0, 4, 8) else 0 for at in range(9)))
    lut += straight * 4 + bytes(nodes) + straight * 3
    text = b"Ideal inks\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78),
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061),
        b"A2B0": lut,
    }
    offset, table, bodies = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, body in tags.items():
        table += tag + struct.pack(">II", offset + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    header = bytearray(128)
    header[0:4] = struct.pack(">I", offset + len(bodies))
    header[8:12] = b"\x02\x40\0\0"
    header[12:24] = b"prtrCMYKLab "
    header[36:40] = b"acsp"
    header[68:80] = struct.pack(">iii", 63190, 65536, 54061)
    return bytes(header) + table + bodies


@pytest.mark.parametrize(
    ("name", "options"), [("a.jpg", {"quality": 100, "subsampling": 0}), ("a.tif", {})]
)
def test_inks_come_out_as_littlecms_would_print_them(
    tmp_path: Path, name: str, options: dict[str, Any]
):
    icc, inks = cmyk_profile(), chart("CMYK")
    inks.save(tmp_path / name, icc_profile=icc, **options)
    assert difference(look(tmp_path / name), by_littlecms(inks, icc)) <= (2.3 if options else 0)


def test_a_camera_that_only_says_r03_means_adobe_rgb(tmp_path: Path):
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0xA001] = 0xFFFF
    tags.get_ifd(0x8769)[0xA005] = {1: "R03"}
    chart().save(tmp_path / "_DSC0001.jpg", exif=tags, quality=100, subsampling=0)
    wanted = by_littlecms(chart(), colour.made("Adobe RGB (1998)"))
    assert difference(look(tmp_path / "_DSC0001.jpg"), wanted) <= 2.3


def test_a_heic_that_gives_its_primaries_by_number_is_converted(tmp_path: Path):
    heif = cast(Any, pillow_heif).from_pillow(chart())
    heif.save(tmp_path / "a.heic", quality=100, chroma=444, color_primaries=12)
    wanted = by_littlecms(chart(), colour.made("Display P3"))
    assert difference(look(tmp_path / "a.heic"), wanted) <= 2.3


def test_an_avif_that_gives_its_primaries_by_number_is_converted(tmp_path: Path):
    chart().save(tmp_path / "a.avif", quality=100, subsampling="4:4:4")
    body = (tmp_path / "a.avif").read_bytes()
    srgb, p3 = (b"colrnclx" + struct.pack(">H", number) for number in (1, 12))
    assert body.count(srgb) == 1
    (tmp_path / "b.avif").write_bytes(body.replace(srgb, p3))
    wanted = by_littlecms(chart(), colour.made("Display P3"))
    assert difference(look(tmp_path / "b.avif"), wanted) <= 3.0
    assert difference(look(tmp_path / "a.avif"), chart()) <= 3.0
