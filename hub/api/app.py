"""The application: every route under one roof, each with a rule and every error as a problem."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from hub.api import access, documents, errors, health, intake, messages
from hub.api.errors import ProblemAnswer
from hub.api.rule import rule_of
from hub.api.served import Served
from hub.bootstrap import Hub
from hub.store.database import open_database
from hub.writer import Writer

__all__ = ["application", "check_rules"]


def application(hub: Hub, writer: Writer) -> FastAPI:
    """The HTTP side of an open hub; it reads the database beside the writer until it shuts down."""
    readers, lodge = (open_database(hub.home.database, access="read") for _ in range(2))

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield
        readers.dispose()
        lodge.dispose()

    app = FastAPI(
        title="Lynchpin",
        version=version("lynchpin"),
        # The pages of FastAPI load their scripts from elsewhere; the document has a route of ours.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=life,
    )
    app.state.served = Served(hub, writer, readers, lodge)
    for noun in (health, intake, messages, documents, access):
        # Routes of their own, not a router within: so that each can be asked for its rule.
        app.router.routes.extend(noun.router.routes)
    errors.install(app)
    check_rules(app.routes)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def check_rules(routes: Iterable[BaseRoute]) -> None:
    """Raises ``ValueError`` naming the routes that do not say who may call them."""
    open_ones = [str(route) for route in routes if rule_of(route) is None]
    if open_ones:
        raise ValueError(f"no rule says who may call {', '.join(open_ones)}")


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, routes=app.routes)
        template = "#/components/schemas/{model}"
        schema = ProblemAnswer.model_json_schema(ref_template=template)
        made["components"]["schemas"]["ProblemAnswer"] = schema
        app.openapi_schema = made
    return app.openapi_schema
