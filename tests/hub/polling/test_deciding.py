"""What a person asks of polls, here and of a hub that runs; and what the settings may say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from hub import bootstrap
from hub.cli.here import Here
from hub.cli.there import connected
from hub.cli.way import Way
from hub.home import Home
from hub.polling.causes import TURNED_AWAY, UNKNOWN
from hub.polling.poller import polling
from hub.running import Running
from hub.store.tables import audit
from schemas.problem import ConfigError, Rejected
from tests.hub.api.conftest import serve
from tests.hub.polling.conftest import ORDERS, RECENT, REFUNDS, described, of
from tests.hub.polling.shop import Shop, open_shop

LONG_AGO = "2031-01-01T00:00:00.000000Z"


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as shop:
        yield shop


@pytest.fixture(params=["here", "there"])
def way(
    request: pytest.FixtureRequest, home: Home, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Way]]:
    """The way to a hub that has just polled, and not since."""
    monkeypatch.setenv("LYNCHPIN_HOME", str(home.path))
    streams = {"orders": {**ORDERS, "reread": RECENT}, "refunds": REFUNDS}
    with home.settings.open("a") as settings:
        settings.write(described("shop", **of(shop, streams=streams, every_seconds=3600)))
    shop.place(2)
    Here().poll_now("shop")
    if request.param == "here":
        yield Here
        return
    with ExitStack() as stack:
        serving = stack.enter_context(serve(home))
        stack.enter_context(polling(serving.writer))
        address = f"http://127.0.0.1:{serving.port}"

        def asked() -> Way:
            found = connected(Running(0, address, serving.keys["operator"]))
            assert found is not None
            return stack.enter_context(found)

        yield asked


def acts(home: Home) -> list[tuple[str, str]]:
    with bootstrap.open_hub(home, access="read") as hub, hub.engine.begin() as connection:
        found = select(audit.c.act, audit.c.subject).where(audit.c.act.like("poll.%"))
        return [(row[0], row[1]) for row in connection.execute(found.order_by(audit.c.id))]


def test_a_poll_is_made_at_once(way: Callable[[], Way], home: Home, shop: Shop) -> None:
    shop.place(3)
    orders, refunds = way().poll_now("shop")
    assert (orders.stream, orders.taken, orders.problem, orders.due) == ("orders", 5, None, False)
    assert (refunds.stream, refunds.taken) == ("refunds", 0)
    assert acts(home) == [("poll.now", "poll shop")] * 2


def test_a_poll_that_fails_says_so(way: Callable[[], Way], shop: Shop) -> None:
    shop.before = lambda call: (401, {"Retry-After": "600"}, b"")
    orders, _ = way().poll_now("shop")
    assert orders.problem is not None
    assert (orders.problem.code, orders.failures) == (TURNED_AWAY.code, 1)


def test_a_poll_reads_again_from_an_earlier_moment_on(
    way: Callable[[], Way], home: Home, shop: Shop
) -> None:
    before = len(shop.calls)
    hub = way()
    orders, refunds = hub.rewind_poll("shop", to="2026-01-02T03:04:05.000000Z", stream="orders")
    assert (orders.cursor, orders.due) == ("2026-01-02T03:04:05.000000Z", True)
    assert not refunds.due
    orders, _ = hub.poll_now("shop")
    assert orders.taken == 2
    queries = [call.query for call in shop.calls[before:] if call.path.endswith("orders.json")]
    # What is read again now and then, then what has changed since.
    assert ["created_at_min" in query for query in queries][:2] == [True, False]
    assert queries[1]["updated_at_min"] == "2026-01-02T02:59:05Z"
    assert ("poll.rewind", "poll shop") in acts(home)


def test_what_nobody_knows_is_refused(way: Callable[[], Way], home: Home) -> None:
    before, hub = acts(home), way()
    for name in ("other", "../keys"):
        with pytest.raises(Rejected) as refused:
            hub.poll_now(name)
        assert refused.value.problem.code == UNKNOWN.code
    for name, stream in (("other", None), ("shop", "other")):
        with pytest.raises(Rejected) as refused:
            hub.rewind_poll(name, to=LONG_AGO, stream=stream)
        assert refused.value.problem.code == UNKNOWN.code
    assert acts(home) == before


def test_metrics_and_the_console_tell_of_it(home: Home, shop: Shop) -> None:
    with home.settings.open("a") as settings:
        settings.write(described("shop", **of(shop)))
    with serve(home) as serving:
        shop.before = lambda call: (401, {"Retry-After": "600"}, b"")
        headers = {"Authorization": f"Bearer {serving.keys['operator']}"}
        base = f"http://127.0.0.1:{serving.port}"
        with (
            polling(serving.writer),
            httpx2.Client(base_url=base, headers=headers, trust_env=False) as client,
        ):
            client.post("/polls/shop/now")
            while not client.get("/polls/shop").json()["polls"][0]["failures"]:
                pass
            text = client.get("/metrics").text
            token = serving.app.state.sessions.link("anna")
            client.get("/console/enter", params={"token": token})
            page = client.get("/console").text
    assert 'lynchpin_poll_failures{poll="shop",stream="orders"} 1.0' in text
    assert 'lynchpin_poll_taken_total{poll="shop",stream="orders"} 0.0' in text
    assert "Polls that fail" in page
    assert TURNED_AWAY.code in page


IMPOSSIBLE: list[tuple[dict[str, object], str]] = [
    ({"source": "shopfy"}, "polls.shop.source"),
    ({"url": "http://shop.example.org", "allow_private": False}, "allow_private"),
    ({"url": "https://ann:secret@shop.example.org"}, "polls.shop.url"),
    ({"secret": "two\nlines"}, "polls.shop.secret"),
    ({"streams": {}}, "polls.shop.streams"),
    ({"strems": {}}, "did you mean 'streams'?"),
    ({"streams": {"orders": {**ORDERS, "chaned": "x"}}}, "did you mean 'changed'?"),
    (
        {"streams": {"orders": {**ORDERS, "reread": {"evry": 3}}}},
        "did you mean 'every'?",
    ),
    ({"streams": {"orders": {**ORDERS, "path": "orders.json"}}}, "path"),
    ({"time_format": "never"}, "polls.shop.time_format"),
]


def test_what_the_settings_cannot_mean(home: Home, shop: Shop) -> None:
    plain = home.settings.read_text()
    for said, hint in IMPOSSIBLE:
        home.settings.write_text(plain + described("shop", **of(shop, **said)))
        with pytest.raises(ConfigError) as error, bootstrap.open_hub(home) as hub:
            hub.check_doors()
        assert hint in error.value.problem.line()
        assert "lines" not in str(error.value)
        assert "secret@" not in str(error.value)


def test_the_example_of_the_page_is_one(home: Home) -> None:
    page = Path(__file__).parents[3] / "docs" / "polling.md"
    example = re.search(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    assert example is not None
    with home.settings.open("a") as settings:
        settings.write(example[1])
    with bootstrap.open_hub(home) as hub:
        hub.check_doors()
        assert list(hub.settings.polls["shop"].streams) == ["orders", "refunds"]


def test_the_environment_may_keep_the_secret(
    home: Home, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home.settings.open("a") as settings:
        settings.write(described("shop", **of(shop)))
    monkeypatch.setenv("LYNCHPIN_POLLS__SHOP__SECRET", "another")
    with bootstrap.open_hub(home) as hub:
        chosen = hub.settings.polls["shop"]
    assert chosen.secret is not None
    assert chosen.secret.get_secret_value() == "another"
    assert "another" not in repr(chosen)
