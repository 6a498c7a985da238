"""The catalog: the SQLite file, its schema, and the only package that holds SQL.

One module a noun; each function takes a connection first, runs whole inside one transaction of `Catalog.read` or
`Catalog.write`, and returns entities.
"""

from .catalog import Catalog

__all__ = ["Catalog"]
