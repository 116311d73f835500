"""Deliveries on a page: how destinations are doing, what is not done, and what a person decides."""

from __future__ import annotations

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
