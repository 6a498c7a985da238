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
    errors.NameTooLong: codes.ENAMETOOLONG,
    errors.TooDeep: codes.ELOOP,
    errors.NotPermitted: codes.EPERM,
    errors.ReadOnly: codes.EROFS,
    errors.Exists: codes.EEXIST,
    errors.NotEmpty: codes.ENOTEMPTY,
    errors.Conflict: codes.EBUSY,
    errors.NotJournaled: codes.EIO,
    errors.Unsupported: codes.ENOTSUP,
    errors.NoAttribute: codes.ENODATA,
    # A query that cannot be read names no folder; .haven/errors says why.
    errors.InvalidQuery: codes.ENOENT,
    errors.Unreadable: codes.EIO,
    errors.SourceGone: codes.EIO,
    # The kernel then looks the path up anew, and the program that asked never hears of it.
    errors.Stale: codes.ESTALE,
    errors.ModelError: codes.EIO,
    errors.LicenceNotAccepted: codes.EPERM,
    errors.InstallError: codes.EIO,
    errors.EncoderUnavailable: codes.EIO,
    errors.NotRunning: codes.EIO,
}


def number(error: errors.HavenError | OSError) -> int:
    """The errno of an error. What the operating system said of a name, a caller or a limit is passed on; what it said of
    a disk is a SourceGone by then. Never ENOSYS: the kernel would remember it and not ask again."""
    if isinstance(error, OSError):
        return codes.EOPNOTSUPP if error.errno == codes.ENOSYS else error.errno or codes.EIO
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
