"""Who may call what: every route says so, and it is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import update

from hub.api import app
from hub.api.rule import AnyOne, rule_of
from hub.api.signed import Signed
from hub.console.rule import SignedIn
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
    "POST /sources/{source}/records": "source operator",
    "GET /sources/{source}/records/{number}": "source operator",
    "POST /sources/{source}/captures/{capture}/batches": "source",
    "GET /sources/{source}/captures/{capture}": "source",
    "GET /captures": "reader agent operator",
    "GET /gaps": "reader agent operator",
    "POST /webhooks/{source}": "signed",
    "GET /messages": "reader agent operator",
    "GET /messages/{number}": "reader agent operator",
    "POST /messages/{number}/reveal": "operator",
    "POST /messages/{number}/original": "operator",
    "POST /messages/{number}/look": "operator",
    "GET /journal": "operator",
    "POST /journal/train": "operator",
    "POST /journal/sweep": "operator",
    "POST /journal/redact": "operator",
    "GET /holds": "reader agent operator",
    "POST /holds/{number}/release": "operator",
    "POST /holds/{number}/discard": "operator",
    "POST /holds/{number}/edit": "operator",
    "POST /holds/release": "operator",
    "POST /holds/discard": "operator",
    "GET /transactions": "reader agent operator",
    "GET /transactions/{fact:path}": "agent operator",
    "POST /transactions/{fact:path}/reveal": "agent operator",
    "GET /orders": "reader agent operator",
    "GET /orders/{fact:path}": "agent operator",
    "POST /orders/{fact:path}/reveal": "agent operator",
    "GET /customers": "agent operator",
    "GET /customers/{fact:path}": "agent operator",
    "POST /customers/{fact:path}/reveal": "agent operator",
    "GET /explain/{fact:path}": "agent operator",
    "POST /explain/{fact:path}/reveal": "agent operator",
    "GET /export": "operator",
    "POST /reference/{noun}": "operator",
    "GET /mappings": "reader agent operator",
    "GET /mappings/{connector}/{kind}/log": "reader agent operator",
    "GET /mappings/{connector}/{kind}/versions/{version}": "reader agent operator",
    "POST /mappings/{connector}/{kind}/publish": "operator",
    "POST /mappings/{connector}/{kind}/rollback": "operator",
    "POST /replays/plan": "reader agent operator",
    "GET /jobs": "reader agent operator",
    "POST /jobs": "operator",
    "GET /jobs/{number}": "reader agent operator",
    "POST /jobs/{number}/pause": "operator",
    "POST /jobs/{number}/resume": "operator",
    "POST /jobs/{number}/cancel": "operator",
    "POST /database/backups": "operator",
    "GET /unverified": "reader agent operator",
    "POST /unverified/{source}/reconcile": "operator",
    "GET /destinations": "reader agent operator",
    "GET /deliveries": "reader agent operator",
    "POST /deliveries/retry": "operator",
    "POST /deliveries/resend": "operator",
    "POST /deliveries/discard": "operator",
    "GET /feed/{destination}": "receiver reader operator",
    "GET /polls": "reader agent operator",
    "GET /polls/{name}": "reader agent operator",
    "POST /polls/{name}/now": "operator",
    "POST /polls/{name}/rewind": "operator",
    "GET /keys": "operator",
    "POST /keys": "operator",
    "POST /keys/{id}/revoke": "operator",
    "POST /console/links": "operator",
    "GET /console/enter": "anyone",
    "GET /console/assets/{name}": "anyone",
    "GET /console": "session",
    "POST /console/leave": "session",
    "POST /console/search": "session",
    "GET /console/stores": "session",
    "GET /console/people/{fact:path}": "session",
    "POST /console/people/{fact:path}": "session",
    "GET /console/documents/{fact:path}": "session",
    "POST /console/documents/{fact:path}": "session",
    "GET /console/origins/{fact:path}": "session",
    "POST /console/origins/{fact:path}": "session",
    "GET /console/messages": "session",
    "GET /console/messages/{number}": "session",
    "POST /console/messages/{number}": "session",
    "POST /console/messages/{number}/original": "session",
    "GET /console/mappings": "session",
    "GET /console/mappings/{connector}/{kind}": "session",
    "GET /console/mappings/{connector}/{kind}/coverage": "session",
    "POST /console/mappings/{connector}/{kind}/confirm": "session",
    "POST /console/mappings/{connector}/{kind}/rollback": "session",
    "GET /console/jobs": "session",
    "GET /console/jobs/{number}": "session",
    "POST /console/jobs/{number}": "session",
    "GET /console/plans": "session",
    "GET /console/plans/{name}": "session",
    "POST /console/holds/{number}/edit": "session",
    "POST /console/holds/{number}/preview": "session",
    "POST /console/holds/{number}/release": "session",
    "GET /console/journal": "session",
    "POST /console/journal/train": "session",
    "POST /console/journal/confirm": "session",
    "POST /console/journal/sweep": "session",
    "POST /console/journal/redact": "session",
    "GET /console/unverified": "session",
    "POST /console/unverified": "session",
    "GET /console/holds": "session",
    "POST /console/holds/group": "session",
    "GET /console/deliveries": "session",
    "POST /console/deliveries/destination": "session",
    "POST /console/deliveries/decide": "session",
    "GET /console/polls": "session",
    "POST /console/polls/now": "session",
    "POST /console/polls/rewind": "session",
    "POST /console/holds/confirm": "session",
    "POST /console/holds/release": "session",
    "POST /console/holds/discard": "session",
}


def _name(route: APIRoute) -> str:
    return f"{' '.join(route.methods or ())} {route.path}"


def _filled(path: str) -> str:
    """A path to call; what it names is a source at most, or a destination that is not there."""
    known = {"{source}": "poslog", "{number}": "1", "{destination}": "crm"}
    return re.sub(r"{[^}]+}", lambda part: known.get(part[0], "none"), path)


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
        named = {AnyOne: "anyone", Signed: "signed", SignedIn: "session"}
        said = named.get(type(rule)) or " ".join(rule.roles)
        assert said == MAY_CALL[_name(route)]


def test_a_route_without_a_rule_is_not_served() -> None:
    bare = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    bare.add_api_route("/open", lambda: None)
    with pytest.raises(ValueError, match="/open"):
        app.check_rules(bare.routes)


def _unlimited(serving: Serving) -> None:
    """So many are turned away here that the next would only hear that these were too many."""
    for buckets in serving.app.state.served.rates.buckets.values():
        buckets.per_second = 1e9


def test_each_role_may_call_what_it_may_and_nothing_else(serving: Serving) -> None:
    _unlimited(serving)
    for method, path, role, allowed in _calls():
        answer = serving.call(role or None, method, _filled(path))
        said = f"{role or 'nobody'} at {method} {path}: {answer.status_code}"
        if MAY_CALL[f"{method} {path}"] == "signed":
            # Without a signature a key is worth nothing there.
            assert (answer.status_code, answer.json()["code"]) == (403, "LP-SIG-001"), said
        elif MAY_CALL[f"{method} {path}"] == "session":
            # Nor is it for people with a browser.
            assert (answer.status_code, answer.json()["code"]) == (403, "LP-WEB-001"), said
        elif allowed:
            assert answer.status_code not in {401, 403}, said
            assert answer.status_code < 500, said
        else:
            assert answer.status_code == (403 if role else 401), said
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == ("LP-KEY-002" if role else "LP-KEY-001")
    assert serving.count("record") == 0


def _bent(method: str, path: str) -> Iterator[tuple[str, str]]:
    """A call that is nearly the one of a route."""
    for other in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"):
        if other != method:
            yield other, path
    for bent in (f"{path}/", f"/{path}", path.replace("/", "//"), f"/%2E{path}"):
        yield method, bent
    yield method, path.upper()


@pytest.mark.parametrize("role", [None, "operator"])
def test_a_route_is_opened_by_its_own_name_and_method_only(
    serving: Serving, role: str | None
) -> None:
    _unlimited(serving)
    with serving.client(role) as client:
        for name in MAY_CALL:
            method, _, path = name.partition(" ")
            place = _filled(path)
            for verb, bent in _bent(method, place):
                if bent == place and f"{verb} {path}" in MAY_CALL:
                    continue
                answer = client.request(verb, f"http://127.0.0.1:{serving.port}{bent}")
                said = f"{verb} {bent}: {answer.status_code}"
                assert answer.status_code in {400, 401, 403, 404, 405, 422}, said
                assert answer.headers["content-type"] == "application/problem+json", said
                if verb != "HEAD":
                    assert answer.json()["code"].startswith("LP-"), said
    assert serving.count("record") == 0


def test_an_encoded_slash_is_a_slash_and_under_the_same_rule(serving: Serving) -> None:
    _unlimited(serving)
    for name in MAY_CALL:
        method, _, path = name.partition(" ")
        place = _filled(path)
        encoded = f"/{place[1:].replace('/', '%2F')}"
        plain, other = (serving.call(None, method, one) for one in (place, encoded))
        assert plain.status_code == other.status_code, name


@pytest.mark.parametrize("source", ["shopify", "nowhere", "POSLOG", "poslog%2F.."])
def test_a_source_key_opens_its_own_source_only(serving: Serving, source: str) -> None:
    assert serving.send(b"<POSLog/>", source=source).status_code in {403, 404}
    assert serving.count("record") == 0


@pytest.mark.parametrize("destination", ["stock", "nowhere", "CRM", "crm%2F..", "crm%20"])
def test_a_receivers_key_opens_the_feed_of_its_own_destination_only(
    serving: Serving, destination: str
) -> None:
    assert serving.call("receiver", "GET", f"/feed/{destination}").status_code in {403, 404}
    assert serving.audited("delivery.feed") == []


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer lp_x_y", "Basic bHA6eA==", "bearer \xff"])
def test_what_is_no_key_is_denied(serving: Serving, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    with serving.client() as client:
        answer = client.get("/messages", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_key_opens_nothing_from_then_on(serving: Serving) -> None:
    found = serving.call("operator", "GET", "/keys").json()["items"]
    reader = next(key["id"] for key in found if key["role"] == "reader")
    assert serving.call("reader", "GET", "/messages").status_code == 200
    assert serving.call("operator", "POST", f"/keys/{reader}/revoke").json() == {"id": reader}
    assert serving.call("reader", "GET", "/messages").status_code == 401
    assert serving.call("operator", "POST", f"/keys/{reader}/revoke").status_code == 404


def test_a_key_limited_to_stores_opens_only_what_narrows_to_them(serving: Serving) -> None:
    limit = update(api_key).where(api_key.c.role == "reader").values(stores='["7001"]')
    serving.writer.submit(lambda connection: connection.execute(limit).rowcount).result()
    assert serving.call("reader", "GET", "/messages").status_code == 403
    assert serving.call("reader", "GET", "/metrics").status_code == 403
    assert serving.call("reader", "GET", "/transactions").status_code == 200
