"""The OpenAPI 3.1 document, generated from the operations: the typed client and the fuzz tests are made from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import msgspec

from . import errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .binder import Operation

Json = dict[str, Any]
REFUSED = {401, 403, 422}
"""How the shield and the parameters of what changes something are refused."""
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
        "paths": _paths(operations, answers, error_ref),
        "components": {"schemas": components},
    }


def _paths(
    operations: Sequence[Operation[Any, Any]], answers: Mapping[type[Any], Json], error: Json
) -> Json:
    paths: Json = {}
    for one in operations:
        methods = paths.setdefault(one.path, {})
        methods[one.method.lower()] = _operation(one, answers[one.response], error)
    return paths


def _operation(operation: Operation[Any, Any], answer: Json, error: Json) -> Json:
    refused = {422} if operation.method == "GET" else REFUSED
    statuses = sorted({int(errors.STATUS[kind]) for kind in operation.raises} | refused)
    failed = {"description": "Refused", "content": {"application/json": {"schema": error}}}
    found = {"description": "OK", "content": {"application/json": {"schema": answer}}}
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        **_parameters(operation),
        "responses": {"200": found, **{str(status): failed for status in statuses}},
    }


def _parameters(operation: Operation[Any, Any]) -> Json:
    """Those of the path, and the query or the body."""
    (_,), components = msgspec.json.schema_components([operation.parameters], ref_template=REF)
    schema = cast("Json", components[operation.parameters.__name__])
    in_path = set(re.findall(r"{(\w+)}", operation.path))
    required = set(schema.get("required", ()))
    named = {
        name: kind
        for name, kind in schema["properties"].items()
        if operation.method == "GET" or name in in_path
    }
    parameters = [
        {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": name in required,
            "schema": kind,
            **({"description": kind["description"]} if "description" in kind else {}),
        }
        for name, kind in named.items()
    ]
    if operation.method == "GET":
        return {"parameters": parameters}
    sent = {name: kind for name, kind in schema["properties"].items() if name not in in_path}
    body = {"type": "object", "properties": sent, "required": sorted(required - in_path)}
    return {
        "parameters": parameters,
        "requestBody": {
            "required": bool(body["required"]),
            "content": {"application/json": {"schema": body}},
        },
    }


if __name__ == "__main__":
    import json
    import sys

    from havenfs import __version__
    from havenweb.api import OPERATIONS

    json.dump(document(OPERATIONS, version=__version__), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
