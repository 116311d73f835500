"""Polls on a page: how far each stream is, why it does not get on, and what a person decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from hub.polling.status import Status, polls
from hub.store.tables import audit
from tests.hub.api.conftest import Serving, serve
from tests.hub.console.conftest import Visitor, visible, visiting
from tests.hub.polling.conftest import (  # noqa: F401
    ORDERS,
    REFUNDS,
    Clock,
    Wired,
    clock,
    shop,
    wired,
)

if TYPE_CHECKING:
    from hub.home import Home
    from tests.hub.polling.shop import Shop

STREAMS = {"orders": ORDERS, "refunds": REFUNDS}


@pytest.fixture
def desk(
    wired: Callable[..., Wired],  # noqa: F811
    home: Home,
    shop: Shop,  # noqa: F811
    clock: Clock,  # noqa: F811
) -> Iterator[Visitor]:
    """Two streams of a shop, of which one was turned away since; nobody polls here by itself."""
    here = wired(shop={"streams": STREAMS})
    shop.place(3)
    here.poll()
    clock.pass_by(60)
    shop.before = lambda call: (401, {}, b"") if "orders" in call.path else None
    here.poll()
    here.close()
    with serve(home, clock) as serving, visiting(serving) as visitor:
        yield visitor


def status(serving: Serving) -> dict[str, Status]:
    with serving.hub.engine.begin() as connection:
        found = polls(connection, serving.hub.settings.polls, serving.hub.now())
    return {each.stream: each for each in found}


def acts(serving: Serving) -> list[tuple[str, str, str]]:
    with serving.hub.engine.begin() as connection:
        found = select(audit.c.actor, audit.c.act, audit.c.subject)
        rows = connection.execute(found.where(audit.c.act.like("poll.%")).order_by(audit.c.id))
        # The actor is the key of the console, and who it is of.
        return [(row[0].rpartition(" ")[2], row[1], row[2]) for row in rows]


def test_each_stream_says_how_far_it_is_and_why_it_does_not_get_on(desk: Visitor) -> None:
    said = visible(desk.get("/polls"))
    assert "shop into shopify" in said
    assert re.search(r"orders fails 1 in a row 2031-01-01 00:00 UTC .* 3 3", said)
    assert re.search(r"refunds gets on nothing yet 2031-01-01 00:01 UTC .* 0 0", said)
    problem = status(desk.serving)["orders"].problem
    assert problem is not None
    assert f"{problem.code} {problem.summary}" in said
    assert problem.next_step in said
    # The first page leads here, beside the menu.
    assert desk.get("").text.count('href="/console/polls"') == 2


def test_a_poll_is_had_read_at_once(desk: Visitor) -> None:
    assert not any(each.due for each in status(desk.serving).values())
    answer = desk.post("/polls/now", poll="shop")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/polls")
    assert visible(desk.get("/polls")).count("due now") == 2
    assert all(each.due for each in status(desk.serving).values())
    assert acts(desk.serving) == [("anna", "poll.now", "poll shop")]


def test_a_stream_is_had_read_again_from_a_moment_on(desk: Visitor) -> None:
    before = status(desk.serving)
    desk.post("/polls/rewind", poll="shop", stream="orders", to="2030-05-06T10:00")
    assert "2030-05-06 10:00" in visible(desk.get("/polls"))
    after = status(desk.serving)
    assert (after["orders"].cursor, after["orders"].due) == ("2030-05-06T10:00:00.000000Z", True)
    assert after["refunds"] == before["refunds"]
    assert acts(desk.serving) == [("anna", "poll.rewind", "poll shop")]
    desk.post("/polls/rewind", poll="shop", stream="", to="2029-05-06T10:00")
    both = status(desk.serving)
    # A stream that has read nothing yet begins with everything anyway.
    cursors = {name: each.cursor for name, each in both.items()}
    assert cursors == {"orders": "2029-05-06T10:00:00.000000Z", "refunds": None}
    assert all(each.due for each in both.values())


@pytest.mark.parametrize(
    ("path", "form", "code"),
    [
        ("/polls/now", {"poll": "other"}, "LP-POLL-"),
        ("/polls/now", {}, "LP-POLL-"),
        ("/polls/rewind", {"poll": "shop", "to": "yesterday"}, "LP-WEB-"),
        ("/polls/rewind", {"poll": "shop", "to": ""}, "LP-WEB-"),
        ("/polls/rewind", {"poll": "shop", "stream": "x", "to": "2030-05-06T10:00"}, "LP-POLL-"),
    ],
)
def test_what_nobody_knows_is_refused_and_changes_nothing(
    desk: Visitor, path: str, form: dict[str, object], code: str
) -> None:
    before = status(desk.serving)
    answer = desk.post(path, None, **form)
    assert answer.is_client_error
    assert code in visible(answer)
    assert status(desk.serving) == before
    assert acts(desk.serving) == []


def test_a_hub_that_polls_nobody_says_how_to(visitor: Visitor) -> None:
    assert "Name one under [polls]" in visible(visitor.get("/polls"))
