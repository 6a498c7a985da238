"""The OpenAPI document: complete, true, and the one that the page's client was generated from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import havenfs
from havenweb import openapi
from havenweb.api import OPERATIONS

if TYPE_CHECKING:
    import httpx

COMMITTED = Path(__file__).parents[2] / "web" / "ui" / "openapi.json"


async def test_the_client_was_generated_from_this_document(client: httpx.AsyncClient) -> None:
    served = (await client.get("/api/openapi.json")).json()
    assert served == openapi.document(OPERATIONS, version=havenfs.__version__)
    assert served == json.loads(COMMITTED.read_text()), (
        "the API changed: python -m havenweb.openapi > web/ui/openapi.json && npm --prefix web/ui run client"
    )


def test_every_reference_leads_somewhere() -> None:
    document = openapi.document(OPERATIONS, version="0")
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in text
    assert text.count("$ref") >= len(document["components"]["schemas"])


def holds(schema: dict[str, Any], value: Any, schemas: dict[str, Any]) -> bool:
    """Whether *value* is what *schema* says: enough of JSON Schema for our own answers."""
    if "$ref" in schema:
        return holds(schemas[schema["$ref"].rpartition("/")[2]], value, schemas)
    if "anyOf" in schema:
        return any(holds(one, value, schemas) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    match schema["type"]:
        case "object":
            known = schema["properties"]
            return (
                isinstance(value, dict)
                and set(schema.get("required", ())) <= set(value) <= set(known)
                and all(holds(known[k], v, schemas) for k, v in value.items())
            )
        case "array":
            return all(holds(schema["items"], v, schemas) for v in value)
        case "null":
            return value is None
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int)
        case "number":
            return isinstance(value, int | float)
        case other:
            raise AssertionError(other)


async def test_answers_are_what_the_document_says(client: httpx.AsyncClient) -> None:
    document = (await client.get("/api/openapi.json")).json()
    (first, *_) = (await client.get("/api/assets")).json()["pictures"]
    given = {"/api/search": "?q=temple", "/api/assets/{id}": ""}
    for path, methods in document["paths"].items():
        if "get" not in methods:
            continue  # what changes something: test_operations
        address = path.replace("{id}", str(first["id"])) + given.get(path, "")
        answer = await client.get(address)
        schema = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert answer.status_code == 200, answer.text
        assert holds(schema, answer.json(), document["components"]["schemas"]), address
