"""Deliveries on a page: how destinations are doing, what is not done, and what a person decides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from hub import bootstrap
from hub.store.tables import audit, delivery, destination
from tests.hub.api.conftest import serve
from tests.hub.console.conftest import Visitor, visible, visiting
from tests.hub.delivery.conftest import Opening, clock, opening, order, received  # noqa: F401

if TYPE_CHECKING:
    from hub.home import Home

DAY = "2099-02-01T00:00:00.000000Z"


@pytest.fixture
def desk(opening: Opening, home: Home) -> Iterator[Visitor]:  # noqa: F811
    """One parked, one that waits behind it, one that waits; and a destination that is gone."""
    hub = opening(crm={})
    received(hub, order(0), order(0, version=1), order(1))
    with hub.engine.begin() as connection:
        tried = {"due_at": DAY, "attempts": 2, "failure": "it answered 422"}
        connection.execute(update(delivery).values(**tried))
        connection.execute(update(delivery).where(delivery.c.id == 1).values(state="parked"))
        connection.execute(destination.insert().values(name="crm", failures=7, paused_at=DAY))
    opening.close()
    with serve(home) as serving, visiting(serving) as visitor:
        yield visitor


def stored(home: Home) -> tuple[list[str], list[tuple[str, str]]]:
    with bootstrap.open_hub(home, access="read") as hub, hub.engine.begin() as connection:
        states = connection.scalars(select(delivery.c.state).order_by(delivery.c.id)).all()
        acts = connection.execute(
            select(audit.c.act, audit.c.subject).where(audit.c.act.like("delivery.%"))
        ).all()
    return list(states), [(act, subject) for act, subject in acts]


def test_what_is_not_done_is_seen_with_its_cause(desk: Visitor) -> None:
    said = visible(desk.get("/deliveries"))
    assert "crm gone it said so itself 2 1 7 Send now" in said
    assert "crm parked it answered 422 2 once a person says so" in said


def nexts(visitor: Visitor) -> list[str]:
    """What the page says is next of each delivery, the oldest first."""
    text = visitor.get("/deliveries").text
    cells = re.findall(r'<td data-is="next">(.*?)</td>', text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in cells]


def test_what_is_next_of_each_is_true(opening: Opening, home: Home) -> None:  # noqa: F811
    """Nobody sends here, so that the clock stands still: each says what a sender goes by."""
    hub = opening(crm={})
    received(hub, *(order(index) for index in range(4)), order(0, version=1))
    opening.clock.pass_by(60)
    soon = "2031-01-01T09:30:00.000000Z"
    leased, later, free = ({"due_at": soon, "holder": "a"}, {"due_at": soon}, {"holder": "dead"})
    with hub.engine.begin() as connection:
        for number, said in ((1, leased), (2, later), (3, free)):
            row = update(delivery).where(delivery.c.id == number)
            connection.execute(row.values(**said))
    opening.close()
    with serve(home, opening.clock) as serving, visiting(serving) as visitor:
        sent, tried, dead, fresh, behind = nexts(visitor)
        assert (sent, behind) == ("being sent", "behind another")
        assert (dead, fresh) == ("due now", "due now")
        assert "UTC" in tried
        # A destination that is not sent to has nothing due, whatever its deliveries say.
        with serving.hub.engine.begin() as connection:
            connection.execute(destination.insert().values(name="crm", closed_until=DAY))
        assert "2099" in nexts(visitor)[3]
        with serving.hub.engine.begin() as connection:
            connection.execute(update(destination).values(paused_at=DAY))
        assert nexts(visitor)[3] == "once a person says so"


def test_a_destination_is_sent_to_again(desk: Visitor, home: Home) -> None:
    said = visible(desk.post("/deliveries/destination", destination="crm"))
    assert "3 deliveries tried again now" in said
    states, acts = stored(home)
    assert "parked" not in states
    assert acts == [("delivery.retry", "destination crm")]
    assert desk.post("/deliveries/destination", destination="nobody").status_code == 404
    assert desk.post("/deliveries/destination").status_code == 400


def test_one_is_tried_again(desk: Visitor, home: Home) -> None:
    said = visible(desk.post("/deliveries/decide", act="retry", delivery="1"))
    assert "1 delivery tried again now" in said
    assert stored(home)[1] == [("delivery.retry", "delivery 1")]


def test_one_is_given_up_for_a_reason(desk: Visitor, home: Home) -> None:
    assert desk.post("/deliveries/decide", act="discard", delivery="1").status_code == 400
    assert stored(home) == (["parked", "waiting", "waiting"], [])
    given_up = desk.post("/deliveries/decide", act="discard", delivery="1", reason="by hand")
    assert "1 delivery given up" in visible(given_up)
    assert stored(home) == (
        ["discarded", "waiting", "waiting"],
        [("delivery.discard", "delivery 1")],
    )
    assert desk.post("/deliveries/decide", act="discard", reason="x").status_code == 400
    assert desk.post("/deliveries/decide", act="else", delivery="2").status_code == 400
