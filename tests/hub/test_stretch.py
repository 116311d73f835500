"""One look goes through so many messages at most, and says where to go on, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub import holds, messages, receipts
from hub.bootstrap import Hub
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.messages import Sought
from hub.receive import receive
from hub.store.tables import message
from hub.stretch import JOURNAL, of_message, of_source, stretch

pytestmark = pytest.mark.databases

_SALES = [till.sale(index, seed=5) for index in range(12)]
_SALE = _SALES[3]
_STORE, _TILL, _DAY, _SEQUENCE = _SALE.key


@pytest.fixture
def journal(hub: Hub, tmp_path: Path) -> Hub:
    """Two orders, then twelve sales of eight tills, the last of which cannot be read."""
    orders = b"\n".join(map(shop_writer.order, shop.orders(2, seed=5)))
    bad = poslog_writer.transaction(_SALES[-1]).replace(b"<Quantity>", b"<Quantity>much", 1)
    day = [*map(poslog_writer.transaction, _SALES[:-1]), bad]
    for source, body in (
        ("shopify", orders),
        ("poslog", b"".join(poslog_writer.document(day, dialect="v2"))),
    ):
        (tmp_path / source).write_bytes(body)
        receive(hub, source, [tmp_path / source])
    return hub


def looks(hub: Hub, **said: Any) -> list[list[int]]:
    """The numbers that each look finds, until there is nothing left to look through."""
    pages: list[list[int]] = []
    cursor: str | None = None
    with hub.engine.begin() as connection:
        while not pages or cursor is not None:
            rows, cursor = messages.look(hub, connection, Sought(**said), limit=3, after=cursor)
            pages.append([row["id"] for row in rows])
    return pages


_BY: list[tuple[dict[str, str], list[int]]] = [
    ({"source": "shopify"}, [2, 1]),
    ({"source": "nobody"}, []),
    ({"kind": "order"}, [2, 1]),
    ({"state": "held"}, [14]),
    ({"state": "held", "source": "shopify"}, []),
    ({"state": "discarded"}, []),
    ({"state": "applied", "kind": "order"}, [2, 1]),
    ({"fact": "order"}, [2, 1]),
    ({"fact": "shopify:order"}, [2, 1]),
    ({"fact": "opify:order"}, [2, 1]),
    ({"fact": f"poslog:{_STORE}/{_TILL}/"}, [14, 6]),
    ({"file": "shop"}, [2, 1]),
    ({"file": "nothing"}, []),
    ({"store": _STORE, "workstation": _TILL}, [6]),
    ({"store": _STORE, "workstation": _TILL, "sequence": _SEQUENCE}, [6]),
    ({"store": _STORE, "business_date": _DAY, "sequence": "2"}, [14, 13, 12, 11]),
    ({"store": _STORE, "sequence": "2"}, [14, 13, 12, 11]),
    ({"workstation": _TILL, "sequence": _SEQUENCE}, [6]),
    ({"business_date": "1999-01-01"}, []),
    ({"store": "0000"}, []),
]


@pytest.mark.parametrize("most", [5, 20_000])
def test_looks_find_all_that_fits_and_each_goes_through_so_many_at_most(
    journal: Hub, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(messages, "MESSAGES_MAX", most)
    monkeypatch.setattr(messages, "MESSAGES_MAX_ASKED", most)
    for said, wanted in _BY:
        pages = looks(journal, **said)
        assert [number for page in pages for number in page] == wanted, said
        assert len(pages) <= 14 // min(most, 3) + 1, said


def test_what_leads_nowhere_is_looked_for_a_stretch_at_a_time(
    journal: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MESSAGES_MAX", 5)
    assert looks(journal, fact="order") == [[], [], [2, 1]]
    # What leads to few is found at once, however far back it lies.
    assert looks(journal, kind="order", fact="order") == [[2, 1]]
    assert looks(journal, kind="retail", fact="order") == [[], [], []]


def test_a_look_follows_what_leads_through_the_fewest(journal: Hub) -> None:
    sales, orders = of_message(message.c.kind, "retail"), of_message(message.c.kind, "order")
    shop = of_source("shopify")
    with journal.engine.begin() as connection:
        for leads in ([sales, orders], [orders, sales], [JOURNAL, orders], [sales, shop]):
            found = stretch(connection, leads, above=None, below=None, most=5)
            assert found is not None
            assert found.lead in (orders, shop)


def test_records_that_come_in_turns_are_found_whichever_leads(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MESSAGES_MAX", 2)
    bodies: dict[str, list[list[bytes]]] = {
        "poslog": [
            [*poslog_writer.document([poslog_writer.transaction(sale)], dialect="v2")]
            for sale in _SALES[:6]
        ],
        "shopify": [[shop_writer.order(order)] for order in shop.orders(6, seed=5)],
    }
    for each in range(6):
        for source, some in bodies.items():
            path = tmp_path / f"{each} {source}"
            path.write_bytes(b"".join(some[each]))
            receive(hub, source, [path])
    for source, first in (("poslog", 1), ("shopify", 2)):
        wanted = list(range(first, 13, 2))[::-1]
        pages = looks(hub, source=source)
        assert [number for page in pages for number in page] == wanted
        assert len(pages) <= len(wanted) // 2 + 1


def test_a_hold_that_is_over_is_not_found_by_its_cause(journal: Hub) -> None:
    with journal.engine.begin() as connection:
        [code] = [each["code"] for each in holds.held(connection)]
    assert looks(journal, code=code) == [[14]]
    holds.discard(journal, [14], actor="ann", reason="broken")
    assert looks(journal, code=code) == [[]]


def test_too_many_names_are_none(journal: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def named(**said: str) -> int | None:
        with journal.engine.begin() as connection:
            found = receipts.names(connection, said, {"poslog"})
        return None if found is None else len(found)

    by_day = {"store": _STORE, "business_date": _DAY}
    count = named(**by_day)
    assert count is not None
    assert count > 2
    assert named(store=_STORE) == count
    assert named(store=_STORE, sequence="2") == len({sale.key[1] for sale in _SALES[:-1]})
    with journal.engine.begin() as connection:
        assert receipts.names(connection, {"store": _STORE}, {"shopify"}) == set()
    monkeypatch.setattr(receipts, "NAMES_MAX", count - 1)
    assert named(store=_STORE) is None
    assert named(**by_day) is None
    for said, wanted in _BY:
        assert [number for page in looks(journal, **said) for number in page] == wanted, said
