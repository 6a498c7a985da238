"""The cameras of the sample library, and the EXIF block that each writes into a picture.

EXIF 2.32 (CIPA DC-008), through Pillow. Pure functions; thread-safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

if TYPE_CHECKING:
    from datetime import datetime

    from havenfs.sample.cities import City


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """What takes pictures, and its habits."""

    make: str
    model: str
    lens: str
    focal_mm: tuple[float, ...]
    apertures: tuple[float, ...]
    name: str
    """Pattern of its file names, for `format(number=..., taken=...)`."""
    zoned: bool
    """Whether it writes OffsetTimeOriginal."""
    located: bool
    """Whether it writes GPS."""


CAMERAS: dict[str, Camera] = {
    "phone": Camera(
        make="Google", model="Pixel 6", lens="Pixel 6 back camera 6.81mm f/1.85", focal_mm=(6.81,), apertures=(1.85,),
        name="IMG_{taken:%Y%m%d_%H%M%S}.jpg", zoned=True, located=True,
    ),
    "tablet": Camera(
        make="Apple", model="iPhone 12", lens="iPhone 12 back dual wide camera 4.2mm f/1.6", focal_mm=(4.2, 1.55),
        apertures=(1.6, 2.4), name="IMG_{number:04}.HEIC", zoned=True, located=True,
    ),
    "compact": Camera(
        make="Canon", model="Canon PowerShot G7 X", lens="", focal_mm=(8.8, 16.0, 36.8), apertures=(1.8, 2.8, 4.0),
        name="IMG_{number:04}.jpg", zoned=False, located=True,
    ),
    "reflex": Camera(
        make="NIKON CORPORATION", model="NIKON D750", lens="AF-S NIKKOR 24-120mm f/4G ED VR", focal_mm=(24.0, 50.0, 85.0, 120.0),
        apertures=(4.0, 5.6, 8.0), name="DSC_{number:04}.JPG", zoned=True, located=True,
    ),
    "old": Camera(
        make="OLYMPUS", model="E-M10MarkII", lens="OLYMPUS M.14-42mm F3.5-5.6 EZ", focal_mm=(14.0, 25.0, 42.0),
        apertures=(3.5, 5.6, 8.0), name="P{taken:%m%d}{number:04}.JPG", zoned=False, located=False,
    ),
}  # fmt: skip

_EXPOSURES = ((1, 1000), (1, 500), (1, 250), (1, 125), (1, 60), (1, 30), (1, 8))
_ISO = (100, 200, 400, 800, 1600)


def exif(
    camera: Camera,
    taken: datetime,
    offset: int | None,
    city: City | None,
    shift: tuple[float, float],
    orientation: int,
    number: int,
) -> Image.Exif:
    """Return the EXIF of a picture. *offset* in minutes east of UTC; *shift* in degrees from the city's middle."""
    block = Image.Exif()
    block[ExifTags.Base.Make] = camera.make
    block[ExifTags.Base.Model] = camera.model
    block[ExifTags.Base.Orientation] = orientation
    stamp = taken.strftime("%Y:%m:%d %H:%M:%S")
    block[ExifTags.Base.DateTime] = stamp
    inner = block.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = stamp
    inner[ExifTags.Base.DateTimeDigitized] = stamp
    inner[ExifTags.Base.ISOSpeedRatings] = _ISO[number % len(_ISO)]
    inner[ExifTags.Base.ExposureTime] = IFDRational(*_EXPOSURES[number % len(_EXPOSURES)])
    inner[ExifTags.Base.FNumber] = IFDRational(
        round(camera.apertures[number % len(camera.apertures)] * 100), 100
    )
    inner[ExifTags.Base.FocalLength] = IFDRational(
        round(camera.focal_mm[number % len(camera.focal_mm)] * 100), 100
    )
    if camera.lens:
        inner[ExifTags.Base.LensModel] = camera.lens
    if offset is not None:
        inner[ExifTags.Base.OffsetTimeOriginal] = clock(offset)
    if city is not None:
        gps = block.get_ifd(ExifTags.IFD.GPSInfo)
        latitude, longitude = city.latitude + shift[0], city.longitude + shift[1]
        gps[ExifTags.GPS.GPSVersionID] = b"\x02\x03\x00\x00"
        gps[ExifTags.GPS.GPSLatitudeRef] = "N" if latitude >= 0 else "S"
        gps[ExifTags.GPS.GPSLatitude] = _degrees(latitude)
        gps[ExifTags.GPS.GPSLongitudeRef] = "E" if longitude >= 0 else "W"
        gps[ExifTags.GPS.GPSLongitude] = _degrees(longitude)
    return block


def clock(offset: int) -> str:
    """Return minutes east of UTC as "+02:00"."""
    return f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"


def _degrees(value: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Degrees, minutes, seconds to a hundredth (30 cm)."""
    hundredths = round(abs(value) * 360000)
    whole, rest = divmod(hundredths, 360000)
    minutes, seconds = divmod(rest, 6000)
    return IFDRational(whole, 1), IFDRational(minutes, 1), IFDRational(seconds, 100)
