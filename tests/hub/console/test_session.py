"""Signing in, staying signed in, and forms that nobody else can send."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from hub.console.session import Sessions
from hub.store.tables import audit
from schemas.problem import Denied
from tests import homes
from tests.hub.api.conftest import serve
from tests.hub.console.conftest import PAGE, visible

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hub.api.conftest import Serving
    from tests.hub.console.conftest import Visitor

NOON = "2031-05-06T12:00:00.000000Z"


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> str:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_link_opens_once(clock: Clock) -> None:
    sessions = Sessions(clock)
    link = sessions.link("anna")
    cookie, session = sessions.enter(link)
    assert sessions.of(cookie) is session
    assert session.key.actor.endswith("console, anna")
    with pytest.raises(Denied, match="LP-WEB-002"):
        sessions.enter(link)


def test_a_link_is_good_for_ten_minutes(clock: Clock) -> None:
    sessions = Sessions(clock)
    early, late = sessions.link("anna"), sessions.link("anna")
    clock.time = "2031-05-06T12:09:59.999999Z"
    sessions.enter(early)
    clock.time = "2031-05-06T12:10:00.000000Z"
    with pytest.raises(Denied, match="LP-WEB-002"):
        sessions.enter(late)


def test_a_session_ends_after_twelve_hours(clock: Clock) -> None:
    sessions = Sessions(clock)
    cookie, _ = sessions.enter(sessions.link("anna"))
    clock.time = "2031-05-06T23:59:59.999999Z"
    sessions.of(cookie)
    clock.time = "2031-05-07T00:00:00.000000Z"
    with pytest.raises(Denied, match="LP-WEB-001"):
        sessions.of(cookie)


def test_who_signs_out_is_out_and_nobody_else_is(clock: Clock) -> None:
    sessions = Sessions(clock)
    mine, theirs = (sessions.enter(sessions.link(name)) for name in ("anna", "ben"))
    sessions.end(mine[1])
    with pytest.raises(Denied, match="LP-WEB-001"):
        sessions.of(mine[0])
    assert sessions.of(theirs[0]) is theirs[1]


def test_no_secret_is_kept(clock: Clock) -> None:
    sessions = Sessions(clock)
    links = [sessions.link("anna") for _ in range(2)]
    cookie, _ = sessions.enter(links[0])
    assert all(secret not in repr(sessions) for secret in (*links, cookie))
    assert all(len(secret) >= 43 for secret in (*links, cookie))


def test_links_without_end_do_not_fill_the_memory(clock: Clock) -> None:
    sessions = Sessions(clock)
    links = [sessions.link("anna") for _ in range(150)]
    sessions.enter(links[-1])
    with pytest.raises(Denied):
        sessions.enter(links[0])


@given(text=st.text(max_size=100))
def test_nothing_else_opens_anything(text: str) -> None:
    sessions = Sessions(Clock())
    sessions.enter(sessions.link("anna"))
    with pytest.raises(Denied):
        sessions.of(text)
    with pytest.raises(Denied):
        sessions.enter(text)


def test_the_cookie_is_for_the_console_and_for_no_script(
    serving: Serving, sessions: Sessions
) -> None:
    link = f"/console/enter?token={sessions.link('anna')}"
    said = serving.call(None, "GET", link).headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/console"} <= set(said.split("; "))
    assert "max-age=43200" in said
    assert "secure" not in said
    secure = {"X-Forwarded-Proto": "https"}
    link = f"/console/enter?token={sessions.link('anna')}"
    said = serving.call(None, "GET", link, headers=secure).headers["set-cookie"].lower()
    assert "secure" in said.split("; ")


def test_who_comes_in_is_audited(serving: Serving, visitor: Visitor) -> None:
    def lines() -> list[tuple[str, str]]:
        found = select(audit.c.actor, audit.c.subject).where(audit.c.act == "console.enter")
        with serving.hub.engine.begin() as connection:
            return [(row.actor, row.subject) for row in connection.execute(found)]

    ((actor, subject),) = serving.writer.alone(lines).result()
    number = subject.removeprefix("session ")
    assert actor == f"key {number} console, anna"


def test_a_link_used_again_tells_how_to_get_another(serving: Serving, sessions: Sessions) -> None:
    link = f"/console/enter?token={sessions.link('anna')}"
    first, again = (serving.call(None, "GET", link, headers=PAGE) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 403)
    assert "set-cookie" not in again.headers
    assert "LP-WEB-002" in visible(again)
    assert "lynchpin console" in visible(again)


def test_a_session_goes_with_its_time(tmp_path: Path, clock: Clock) -> None:
    home = homes.made(tmp_path / "home")
    with serve(home, now=clock) as serving, serving.client() as client:
        client.headers.update(PAGE)
        link = serving.app.state.sessions.link("anna")
        client.get("/console/enter", params={"token": link})
        assert client.get("/console").status_code == 200
        clock.time = "2031-05-07T00:00:00.000000Z"
        assert client.get("/console").status_code == 403


def test_no_session_outlives_its_hub(tmp_path: Path) -> None:
    home = homes.made(tmp_path / "home")
    with serve(home) as serving, serving.client() as client:
        client.get("/console/enter", params={"token": serving.app.state.sessions.link("anna")})
        cookies = dict(client.cookies)
    assert cookies
    with serve(home) as serving:
        forged = {f"lynchpin-{serving.port}": value for value in cookies.values()}
        header = {"Cookie": "; ".join(f"{name}={value}" for name, value in forged.items())}
        assert serving.call(None, "GET", "/console", headers=header).status_code == 403


@pytest.mark.parametrize("cookie", ["", "x", "a" * 43, "é" * 5])
def test_a_forged_cookie_opens_nothing(serving: Serving, visitor: Visitor, cookie: str) -> None:
    header = {"Cookie": f"lynchpin-{serving.port}={cookie}".encode()}
    with serving.client() as client:
        answer = client.get("/console", headers=header)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (403, "LP-WEB-001")


def test_who_tries_cookies_is_soon_not_even_heard(serving: Serving) -> None:
    serving.app.state.served.rates.buckets["denied"].per_second = 1e-6
    for _ in range(130):
        answer = serving.call(None, "GET", "/console")
    assert answer.status_code == 429


def test_signing_out_ends_the_session(visitor: Visitor) -> None:
    cookies = dict(visitor.client.cookies)
    left = visitor.post("/leave")
    assert "lynchpin console" in visible(left)
    assert not visitor.client.cookies
    header = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    assert visitor.client.get("/console", headers=header).status_code == 403


CROSS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://elsewhere.example.org"},
    {"Origin": "http://127.0.0.1:1"},
]


def test_a_form_of_another_site_does_nothing(visitor: Visitor) -> None:
    for headers in CROSS:
        answer = visitor.post("/leave", headers=headers)
        assert (answer.status_code, "LP-WEB-003" in visible(answer)) == (403, True), headers
    assert visitor.get("").status_code == 200


def test_a_form_of_ours_may_say_where_it_is_from(visitor: Visitor, serving: Serving) -> None:
    origin = f"http://127.0.0.1:{serving.port}"
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert visitor.post("/search", headers=headers, q="nobody").status_code == 200


FORMS = [
    ("/leave", {}),
    ("/search", {"q": "x"}),
    ("/people/x", {"reason": "x"}),
    ("/documents/x", {"reason": "x"}),
    ("/origins/x", {"reason": "x"}),
    ("/messages/1", {"reason": "x"}),
    ("/messages/1/original", {"reason": "x"}),
    ("/holds/confirm", {"act": "release", "message": "1"}),
    ("/holds/release", {"message": "1"}),
    ("/holds/group", {"group": "x"}),
    ("/holds/discard", {"message": "1", "reason": "x"}),
    ("/holds/1/edit", {"reason": "x"}),
    ("/holds/1/preview", {"reason": "x", "text": "x"}),
    ("/holds/1/release", {"reason": "x", "text": "x"}),
    ("/deliveries/destination", {"destination": "crm"}),
    ("/deliveries/decide", {"act": "retry", "delivery": "1"}),
    ("/polls/now", {"poll": "shop"}),
    ("/polls/rewind", {"poll": "shop", "to": "2031-05-06T10:00"}),
    ("/jobs/1", {"act": "pause"}),
    ("/journal/train", {"source": "shopify"}),
    ("/journal/confirm", {"act": "sweep"}),
    ("/journal/sweep", {}),
    ("/journal/redact", {"message": "1", "sure": "yes", "reason": "x"}),
    ("/unverified", {"source": "shopify", "reason": "x"}),
    ("/mappings/1/1/confirm", {"to": "shipped"}),
    ("/mappings/1/1/rollback", {"to": "shipped", "instead_of": ""}),
]


def test_a_form_without_the_token_does_nothing(visitor: Visitor) -> None:
    for path, form in FORMS:
        for token in ({}, {"token": ""}, {"token": "x" * 43}, {"token": "é"}):
            answer = visitor.client.post(f"/console{path}", data={**form, **token})
            assert (answer.status_code, "LP-WEB-003" in visible(answer)) == (403, True), path
    assert visitor.get("").status_code == 200


def test_every_form_that_is_posted_is_among_those_that_were_tried(serving: Serving) -> None:
    posted = {
        re.sub(r"{[^}]+}", "x", route.path)
        for route in serving.app.routes
        if isinstance(route, APIRoute)
        if route.path.startswith("/console") and "POST" in (route.methods or ())
    }
    tried = {f"/console{path}".replace("/1", "/x") for path, _ in FORMS}
    assert posted - {"/console/links"} == tried


def test_a_large_form_is_turned_away(visitor: Visitor) -> None:
    assert visitor.post("/search", q="nobody", more="x" * 3000).status_code == 200
    answer = visitor.post("/search", q="nobody", more="x" * 300_000)
    assert answer.status_code == 400
    assert "LP-WEB-004" in visible(answer)


def test_the_command_line_gets_a_link_for_who_asks(serving: Serving) -> None:
    said = serving.call("operator", "POST", "/console/links")
    assert said.headers["cache-control"] == "no-store"
    assert serving.call(None, "GET", said.json()["path"]).status_code == 200
