"""HavenError to HTTP."""

from __future__ import annotations

import inspect
import json
from http import HTTPStatus

import pytest

from havenfs import errors as havenfs_errors
from havenfs.errors import HavenError, InvalidQuery, NotFound
from havenweb import errors

EVERY = [
    kind
    for _, kind in inspect.getmembers(havenfs_errors, inspect.isclass)
    if issubclass(kind, HavenError) and kind is not HavenError
]


@pytest.mark.parametrize("kind", EVERY)
def test_every_error_has_a_status_that_is_an_error(kind: type[HavenError]) -> None:
    assert isinstance(errors.STATUS[kind], HTTPStatus)
    assert errors.STATUS[kind] >= 400


def test_the_table_names_nothing_else() -> None:
    assert set(errors.STATUS) == set(EVERY)


def test_the_body_has_code_message_and_where_it_applies_a_position() -> None:
    body = json.loads(bytes(errors.response(InvalidQuery('a "b', 2, "a quote is open")).body))
    assert body == {"error": {"code": "invalid_query", "message": "a quote is open", "position": 2}}
    body = json.loads(bytes(errors.response(NotFound("asset 7")).body))
    assert body == {"error": {"code": "not_found", "message": "asset 7"}}
