"""The routes of the console, each with its rule."""

from __future__ import annotations

from starlette.routing import BaseRoute

from hub.console import (
    coverage,
    deliveries,
    documents,
    entering,
    holds,
    home,
    jobs,
    journal,
    mappings,
    mending,
    messages,
    people,
    plans,
    polls,
    rollback,
    unverified,
)

__all__ = ["ROUTES"]

ROUTES: tuple[BaseRoute, ...] = tuple(
    route
    for noun in (
        home,
        entering,
        people,
        documents,
        messages,
        holds,
        mending,
        deliveries,
        polls,
        mappings,
        coverage,
        rollback,
        plans,
        jobs,
        journal,
        unverified,
    )
    for route in noun.router.routes
)
