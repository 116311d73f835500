"""The application: every route under one roof, each with a rule and every error as a problem."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.routing import BaseRoute

from hub.api import (
    access,
    captures,
    customers,
    database,
    deliveries,
    documents,
    errors,
    explain,
    export,
    health,
    holds,
    intake,
    jobs,
    journal,
    mappings,
    messages,
    polls,
    records,
    reference,
    webhooks,
)
from hub.api.openapi import described
from hub.api.rate import Rates
from hub.api.rule import rule_of
from hub.api.served import Served
from hub.api.traffic import Followed
from hub.bootstrap import Hub
from hub.console import page as console_page
from hub.console.routes import ROUTES as CONSOLE
from hub.console.session import Sessions
from hub.writer import Writer

__all__ = ["application", "check_rules"]


def application(hub: Hub, writer: Writer) -> FastAPI:
    """The HTTP side of an open hub; it reads the database beside the writer until it shuts down."""
    hub.check_doors()
    readers, lodge = (hub.reader() for _ in range(2))

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
        # Nothing is called by two names.
        redirect_slashes=False,
        lifespan=life,
    )
    served = Served(hub, writer, readers, lodge, Rates.of(hub.settings.limits))
    app.state.served = served
    app.state.sessions = Sessions(hub.now)
    app.add_middleware(Followed, traffic=served.traffic)
    for noun in (
        *(
            health,
            intake,
            records,
            captures,
            webhooks,
            messages,
            holds,
            customers,
            documents,
            explain,
        ),
        *(export, reference, access, mappings, jobs, database, deliveries, polls, journal),
    ):
        # Routes of their own, not a router within: so that each can be asked for its rule.
        app.router.routes.extend(noun.router.routes)
    app.router.routes.extend(CONSOLE)
    errors.install(app)
    console_page.install(app)
    check_rules(app.routes)
    app.openapi = described(app)  # type: ignore[method-assign]
    return app


def check_rules(routes: Iterable[BaseRoute]) -> None:
    """Raises ``ValueError`` naming the routes that do not say who may call them."""
    open_ones = [str(route) for route in routes if rule_of(route) is None]
    if open_ones:
        raise ValueError(f"no rule says who may call {', '.join(open_ones)}")
