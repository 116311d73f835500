"""Several hubs on one PostgreSQL share out what is pending, and none does another's work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from hub import bootstrap, export, keys
from hub.apply import Batch
from hub.bootstrap import Hub
from hub.bus import Leased, LeaseLost
from hub.demo import poslog_writer
from hub.door import take_in
from hub.keys import COMMAND_LINE
from hub.running import announced, find
from hub.settings import Settings
from hub.settle import settle, settle_next, settle_pending
from hub.store.tables import document, lease, location, message
from hub.writer import writing
from tests import homes, postgres

SALES = 6


@pytest.fixture
def hubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Hub]]:
    """Two hubs, each with a home of its own, on one database."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres.database())
        address = url.render_as_string(hide_password=False)
        monkeypatch.setenv("LYNCHPIN_DATABASE_URL", address)
        opened = []
        for name in ("one", "two"):
            home = homes.made(tmp_path / name)
            opened.append(stack.enter_context(bootstrap.open_hub(home)))
        yield opened


def journal(hub: Hub, *indexes: int, source: str = "poslog") -> None:
    for index in indexes:
        with hub.engine.begin() as connection:
            sale = poslog_writer.sale(index, seed=1)
            take_in(connection, hub.door(source), [sale], name="sale.xml", now=hub.now())


def states(hub: Hub) -> dict[int, str]:
    with hub.engine.begin() as connection:
        rows = connection.execute(select(message.c.id, message.c.state).order_by(message.c.id))
        return {row[0]: row[1] for row in rows}


def overdue(hub: Hub) -> None:
    """Let the time of every lease be over, as it is when its holder was killed."""
    with hub.engine.begin() as connection:
        connection.execute(update(lease).values(until_ms=0))


def settled(hub: Hub) -> dict[int, str]:
    return settle_next(hub.engine, hub.bus, hub.translator, hub.now).states


def exported(hub: Hub) -> list[str]:
    with hub.engine.begin() as connection:
        return list(export.export(connection))


def test_what_one_has_taken_the_other_does_not_get(hubs: list[Hub]) -> None:
    one, two = hubs
    journal(one, *range(SALES))
    taken = one.bus.take(2)
    assert [stored.id for stored in taken.messages] == [1, 2]
    # The others come after them and are of the same key, so that they wait as well.
    assert two.bus.take(10).messages == []
    assert two.bus.take(10).elsewhere
    with one.engine.begin() as connection:
        one.bus.done(connection, taken)
    assert len(two.bus.take(10).messages) == SALES


def test_another_key_is_free_meanwhile(hubs: list[Hub], tmp_path: Path) -> None:
    one, two = hubs
    more = {**one.settings.sources, "tills": one.settings.sources["poslog"]}
    for hub in hubs:
        hub.settings = replace_sources(hub, more)
    journal(one, 1, 2)
    journal(one, 3, source="tills")
    assert [stored.id for stored in one.bus.take(2).messages] == [1, 2]
    assert [stored.id for stored in two.bus.take(10).messages] == [3]


def replace_sources(hub: Hub, sources: object) -> Settings:
    return hub.settings.model_copy(update={"sources": sources})


def test_who_was_killed_loses_what_it_had(hubs: list[Hub]) -> None:
    one, two = hubs
    journal(one, *range(SALES))
    one.bus.take(10)
    assert settled(two) == {}
    overdue(two)
    assert set(settled(two).values()) == {"applied"}
    assert len(exported(two)) == SALES


def test_who_was_only_slow_applies_nothing(hubs: list[Hub]) -> None:
    one, two = hubs
    journal(one, *range(SALES))
    taken = one.bus.take(10)
    overdue(two)
    settled(two)
    before = states(two)
    with pytest.raises(LeaseLost), one.engine.begin() as connection:
        one.bus.confirm(connection, taken)
    assert states(two) == before
    assert set(before.values()) == {"applied"}


def test_the_slow_one_goes_on_once_it_has_found_out(
    hubs: list[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = hubs
    journal(one, *range(SALES))
    take = Leased.take

    def slowly(self: Leased, limit: int) -> object:
        taken = take(self, limit)
        if self is one.bus and taken.messages:
            overdue(two)
            settled(two)
        return taken

    monkeypatch.setattr(Leased, "take", slowly)
    done = settle_pending(one.engine, one.bus, one.translator, one.now)
    assert done.states == {}
    assert set(states(two).values()) == {"applied"}


def test_without_the_look_at_the_lease_a_message_answers_itself(hubs: list[Hub]) -> None:
    """The control: the slow one overwrites what the other one came to."""
    one, two = hubs
    journal(one, *range(SALES))
    taken = one.bus.take(10)
    overdue(two)
    settled(two)
    with one.engine.begin() as connection:
        settle(connection, taken.messages, one.translator, one.now())
    assert set(states(two).values()) == {"duplicate"}
    # Even so nothing counts twice: the name of a fact is taken.
    assert len(exported(two)) == SALES


def test_without_the_unique_key_a_sale_counts_twice(
    hubs: list[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: where no name is ever taken, the same sale twice is two sales."""
    one, two = hubs
    with one.engine.begin() as connection:
        for table in ("document", "transaction_index", "claim", "link"):
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT pk_{table} CASCADE"))
    monkeypatch.setattr(Batch, "learn", lambda self, facts: None)
    for hub in hubs:
        journal(hub, 1)
        settled(hub)
    with two.engine.begin() as connection:
        facts = select(func.count(), func.count(document.c.fact.distinct()))
        assert connection.execute(facts).one() == (2, 1)


def test_a_failure_nobody_foresaw_holds_its_message_and_gives_the_key_back(
    hubs: list[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = hubs
    journal(one, *range(3))
    outcome = Batch.outcome
    culprits: set[str] = set()

    def fails(self: Batch, named: Any, stamped_at: str | None = None) -> Any:
        if not culprits:
            culprits.add(named.fact)
        return 1 // 0 if named.fact in culprits else outcome(self, named, stamped_at)

    monkeypatch.setattr(Batch, "outcome", fails)
    assert sorted(settled(one).values()) == ["applied", "applied", "held"]
    with two.engine.begin() as connection:
        assert connection.scalar(select(func.count()).select_from(lease)) == 0


def test_a_store_that_another_hub_loaded_is_known_at_the_next_message(hubs: list[Hub]) -> None:
    one, two = hubs
    journal(one, 1)
    settled(one)
    place = {"system": "poslog", "zone": "Asia/Tokyo", "currency": "USD"}
    with two.engine.begin() as connection:
        [(fact, body)] = connection.execute(select(document.c.fact, document.c.body)).all()
        store = fact.partition(":")[2].partition("/")[0]
        connection.execute(insert(location), {**place, "store": store})
    assert "Asia/Tokyo" not in body
    journal(one, 2)
    settled(one)
    assert sum("Asia/Tokyo" in line for line in exported(one)) == 1


def test_the_key_of_another_home_holds_on(hubs: list[Hub]) -> None:
    one, two = hubs
    with (
        writing(one) as first_writer,
        writing(two) as second_writer,
        announced(first_writer, "127.0.0.1", 1),
        announced(second_writer, "127.0.0.1", 2),
    ):
        found = find(one.home)
        assert found is not None
        reader = one.reader()
        with reader.begin() as connection:
            assert keys.recognised(connection, found.key).name == COMMAND_LINE
        reader.dispose()


def test_a_hub_settles_what_a_killed_one_left(hubs: list[Hub]) -> None:
    one, two = hubs
    with writing(two):
        # It has looked and found nothing; nobody tells it that something comes.
        journal(one, *range(SALES))
        while set(states(one).values()) != {"applied"}:
            pass
