from __future__ import annotations

import errno

import pytest

from havend.errno import TABLE, number
from havenfs import errors


def every_error() -> list[type[errors.HavenError]]:
    found: list[type[errors.HavenError]] = [errors.HavenError]
    for kind in found:
        found += kind.__subclasses__()
    return [kind for kind in found if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", every_error())
def test_every_error_has_an_errno(kind: type[errors.HavenError]):
    assert kind in TABLE
    assert TABLE[kind] != errno.ENOSYS  # the kernel would never ask again


def test_the_kernels_word_about_the_caller_is_passed_on():
    assert number(PermissionError(errno.EACCES, "no")) == errno.EACCES


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ESTALE, errno.ENODEV, errno.ETIMEDOUT])
def test_whatever_else_a_disk_says_is_eio(code: int):
    assert number(OSError(code, "disk")) == errno.EIO


def test_an_error_that_is_not_listed_has_the_errno_of_its_base():
    class Rarer(errors.NotFound):
        pass

    assert number(Rarer("x")) == errno.ENOENT
