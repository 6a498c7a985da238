"""The OpenAPI 3.1 document, generated from the operations: the typed client and the fuzz tests are made from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import msgspec

from . import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .binder import Operation

Json = dict[str, Any]
REF = "#/components/schemas/{name}"


def document(operations: Sequence[Operation[Any, Any]], *, version: str) -> Json:
    """The document for these operations."""
    responses = [o.response for o in operations]
    parameters = [o.parameters for o in operations]
    schemas, components = msgspec.json.schema_components(
        [*responses, errors.ErrorBody, *parameters], ref_template=REF
    )
    answers = dict(zip(responses, schemas, strict=False))
    error_ref = schemas[len(responses)]
    for kind in parameters:
        components.pop(kind.__name__, None)  # they appear as parameters, not as bodies
    return {
        "openapi": "3.1.0",
        "info": {"title": "HavenFS", "version": version},
        "paths": {
            o.path: {"get": _operation(o, answers[o.response], error_ref)} for o in operations
        },
        "components": {"schemas": components},
    }


def _operation(operation: Operation[Any, Any], answer: Json, error: Json) -> Json:
    statuses = sorted({int(errors.STATUS[kind]) for kind in operation.raises} | {422})
    failed = {"description": "Refused", "content": {"application/json": {"schema": error}}}
    found = {"description": "OK", "content": {"application/json": {"schema": answer}}}
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": {"200": found, **{str(status): failed for status in statuses}},
    }


def _parameters(operation: Operation[Any, Any]) -> list[Json]:
    (_,), components = msgspec.json.schema_components([operation.parameters], ref_template=REF)
    schema = cast("Json", components[operation.parameters.__name__])
    in_path = set(re.findall(r"{(\w+)}", operation.path))
    return [
        {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": name in schema.get("required", ()),
            "schema": kind,
            **({"description": kind["description"]} if "description" in kind else {}),
        }
        for name, kind in schema["properties"].items()
    ]


if __name__ == "__main__":
    import json
    import sys

    from havenfs import __version__
    from havenweb.api import OPERATIONS

    json.dump(document(OPERATIONS, version=__version__), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
