"""Dates out of strings."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from hypothesis import given, strategies as st

from havenfs.extract import dates


def shown(seconds: int | None) -> str | None:
    return None if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("IMG_20190714_101500", "2019-07-14 10:15:00"),
        ("PXL_20190714_101500123", "2019-07-14 10:15:00"),
        ("PXL_20190714_101500123.MP", "2019-07-14 10:15:00"),
        ("VID-20190714-WA0003", "2019-07-14 12:00:00"),
        ("2019-07-14 10.15.00", "2019-07-14 10:15:00"),
        ("2019-07-14 10.15.00-2", "2019-07-14 10:15:00"),
        ("Screenshot_2019-07-14-10-15-00", "2019-07-14 10:15:00"),
        ("Screenshot 2019-07-14 at 10.15.00 PM", "2019-07-14 22:15:00"),
        ("Screenshot 2019-07-14 at 12.15.00 AM", "2019-07-14 00:15:00"),
        ("Bildschirmfoto 2019-07-14 um 10.15.00", "2019-07-14 10:15:00"),
        ("WhatsApp Image 2019-07-14 at 10.15.00", "2019-07-14 10:15:00"),
        ("Signal-2019-07-14-101500", "2019-07-14 10:15:00"),
        ("20190714101500", "2019-07-14 10:15:00"),
        ("FB_IMG_1563099300000", "2019-07-14 10:15:00"),
        ("Scan 14.07.1961", "1961-07-14 12:00:00"),
        ("Foto 14.07.2019", "2019-07-14 12:00:00"),
        ("2019_07_14", "2019-07-14 12:00:00"),
        ("IMG_20190714_999999", "2019-07-14 12:00:00"),
        ("Screenshot 2019-07-14 at 9.05.12 PM", "2019-07-14 21:05:12"),
        ("Screenshot 2019-07-14 at 9.05.12\u202fPM", "2019-07-14 21:05:12"),
        ("WhatsApp Image 2019-07-14 at 9.05.12 PM", "2019-07-14 21:05:12"),
        ("WhatsApp Image 2019-07-14 at 1.02.03 AM (1)", "2019-07-14 01:02:03"),
        ("WhatsApp Image 2019-07-14 at 12.02.03 PM", "2019-07-14 12:02:03"),
        ("Bildschirmfoto 2019-07-14 um 9.05.12", "2019-07-14 09:05:12"),
        ("photo_5@14-07-2019_10-15-00", "2019-07-14 10:15:00"),
        ("photo_5@07-04-2019_10-15-00", "2019-04-07 10:15:00"),
        ("14-07-2019", "2019-07-14 12:00:00"),
        ("2019-7-14 9-05-12", "2019-07-14 09:05:12"),
        ("2019-7-1", "2019-07-01 12:00:00"),
        ("2019-07-14 9", "2019-07-14 12:00:00"),
        ("2019-07-14 9 1234", "2019-07-14 12:00:00"),
        ("07-04-2019", None),  # the 4th of July, to Americans
        ("DSC_2019_1_2", None),
        ("Program 2019.1.2", None),
        ("0711-2019-7-14", None),
        ("+49 171 2019-714", None),
        ("14-07-20191", None),
        ("555-14-07-2019", None),
        ("2019-7-1-4", "2019-07-01 12:00:00"),
        ("DSC_2019", None),
        ("IMG_0001", None),
        ("20191345_101500", None),
        ("20190230", None),
        ("29990101_000000", None),
        ("98765201907141015004321", None),
    ],
)
def test_a_name_with_a_date_gives_it(name: str, moment: str | None) -> None:
    found = dates.in_name(name)
    assert shown(found[0] if found else None) == moment


@pytest.mark.parametrize(
    ("folders", "moment"),
    [
        ("2019/07", "2019-07-01 12:00:00"),
        ("Photos/2019/07/14", "2019-07-14 12:00:00"),
        ("2019/07 - July", "2019-07-01 12:00:00"),
        ("2019-07-14 Rome", "2019-07-14 12:00:00"),
        ("2018/2019-07-14 Rome/best", "2019-07-14 12:00:00"),
        ("2019-07", "2019-07-01 12:00:00"),
        ("2019", None),
        ("2019/Rome", None),
        ("Rome", None),
        ("2019/13", None),
    ],
)
def test_folders_with_a_date_give_it(folders: str, moment: str | None) -> None:
    found = dates.in_folders(folders.split("/"))
    assert shown(found.first if found else None) == moment


@pytest.mark.parametrize(
    ("folders", "days"),
    [
        ("2019/07", 31),
        ("2019-02 Ski", 28),
        ("2019/07/14", 1),
        ("2019-07-14 Rome", 1),
        ("2019-07-10 to 2019-07-20 Italy", 11),
        ("10.07.2019 - 20.07.2019", 11),
    ],
)
def test_the_name_of_a_folder_is_about_a_span_of_days(folders: str, days: int) -> None:
    found = dates.in_folders(folders.split("/"))
    assert found is not None
    assert found.last - found.first == (days - 1) * 86_400


@pytest.mark.parametrize(
    ("text", "moment", "offset"),
    [
        ("2019:07:14 10:15:00", "2019-07-14 10:15:00", None),
        ("2019-07-14T10:15:00+02:00", "2019-07-14 10:15:00", 120),
        ("2019-07-14T10:15:00.123Z", "2019-07-14 10:15:00", 0),
        ("2019-07-14T10:15:00-0330", "2019-07-14 10:15:00", -210),
        ("2019-07-14T10:15", "2019-07-14 10:15:00", None),
        ("2019-07-14", "2019-07-14 12:00:00", None),
        ("1850:01:02 03:04:05", "1850-01-02 03:04:05", None),
        ("0000:00:00 00:00:00", None, None),
        ("1970:01:01 00:00:00", None, None),
        ("1970:01:01 01:00:00", None, None),
        ("1904-01-01T00:00:00Z", None, None),
        ("1799:01:01 10:00:00", None, None),
        ("2999:01:01 10:00:00", None, None),
        ("    :  :     :  :  ", None, None),
        ("yesterday", None, None),
    ],
)
def test_stamps_of_cameras_and_programs(text: str, moment: str | None, offset: int | None) -> None:
    found = dates.stamp(text)
    assert (shown(found[0]), found[1]) == (moment, offset) if found else moment is None


def test_a_pdf_date_has_its_own_form() -> None:
    found = dates.pdf("D:20190714101500+02'00'")
    assert found is not None
    assert (shown(found[0]), found[1]) == ("2019-07-14 10:15:00", 120)
    assert dates.pdf("D:2019") is not None
    assert dates.pdf("") is None


@given(st.text(max_size=60))
def test_no_text_breaks_the_readers(text: str) -> None:
    for found in (dates.stamp(text), dates.pdf(text), dates.in_name(text)):
        assert found is None or dates.plausible(found[0])
    dates.offset(text)
    dates.in_folders(text.split("/"))


@given(st.datetimes(min_value=datetime(1980, 1, 2)))  # noqa: DTZ001 -- a wall clock
def test_a_moment_written_as_phones_do_is_read_back(moment: datetime) -> None:
    wanted = dates.wall(
        moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second
    )
    for pattern in ("IMG_%Y%m%d_%H%M%S", "%Y-%m-%d %H.%M.%S", "Screenshot_%Y%m%d-%H%M%S"):
        found = dates.in_name(moment.strftime(pattern))
        if moment.year < 2025:
            assert found == (wanted, None)
