"""The one table from errors to what the kernel is told (TREE.md, operations and errno)."""

from __future__ import annotations

import errno as codes

from havenfs import errors

TABLE: dict[type[errors.HavenError], int] = {
    errors.HavenError: codes.EIO,
    errors.ConfigError: codes.EINVAL,
    errors.NewerState: codes.EINVAL,
    errors.NotFound: codes.ENOENT,
    errors.NotADirectory: codes.ENOTDIR,
    errors.IsADirectory: codes.EISDIR,
    errors.InvalidName: codes.EINVAL,
    errors.TooDeep: codes.ELOOP,
    errors.NotPermitted: codes.EPERM,
    errors.ReadOnly: codes.EROFS,
    errors.Exists: codes.EEXIST,
    errors.Unsupported: codes.ENOTSUP,
    errors.NoAttribute: codes.ENODATA,
    # A query that cannot be read names no folder; .haven/errors says why.
    errors.InvalidQuery: codes.ENOENT,
    errors.Unreadable: codes.EIO,
    errors.SourceGone: codes.EIO,
    errors.ModelError: codes.EIO,
    errors.EncoderUnavailable: codes.EIO,
}

PASSED_ON = frozenset(
    {
        codes.EACCES,
        codes.EPERM,
        codes.ENAMETOOLONG,
        codes.EMFILE,
        codes.ENFILE,
        codes.ENODATA,
        codes.ENOSPC,
    }
)
"""What the kernel said to us about the name, the caller or our limits, and may say to the caller unchanged."""


def number(error: errors.HavenError | OSError) -> int:
    """The errno of an error; EIO for what a disk says about itself. Never ENOSYS: the kernel would remember it."""
    if isinstance(error, OSError):
        return error.errno if error.errno in PASSED_ON else codes.EIO
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
