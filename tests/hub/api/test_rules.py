"""Who may call what: every route says so, and it is so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import update

from hub.api import app
from hub.api.rule import AnyOne, rule_of
from hub.keys import Role
from hub.store.tables import api_key

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving

ROLES = get_args(Role)
# Written down beside the routes on purpose: whoever opens a route to a role says so twice.
MAY_CALL = {
    "GET /health/live": "anyone",
    "GET /health/ready": "anyone",
    "GET /openapi.json": "anyone",
    "GET /metrics": "reader operator",
    "POST /sources/{source}/records": "source",
    "GET /messages": "reader agent operator",
    "GET /messages/{number}": "operator",
    "GET /holds": "reader agent operator",
    "POST /holds/{number}/release": "operator",
    "POST /holds/{number}/discard": "operator",
    "GET /transactions": "reader agent operator",
    "GET /transactions/{fact:path}": "agent operator",
    "GET /orders": "reader agent operator",
    "GET /orders/{fact:path}": "agent operator",
    "GET /keys": "operator",
    "POST /keys/{id}/revoke": "operator",
}


def _name(route: APIRoute) -> str:
    return f"{' '.join(route.methods or ())} {route.path}"


def _calls() -> Iterator[tuple[str, str, str, bool]]:
    """Each route by each role and by nobody, and whether that is allowed."""
    for name, roles in MAY_CALL.items():
        method, _, path = name.partition(" ")
        for role in (*ROLES, ""):
            yield method, path, role, roles == "anyone" or role in roles.split()


def test_every_route_that_is_served_declares_a_rule(serving: Serving) -> None:
    assert {_name(r) for r in serving.app.routes if isinstance(r, APIRoute)} == set(MAY_CALL)
    for route in serving.app.routes:
        assert isinstance(route, APIRoute)
        rule = rule_of(route)
        assert rule is not None
        said = "anyone" if isinstance(rule, AnyOne) else " ".join(rule.roles)
        assert said == MAY_CALL[_name(route)]


def test_a_route_without_a_rule_is_not_served() -> None:
    bare = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    bare.add_api_route("/open", lambda: None)
    with pytest.raises(ValueError, match="/open"):
        app.check_rules(bare.routes)


def test_each_role_may_call_what_it_may_and_nothing_else(serving: Serving) -> None:
    for method, path, role, allowed in _calls():
        place = path.replace("{source}", "poslog").replace("{number}", "1")
        place = place.replace("{fact:path}", "none").replace("{id}", "none")
        answer = serving.call(role or None, method, place)
        said = f"{role or 'nobody'} at {method} {path}: {answer.status_code}"
        if allowed:
            assert answer.status_code not in {401, 403}, said
            assert answer.status_code < 500, said
        else:
            assert answer.status_code == (403 if role else 401), said
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == ("LP-KEY-002" if role else "LP-KEY-001")
    assert serving.count("record") == 0


@pytest.mark.parametrize("source", ["shopify", "nowhere", "POSLOG", "poslog%2F.."])
def test_a_source_key_opens_its_own_source_only(serving: Serving, source: str) -> None:
    assert serving.send(b"<POSLog/>", source=source).status_code in {403, 404}
    assert serving.count("record") == 0


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer lp_x_y", "Basic bHA6eA==", "bearer \xff"])
def test_what_is_no_key_is_denied(serving: Serving, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    with serving.client() as client:
        answer = client.get("/messages", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_key_opens_nothing_from_then_on(serving: Serving) -> None:
    found = serving.call("operator", "GET", "/keys").json()
    reader = next(key["id"] for key in found if key["role"] == "reader")
    assert serving.call("reader", "GET", "/messages").status_code == 200
    assert serving.call("operator", "POST", f"/keys/{reader}/revoke").json() == {"id": reader}
    assert serving.call("reader", "GET", "/messages").status_code == 401
    assert serving.call("operator", "POST", f"/keys/{reader}/revoke").status_code == 404


def test_a_key_limited_to_stores_opens_nothing_yet(serving: Serving) -> None:
    limit = update(api_key).where(api_key.c.role == "reader").values(stores='["7001"]')
    serving.writer.submit(lambda connection: connection.execute(limit).rowcount).result()
    assert serving.call("reader", "GET", "/transactions").status_code == 403
