"""Rules: who may call a route. A route without one is not served."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, get_args
from urllib.parse import unquote

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.routing import BaseRoute

from hub import keys, log
from hub.api.served import Served, ServedHere
from hub.api.signed import Signed
from hub.console.rule import SignedIn
from hub.keys import COMMAND_LINE, FORBIDDEN, UNKNOWN_KEY, Key, Role
from schemas.problem import Denied

__all__ = ["AnyOne", "Rule", "anyone", "only", "rule_of"]

_bearer = HTTPBearer(
    auto_error=False, scheme_name="key", description="A key of `lynchpin key create`."
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


@dataclass(frozen=True, slots=True)
class Rule:
    """Lets callers with a key of these roles in; a source key at its own sources only, and a
    receiver's at its own destinations.

    A key that is limited to stores is let in where the route ``narrows`` what it shows or takes to
    them, and nowhere else.
    """

    roles: tuple[Role, ...]
    narrows: bool = False

    async def __call__(self, request: Request, served: ServedHere, credentials: Credentials) -> Key:
        """The key of the caller. Raises ``Denied``."""
        try:
            key = _recognised(served, credentials)
        except Denied:
            served.rates.take("denied", request.client.host if request.client else "")
            raise
        log.note(key=key.id)
        if key.name != COMMAND_LINE:
            served.rates.take("records" if key.role == "source" else "calls", key.id)
        if key.role not in self.roles or (key.stores and not self.narrows):
            raise Denied(FORBIDDEN.at())
        if key.role == "source" and request.path_params.get("source") not in key.sources:
            raise Denied(FORBIDDEN.at())
        to = request.path_params.get("destination")
        if key.role == "receiver" and to not in key.destinations:
            raise Denied(FORBIDDEN.at())
        if key.role == "source":
            log.note(source=request.path_params["source"])
        return key.on_behalf_of(unquote(request.headers.get("x-lynchpin-actor", "")))


def _recognised(served: Served, credentials: HTTPAuthorizationCredentials | None) -> Key:
    if credentials is None:
        raise Denied(UNKNOWN_KEY.at())
    # Looking up one row takes less than handing the question to another thread.
    with served.lodge.begin() as connection:
        return keys.recognised(connection, credentials.credentials)


@dataclass(frozen=True, slots=True)
class AnyOne:
    """Lets everybody in, without a key: for what says nothing about anyone."""

    roles: tuple[Role, ...] = get_args(Role)

    async def __call__(self) -> None:
        """Nothing to check."""


anyone = Depends(AnyOne())


def only(*roles: Role, narrows: bool = False) -> Rule:
    """The rule of a route that these roles may call."""
    return Rule(roles, narrows)


_RULES = (Rule, AnyOne, Signed, SignedIn)


def rule_of(route: BaseRoute) -> Rule | AnyOne | Signed | SignedIn | None:
    """The rule that a route declares, if it does."""
    found: Iterable[object] = ()
    if isinstance(route, APIRoute):
        found = (dependency.call for dependency in route.dependant.dependencies)
    return next((call for call in found if isinstance(call, _RULES)), None)
