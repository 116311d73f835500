"""Corrections: who is told the latest of things hears what a replay made otherwise, if asked to."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from hub import publication
from hub.bootstrap import Hub
from hub.jobs.ask import Ask, Effects
from hub.jobs.plan import Effect
from hub.jobs.record import Job
from hub.messages import Sought
from hub.publication import Target
from hub.store.tables import delivery
from tests.hub.delivery.conftest import Opening, order, received, told
from tests.hub.jobs.conftest import done, due, planned

ORDERS = 3
OTHERWISE = 2
"""Of them, those that are paid."""


@pytest.fixture
def hub(opening: Opening) -> Hub:
    """With orders that everybody was told of."""
    hub = opening(
        crm={"mode": "latest"},
        log={"mode": "every"},
        news={"mode": "latest", "corrections": "never"},
        shop={"mode": "latest", "system": "shopify"},
        tills={"mode": "latest", "kinds": ["Transaction"]},
    )
    received(hub, *map(order, range(ORDERS)))
    with hub.engine.begin() as connection:
        connection.execute(delete(delivery))
    return hub


def replayed(hub: Hub, effects: Effects) -> Job:
    readers = hub.reader()
    try:
        return done(hub, readers, Ask(Sought(source="shopify"), effects=effects))
    finally:
        readers.dispose()


def test_nobody_hears_of_a_replay_that_was_asked_for_no_effects(hub: Hub) -> None:
    due(hub)
    assert replayed(hub, "none").remade == ORDERS
    assert told(hub, "destination") == []


def test_who_is_told_the_latest_hears_once_of_what_is_otherwise(hub: Hub) -> None:
    due(hub)
    plan = planned(hub, Ask(Sought(source="shopify"), effects="corrections"))
    assert plan.destinations == (
        Effect("crm", "latest", "upsert", "corrections", ORDERS),
        Effect("log", "every", "upsert", "none", 0),
        Effect("news", "latest", "never", "none", 0),
        Effect("shop", "latest", "upsert", "corrections", 0),
        Effect("tills", "latest", "upsert", "corrections", 0),
    )
    assert replayed(hub, "corrections").told == OTHERWISE
    assert told(hub, "destination", "state") == [("crm", "waiting")] * OTHERWISE
    # What is unchanged is no correction.
    again = replayed(hub, "corrections")
    assert (again.told, again.unchanged) == (0, ORDERS)
    assert len(told(hub, "id")) == OTHERWISE


def test_going_back_is_told_as_well(hub: Hub) -> None:
    due(hub)
    replayed(hub, "corrections")
    with hub.engine.begin() as connection:
        target = Target("shopify", "order")
        publication.rollback(connection, target, actor="ann", now=hub.now())
    assert replayed(hub, "corrections").told == OTHERWISE
    due(hub)
    assert replayed(hub, "corrections").told == OTHERWISE
    # Only the last one waits: nobody has sent the others.
    states = told(hub, "state")
    assert (states.count("superseded"), states.count("waiting")) == (2 * OTHERWISE, OTHERWISE)
