from __future__ import annotations

import os

import pytest

from havend import transport
from havenfs.errors import ConfigError

ROOT = "Name:\thavenfs\nCapEff:\t000001ffffffffff\n"
NOBODY = "Name:\thavenfs\nCapEff:\t0000000000000000\n"


@pytest.mark.parametrize("release", ["6.9.0", "6.12.41+deb13-amd64", "6.18.44-fc-v669", "7.0-rc1"])
def test_a_kernel_from_6_9_on_and_the_right_to_mount_are_all_that_is_needed(release: str):
    assert transport.missing(release, ROOT) is None


@pytest.mark.parametrize("release", ["6.1.0-37-amd64", "6.8.12", "5.19.0", "weird"])
def test_an_older_kernel_is_named_as_the_obstacle(release: str):
    reason = transport.missing(release, ROOT)
    assert reason is not None
    assert release in reason


def test_a_process_that_may_not_mount_is_told_so():
    assert "CAP_SYS_ADMIN" in (transport.missing("6.18.0", NOBODY) or "")
    assert "CAP_SYS_ADMIN" in (transport.missing("6.18.0", "nothing readable") or "")


def test_what_is_asked_for_and_cannot_be_had_is_an_error_and_auto_says_why_it_fell_back(
    monkeypatch: pytest.MonkeyPatch,
):
    old = os.uname_result(("Linux", "box", "6.1.0-37-amd64", "#1", "x86_64"))
    monkeypatch.setattr(os, "uname", lambda: old)
    with pytest.raises(ConfigError, match=r"6\.1\.0-37-amd64"):
        transport.choose("direct")
    choice = transport.choose("auto")
    assert choice.transport == "pyfuse3"
    assert "6.1.0-37-amd64" in choice.reason
    assert transport.choose("pyfuse3").transport == "pyfuse3"
