"""Which date is believed, and how much."""

from __future__ import annotations

import calendar

import pytest

from havenfs.entities import DateSource, Taken
from havenfs.extract import dates, moments


def at(text: str) -> int:
    year, month, day, *clock = (
        int(part) for part in text.replace("T", "-").replace(":", "-").split("-")
    )
    hour, minute = (*clock, 12, 0)[:2] if clock else (12, 0)
    return calendar.timegm((year, month, day, hour, minute, 0))


def choose(
    written: str | None,
    *,
    source: DateSource = DateSource.EXIF,
    name: str | None = None,
    folder: str | None = None,
    camera: bool = True,
    offset: int | None = None,
    position: bool = False,
) -> tuple[DateSource, float]:
    found = moments.choose(
        Taken(local=at(written), offset=offset, source=source) if written else None,
        named=(at(name), None) if name else None,
        folder=dates.in_folders(folder.split("/")) if folder else None,
        mtime_ns=1_563_099_300 * 10**9,
        camera=camera,
        position=position,
    )
    assert found is not None
    return found.source, found.confidence


def test_the_camera_is_believed_and_most_where_the_name_agrees() -> None:
    assert choose("2019-07-14T10:15") == (DateSource.EXIF, 0.95)
    assert choose("2019-07-14T10:15", name="2019-07-14") == (DateSource.EXIF, 0.99)
    assert choose("2019-07-14T10:15", folder="2019-07-13") == (DateSource.EXIF, 0.99)


def test_a_folder_holds_pictures_of_many_days_and_says_nothing_against_one() -> None:
    assert choose("2019-07-14T10:15", folder="2019-07-01") == (DateSource.EXIF, 0.95)


def test_a_name_that_differs_casts_a_doubt_on_the_camera() -> None:
    assert choose("2019-07-14T10:15", name="2021-01-02") == (DateSource.EXIF, 0.6)


def test_a_clock_that_was_never_set_is_not_believed_against_a_name_or_a_folder() -> None:
    assert choose("2000-01-01T00:12", name="2013-05-04") == (DateSource.NAME, 0.6)
    assert choose("2008-01-01T00:12", folder="2013-05-04") == (DateSource.FOLDER, 0.6)


def test_new_year_is_only_less_certain_where_nothing_speaks_against_it() -> None:
    assert choose("2000-01-01T00:12") == (DateSource.EXIF, 0.6)
    assert choose("2010-01-01T00:12", name="2010-01-01") == (DateSource.EXIF, 0.8)


@pytest.mark.parametrize(
    ("written", "folder"),
    [
        ("2019-07-20T10:00", "2019/07"),
        ("2019-07-18T10:00", "2019-07-10 to 2019-07-20 Italy"),
        ("2019-08-02T10:00", "2019-07-14 Italy"),  # a trip goes on
        ("2019-08-03T10:00", "2019-07"),
        ("2019-06-29T10:00", "2019-07"),
    ],
)
def test_a_folder_does_not_contradict_what_lies_in_its_days_or_soon_after(
    written: str, folder: str
) -> None:
    for source in (DateSource.EXIF, DateSource.CONTAINER):
        assert choose(written, source=source, folder=folder, camera=False)[0] is source


def test_a_scan_is_as_old_as_a_folder_from_long_before_says() -> None:
    assert choose("2015-03-01T10:00", folder="1961-07", camera=False) == (DateSource.FOLDER, 0.6)
    assert choose("2015-03-01T10:00", folder="1961-07", camera=True) == (DateSource.EXIF, 0.95)


def test_what_a_file_and_its_name_agree_on_stands_against_a_folder() -> None:
    found = choose(
        "2019-07-15T10:15",
        source=DateSource.CONTAINER,
        name="2019-07-15",
        folder="Trip 2019-04-10",
        camera=False,
    )
    assert found == (DateSource.CONTAINER, 0.99)
    assert choose("2008-01-01T00:12", name="2008-01-01", folder="2013-05-04")[0] is DateSource.EXIF


@pytest.mark.parametrize("folder", ["2022-12", "2018-12 Ski", "2023-07"])
def test_new_year_is_believed_of_who_knows_the_time(folder: str) -> None:
    """A phone, which says its time zone, and a camera that receives satellites."""
    for known in ({"offset": 60}, {"offset": 0}, {"position": True}):
        assert choose("2023-01-01T00:12", folder=folder, **known)[0] is DateSource.EXIF  # type: ignore[arg-type]
    assert choose("2023-01-01T00:12", folder="2022-03", offset=60) == (DateSource.EXIF, 0.95)


def test_a_clock_that_was_never_set_is_behind_and_not_ahead() -> None:
    assert choose("2019-01-01T15:30", folder="2018-06 Lake") == (DateSource.EXIF, 0.6)
    assert choose("2018-01-01T15:30", folder="2018-06 Lake") == (DateSource.FOLDER, 0.6)
    film = choose("2018-01-01T00:30", source=DateSource.CONTAINER, offset=0, folder="2019-06-02")
    assert film == (DateSource.FOLDER, 0.6)


def test_a_scan_is_as_old_as_its_name_says() -> None:
    assert choose("2015-03-01T10:00", name="1961-07-14", camera=False) == (DateSource.NAME, 0.6)
    assert choose("2015-03-01T10:00", name="2020-07-14", camera=False)[0] is DateSource.EXIF


def test_what_people_wrote_into_a_sidecar_stands_against_a_name() -> None:
    found = choose("2015-03-01T10:00", source=DateSource.XMP, name="1961-07-14", camera=False)
    assert found == (DateSource.XMP, 0.6)


@pytest.mark.parametrize(
    ("name", "folder", "expected"),
    [
        ("2019-07-14", None, (DateSource.NAME, 0.8)),
        ("2019-07-14", "2019-07-14", (DateSource.NAME, 0.99)),
        (None, "2019-07-01", (DateSource.FOLDER, 0.5)),
        (None, None, (DateSource.MTIME, 0.2)),
    ],
)
def test_without_a_record_the_name_goes_before_the_folder_and_that_before_the_file(
    name: str | None, folder: str | None, expected: tuple[DateSource, float]
) -> None:
    assert choose(None, name=name, folder=folder) == expected
