"""The OpenAPI document: what may be called, what comes back, and every problem that may."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from hub.api.errors import ProblemAnswer, answers
from hub.api.rule import AnyOne, rule_of
from hub.api.signed import Signed

__all__ = ["described"]

_DESCRIPTION = """\
Doors for sources, and reading what the hub knows. A caller shows a key of `lynchpin key create`;
webhooks are signed instead. Every error is an `application/problem+json` with a code that keeps
its meaning for ever and the next step to take. Every answer carries `X-Request-Id`, the one that
was sent or one of the hub's, which finds the call in the hub's log.
"""
_TAGS = {
    "sources": "Records and webhooks coming in: acknowledged once they are on the disk.",
    "messages": "What came in, and what of it is held for a person.",
    "documents": "Transactions and Orders.",
    "customers": "People, masked until somebody says why they must be seen.",
    "mappings": "What is in force, since when, and putting another version in force.",
    "reference": "Locations, workstations and items.",
    "keys": "Who may call.",
    "database": "Backups, and what a restore left unverified.",
    "deliveries": "What other systems are told, and what of it is not done.",
    "polls": "Systems that are asked for what they have, and how far that has come.",
    "jobs": "Replays by query: planned, begun, looked at, paused, gone on with, given up.",
    "health": "Whether the hub is well.",
}
_COMPONENTS = "#/components/schemas/"
_LOCAL = "#/$defs/"
_NEVER: dict[type, tuple[str, ...]] = {AnyOne: ("401", "403", "429"), Signed: ("401",)}
_ID = {
    "X-Request-Id": {
        "description": "Finds this call in the hub's log.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    }
}
_RETRY = {
    "Retry-After": {
        "description": "Seconds to wait.",
        "schema": {"type": "integer", "minimum": 1},
    }
}


def described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Gives the document of an application, made once when it is first asked for.

    Making it takes longer than all else at the start of a hub, and most hubs are never asked.
    """
    alone, made = threading.Lock(), cache(partial(_document, app))

    def ask() -> dict[str, Any]:
        with alone:
            return made()

    return ask


def _document(app: FastAPI) -> dict[str, Any]:
    """The document of an application, whose routes declare their own errors with ``answers``."""
    made = get_openapi(
        title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes
    )
    components = made["components"]["schemas"]
    _place(ProblemAnswer.model_json_schema(), components)
    for route, operation in _operations(app, made):
        operation["operationId"] = route.name
        operation["summary"] = route.name.replace("_", " ").capitalize()
        _tell_paths(route, operation)
        _tell_errors(route, operation)
        for content in operation.get("requestBody", {}).get("content", {}).values():
            content["schema"] = _place(content["schema"], components)
    used = {tag for _, operation in _operations(app, made) for tag in operation["tags"]}
    made["tags"] = [{"name": tag, "description": _TAGS[tag]} for tag in _TAGS if tag in used]
    return made


def _operations(app: FastAPI, made: dict[str, Any]) -> Iterator[tuple[APIRoute, dict[str, Any]]]:
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                yield route, made["paths"][route.path_format][method.lower()]


def _tell_paths(route: APIRoute, operation: dict[str, Any]) -> None:
    """A path parameter that takes the rest of the path may hold slashes; OpenAPI has no word."""
    for parameter in operation.get("parameters", ()):
        if f"{{{parameter['name']}:path}}" in route.path:
            said = parameter.get("description", "")
            parameter["description"] = f"{said} Slashes in it stay as they are.".strip()


def _tell_errors(route: APIRoute, operation: dict[str, Any]) -> None:
    """Each error that this route may give, none that it may not, and the headers of all."""
    takes_body = "requestBody" in operation
    more = answers(400, 408, 413) if takes_body else {}
    told = {**{str(status): said for status, said in more.items()}, **operation["responses"]}
    never = set(_NEVER.get(type(rule_of(route)), ()))
    if "parameters" not in operation and not takes_body:
        never.add("422")
    operation["responses"] = {s: told[s] for s in sorted(told) if s not in never}
    for status, said in operation["responses"].items():
        said["headers"] = {**_ID, **(_RETRY if status in {"429", "503"} else {})}


def _place(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """Put a model's schema and those within it where the document has them; gives what names it."""
    inner = schema.pop("$defs", {})
    renamed: dict[str, Any] = _renamed(schema)
    title = schema.get("title") if schema.get("type") == "object" else None
    for name, one in [*inner.items(), *([(title, schema)] if title else [])]:
        if components.setdefault(name, _renamed(one)) != _renamed(one):
            raise ValueError(f"two models are called {name}")
    return {"$ref": _COMPONENTS + title} if title else renamed


def _renamed(schema: Any) -> Any:
    """The same with its references as the document has them."""
    if isinstance(schema, dict):
        return {
            key: value.replace(_LOCAL, _COMPONENTS) if key == "$ref" else _renamed(value)
            for key, value in schema.items()
        }
    return [_renamed(one) for one in schema] if isinstance(schema, list) else schema
