"""What a person decides of deliveries, here and through a hub that runs; and the feed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import select, update

from hub import bootstrap, doctor
from hub.bootstrap import Hub
from hub.cli.here import Here
from hub.cli.there import connected
from hub.cli.way import Way
from hub.delivery import deciding
from hub.delivery.deciding import NOT_MADE, NOT_OPEN, UNKNOWN_DESTINATION
from hub.home import Home
from hub.people.masking import HIDDEN
from hub.running import Running
from hub.store.tables import audit, delivery, destination
from schemas.problem import Rejected
from tests.hub.api.conftest import Serving, serve
from tests.hub.delivery.conftest import Opening, order, received, told

pytestmark = pytest.mark.databases

DAY = "2031-02-01T00:00:00.000000Z"


@pytest.fixture
def open_ones(opening: Opening) -> Hub:
    """One parked and one waiting behind it, one that waits, one that is done."""
    hub = opening(crm={"personal": True}, stock={"kinds": ["Transaction"]})
    received(hub, order(0), order(0, version=1), order(1), order(2))
    with hub.engine.begin() as connection:
        states = update(delivery).values(due_at=DAY, attempts=1, failure="it answered 422")
        connection.execute(states.where(delivery.c.id == 1).values(state="parked"))
        done = {"state": "delivered", "done_at": DAY, "told_at": DAY, "content": None}
        connection.execute(states.where(delivery.c.id == 4).values(**done))
        connection.execute(destination.insert().values(name="crm", failures=7, paused_at=DAY))
    return hub


@pytest.fixture(params=["here", "there"])
def way(
    request: pytest.FixtureRequest,
    open_ones: Hub,
    opening: Opening,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[], Way]]:
    """The way to the hub, once it is not open in this test any more."""
    monkeypatch.setenv("LYNCHPIN_HOME", str(home.path))
    opening.close()
    if request.param == "here":
        yield Here
        return
    with ExitStack() as stack:
        serving = stack.enter_context(serve(home))
        address = f"http://127.0.0.1:{serving.port}"

        def asked() -> Way:
            found = connected(Running(0, address, serving.keys["operator"]))
            assert found is not None
            return stack.enter_context(found)

        yield asked


def seen(home: Home) -> Any:
    with bootstrap.open_hub(home, access="read") as hub, hub.engine.begin() as connection:
        states = connection.execute(
            select(delivery.c.state, delivery.c.due_at).order_by(delivery.c.id)
        ).all()
        acts = connection.execute(
            select(audit.c.act, audit.c.subject).where(audit.c.act.like("delivery.%"))
        ).all()
        row = connection.execute(select(destination)).mappings().one()
    return [state for state, _ in states], [tuple(act) for act in acts], row


def test_what_is_parked_is_tried_again(way: Callable[[], Way], home: Home) -> None:
    assert way().retry_deliveries([1], destination=None) == 1
    states, acts, row = seen(home)
    assert states == ["waiting", "waiting", "waiting", "delivered"]
    assert acts == [("delivery.retry", "delivery 1")]
    assert row["paused_at"] == DAY


def test_all_of_a_destination_is_tried_again(way: Callable[[], Way], home: Home) -> None:
    assert way().retry_deliveries([], destination="crm") == 3
    states, acts, row = seen(home)
    assert states == ["waiting", "waiting", "waiting", "delivered"]
    assert acts == [("delivery.retry", "destination crm")]
    assert (row["failures"], row["paused_at"], row["closed_until"]) == (0, None, None)


def test_what_is_given_up_lets_go_of_what_comes_after(way: Callable[[], Way], home: Home) -> None:
    assert way().discard_deliveries([1, 3], reason="by hand") == 2
    states, acts, _ = seen(home)
    assert states == ["discarded", "waiting", "discarded", "delivered"]
    assert acts == [("delivery.discard", "delivery 1"), ("delivery.discard", "delivery 3")]


def test_what_was_told_is_told_again_under_its_id(way: Callable[[], Way], home: Home) -> None:
    hub = way()
    window = {"destination": None, "since": None, "until": None}
    assert hub.resend_deliveries([4], **window) == 1
    states, acts, _ = seen(home)
    assert states == ["parked", "waiting", "waiting", "waiting"]
    assert acts == [("delivery.resend", "delivery 4")]
    with pytest.raises(Rejected) as refused:
        hub.resend_deliveries([4], **window)
    assert refused.value.problem.code == NOT_MADE.code


@pytest.mark.parametrize(
    ("since", "until", "count"),
    [
        (None, None, 1),
        (DAY, None, 1),
        ("2031-02-01T00:00:00.000001Z", None, 0),
        (None, DAY, 0),
        (None, "2031-02-01T00:00:00.000001Z", 1),
    ],
)
def test_all_that_was_told_in_a_window_is_told_again(
    way: Callable[[], Way], home: Home, since: str | None, until: str | None, count: int
) -> None:
    hub = way()
    found = hub.resend_deliveries([], destination="crm", since=since, until=until)
    assert found == count
    states, acts, _ = seen(home)
    assert states[3] == ("waiting" if count else "delivered")
    assert acts == [("delivery.resend", "destination crm")]
    with pytest.raises(Rejected) as refused:
        hub.resend_deliveries([], destination="nobody", since=None, until=None)
    assert refused.value.problem.code == UNKNOWN_DESTINATION.code


@pytest.mark.parametrize("numbers", [[4], [99], [1, 99]])
def test_what_is_not_open_is_refused_and_nothing_done(
    way: Callable[[], Way], home: Home, numbers: list[int]
) -> None:
    before = seen(home)
    hub = way()
    with pytest.raises(Rejected) as refused:
        hub.retry_deliveries(numbers, destination=None)
    assert refused.value.problem.code == NOT_OPEN.code
    with pytest.raises(Rejected) as refused:
        hub.discard_deliveries(numbers, reason="by hand")
    assert refused.value.problem.code == NOT_OPEN.code
    with pytest.raises(Rejected) as refused:
        hub.retry_deliveries([], destination="other")
    assert refused.value.problem.code == UNKNOWN_DESTINATION.code
    assert seen(home) == before


def test_what_is_being_sent_is_left_to_whoever_sends_it(open_ones: Hub) -> None:
    with open_ones.engine.begin() as connection:
        connection.execute(update(delivery).where(delivery.c.id == 3).values(holder="other"))
        assert deciding.retry(connection, [3], actor="ann", now=open_ones.now()) == 0
    assert told(open_ones, "due_at")[2] != DAY


@pytest.fixture
def serving(open_ones: Hub, opening: Opening, home: Home) -> Iterator[Serving]:
    opening.close()
    with serve(home) as running:
        yield running


def test_deliveries_are_listed_a_page_at_a_time(serving: Serving) -> None:
    def page(**params: Any) -> tuple[list[int], str | None]:
        said = serving.call("reader", "GET", "/deliveries", params=params).json()
        return [row["id"] for row in said["items"]], said["next"]

    first, cursor = page(limit=2)
    assert (first, page(cursor=cursor)) == ([1, 2], ([3], None))
    assert page(state="delivered") == ([4], None)
    assert page(state="parked", destination="crm") == ([1], None)
    assert page(destination="stock") == ([], None)


def test_destinations_say_how_they_are_doing(serving: Serving) -> None:
    crm, stock = serving.call("reader", "GET", "/destinations").json()["destinations"]
    assert {name: crm[name] for name in ("name", "waiting", "parked", "failures", "paused")} == {
        "name": "crm",
        "waiting": 2,
        "parked": 1,
        "failures": 7,
        "paused": True,
    }
    assert (stock["name"], stock["waiting"], stock["paused"]) == ("stock", 0, False)
    figures = serving.call("reader", "GET", "/metrics").text
    assert 'lynchpin_deliveries{destination="crm",state="parked"} 1.0' in figures
    assert 'lynchpin_destination_closed{destination="crm"} 2.0' in figures


def test_doctor_says_what_is_not_told(open_ones: Hub, opening: Opening, home: Home) -> None:
    opening.close()
    (said,) = [each for each in doctor.examine(home) if each.what.startswith("destination")]
    assert (said.what, said.well) == ("destination crm", False)
    assert "2 wait, 1 parked" in said.detail
    with opening(crm={}).engine.begin() as connection:
        connection.execute(update(delivery).values(state="delivered", done_at=DAY))
        connection.execute(update(destination).values(failures=0, paused_at=None))
    opening.close()
    (said,) = [each for each in doctor.examine(home) if each.what.startswith("destination")]
    assert (said.well, said.detail) == (True, "1, 0 deliveries wait")


def test_a_receiver_that_lost_everything_reads_all_of_it_again(serving: Serving) -> None:
    read: list[dict[str, Any]] = []
    after = 0
    while True:
        params = {"after": after, "limit": 3}
        said = serving.call("receiver", "GET", "/feed/crm", params=params).json()
        if not said["items"]:
            break
        read += said["items"]
        after = said["after"]
    assert [entry["number"] for entry in read] == [1, 2, 3, 4]
    assert [entry["data"]["document"]["note"] for entry in read] == [
        *("version 0", "version 1"),
        *("version 0", "version 0"),
    ]
    assert len({entry["id"] for entry in read}) == 4
    who = {actor.split()[-1] for actor, *_ in serving.audited("delivery.feed")}
    assert who == {"receiver"}


def test_a_reader_sees_people_masked_in_the_feed(serving: Serving) -> None:
    said = serving.call("reader", "GET", "/feed/crm").json()
    assert {entry["data"]["document"]["note"] for entry in said["items"]} == {HIDDEN}
    assert "@example" not in json.dumps(said)
    assert serving.call("agent", "GET", "/feed/crm").status_code == 403
    assert serving.call("receiver", "GET", "/feed/stock").status_code == 403
    assert serving.call("reader", "GET", "/feed/other").status_code == 404
