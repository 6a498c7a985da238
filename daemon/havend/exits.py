"""The one table from errors to what the shell is told."""

from __future__ import annotations

from havenfs import errors

OK = 0
FAILED = 1
USAGE = 2
"""It cannot work however often it is tried: an argument, a setting, a query or a model."""

TABLE: dict[type[errors.HavenError], int] = {
    errors.ConfigError: USAGE,
    errors.InvalidQuery: USAGE,
    errors.ModelError: USAGE,
    errors.LicenceNotAccepted: USAGE,
    errors.HavenError: FAILED,
}
"""The nearest base class counts."""


def code(error: errors.HavenError) -> int:
    """The exit code that tells of *error*."""
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
