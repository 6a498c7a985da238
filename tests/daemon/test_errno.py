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


def test_the_kernel_is_never_told_that_a_call_does_not_exist():
    assert number(OSError(errno.ENOSYS, "no such call")) == errno.EOPNOTSUPP


def test_an_error_that_is_not_listed_has_the_errno_of_its_base():
    class Rarer(errors.NotFound):
        pass

    assert number(Rarer("x")) == errno.ENOENT
