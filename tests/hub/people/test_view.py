"""Who is found, what of them is seen, and that no table is read whole for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, update

from hub import bootstrap, finding
from hub.bootstrap import Hub
from hub.people import view
from hub.people.claim import Claim
from hub.people.profile import FACTS_MAX
from hub.people.search import HITS_MAX
from hub.people.view import Person
from hub.store import tables
from schemas.problem import Refused, Rejected
from tests import homes

CARD = Claim("loyalty", "9000001234")
MAIL = Claim("email", "ann@example.org")
PHONE = Claim("phone", "+436645550142")
NAME = Claim("name", "quaxmarq")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    home = homes.made(tmp_path / "home")
    with bootstrap.open_hub(home) as opened:
        with opened.engine.begin() as connection:
            _journal(connection)
        yield opened


def _journal(connection: Connection) -> None:
    """The one message that all documents of a test are from."""
    took: dict[str, Any] = {
        "id": 1,
        "source": "s",
        "system": "s",
        "connector": "c",
        "bytes": 0,
        "sha256": "",
    }
    took |= {"context": b"", "received_at": "2031-01-01T00:00:00.000000Z", "messages": 1}
    connection.execute(insert(tables.record).values(took))
    sent: dict[str, Any] = {
        "id": 1,
        "record_id": 1,
        "position": 0,
        "offset": 0,
        "length": 0,
        "payload": b"",
    }
    connection.execute(insert(tables.message).values(**sent, digest="", state="pending"))
    text = {"hash": "m", "name": "", "text": "", "published_at": ""}
    connection.execute(insert(tables.mapping_version).values(text))


class Writing:
    """Documents written as the hub would, without the way there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def document(self, fact: str, kind: str, body: dict[str, Any], *claims: Claim) -> str:
        row: dict[str, Any] = {
            "fact": fact,
            "kind": kind,
            "model": "m",
            "business_hash": "",
            "mapping": "m",
        }
        row |= {"content_version": 1, "message_id": 1, "body": json.dumps(body)}
        self._connection.execute(insert(tables.document).values(row))
        for each in claims:
            made = {"fact": fact, "kind": each.kind, "issuer": each.issuer, "value": each.value}
            self._connection.execute(insert(tables.claim).values(made))
        return fact

    def sale(self, number: int, store: str, *claims: Claim, utc: str | None = None) -> str:
        fact = f"tills:{store}/1/2031-05-06/{number}"
        body = {
            "system": "tills",
            "store": store,
            "workstation": "1",
            "status": "completed",
            "total": "1.00",
            "currency": "EUR",
            "customers": [{"kind": c.kind, "value": c.value} for c in claims],
        }
        self.document(fact, "Transaction", body, *claims)
        row: dict[str, Any] = {"fact": fact, "system": "tills", "store": store, "workstation": "1"}
        row |= {"business_date": "2031-05-06", "sequence": str(number), "status": "completed"}
        row |= {"sequence_number": number, "receipt": f"R{number}"}
        row |= {"occurred_utc": utc or f"2031-05-06T10:00:00.{number:06}Z"}
        self._connection.execute(insert(tables.transaction_index).values(row))
        return fact

    def order(self, number: int, store: str | None, *claims: Claim) -> str:
        fact = f"shop:order/{number}"
        customer = {"given_name": "Ann", "family_name": "Quaxmarq", "email": "ann@example.org"}
        body = {"system": "shop", "number": f"#{number}", "customer": customer}
        self.document(fact, "Order", body, *claims)
        row: dict[str, Any] = {
            "fact": fact,
            "system": "shop",
            "native_id": str(number),
            "number": f"#{number}",
        }
        row |= {"channel": "web", "placed_utc": "2031-05-07T10:00:00Z", "store": store}
        row |= {"life": "open", "payment": "paid", "fulfilment": "none"}
        self._connection.execute(insert(tables.order_index).values(row))
        return fact

    def refund(self, number: int) -> str:
        body: dict[str, Any] = {"system": "shop", "kind": "refund", "order": str(number)}
        body |= {"reason": "Quaxmarq", "created_at": {"utc": "2031-05-08T10:00:00Z"}}
        fact = self.document(f"shop:refund/{number}", "Reversal", body)
        row: dict[str, Any] = {"from_fact": fact, "position": 0, "kind": "reversal", "to_ref": "{}"}
        self._connection.execute(insert(tables.link).values(**row, to_fact=f"shop:order/{number}"))
        return fact

    def account(self, number: int, *claims: Claim) -> str:
        body = {"system": "shop", "id": str(number), "given_name": "Ann", "family_name": "Quaxmarq"}
        claims = (*claims, Claim("customer", str(number), "shop"))
        return self.document(f"shop:customer/{number}", "Customer", body, *claims)


@contextmanager
def writing(hub: Hub) -> Iterator[Writing]:
    with hub.engine.begin() as connection:
        yield Writing(connection)


def found(hub: Hub, text: str, *stores: str, region: str | None = None) -> view.Found:
    with hub.engine.begin() as connection:
        return view.find(hub, connection, text, region=region, stores=stores)


def shown(hub: Hub, fact: str, *stores: str, **how: Any) -> Person:
    with hub.engine.begin() as connection:
        return view.person(hub, connection, fact, stores=stores, **how)


def facts(person: Person) -> list[str]:
    return [each.fact for each in person.story]


@contextmanager
def statements(hub: Hub) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database inside the block."""
    asked: list[tuple[str, Any]] = []

    def ask(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(hub.engine, "before_cursor_execute", ask)
    try:
        yield asked
    finally:
        event.remove(hub.engine, "before_cursor_execute", ask)


def test_everything_of_a_person_in_the_order_of_time(hub: Hub) -> None:
    with writing(hub) as write:
        sale = write.sale(1, "7001", CARD, utc="2031-05-06T10:00:00.5Z")
        same_second = write.sale(2, "7002", CARD, utc="2031-05-06T10:00:00Z")
        account = write.account(8, CARD, MAIL)
        order = write.order(5, None, MAIL)
        refund = write.refund(5)
        other = write.sale(3, "7001", Claim("loyalty", "9000005678"))
    for fact in (sale, account, order, refund):
        person = shown(hub, fact)
        # What has no date of its own counts from when it was received.
        assert facts(person) == [refund, order, sale, same_second, account]
        assert (person.person, person.documents, person.elsewhere) == (account, 5, 0)
    assert facts(shown(hub, other)) == [other]
    assert shown(hub, other).person == other


def test_a_voided_sale_says_so(hub: Hub) -> None:
    with writing(hub) as write:
        sale = write.sale(1, "7001", CARD)
    index = tables.transaction_index
    with hub.engine.begin() as connection:
        connection.execute(update(index).where(index.c.fact == sale).values(voided_by="x"))
    (told,) = shown(hub, sale).story
    assert told.summary == "1.00 EUR at store 7001, till 1, completed, voided"


def test_masked_until_revealed(hub: Hub) -> None:
    with writing(hub) as write:
        account = write.account(8, CARD, MAIL, PHONE, NAME)
        write.order(5, None, MAIL)
        write.refund(5)
    masked, whole = shown(hub, account), shown(hub, account, reveal=True)
    assert [each.value for each in masked.identifiers] == [
        "***",
        "***1234",
        "a***@e***.org",
        "+43 *** 42",
    ]
    assert [each.value for each in whole.identifiers] == ["8", CARD.value, MAIL.value, PHONE.value]
    assert (masked.names, whole.names) == (["A. Q."], ["Ann Quaxmarq"])
    assert (masked.masked, whole.masked) == (True, False)
    text = masked.model_dump_json().casefold() + found(hub, "Quaxmarq").model_dump_json().casefold()
    for mark in ("quaxmarq", "ann", "9000001234", "6645550142"):
        assert mark not in text
    assert whole.story[0].summary == "refund of order 5, Quaxmarq"
    assert masked.story[0].summary == "refund of order 5"


def test_an_identifier_of_two_accounts_is_said_to_be_shared(hub: Hub) -> None:
    with writing(hub) as write:
        account = write.account(8, PHONE)
        write.account(9, PHONE)
    (_, phone) = shown(hub, account).identifiers
    assert (phone.kind, phone.shared) == ("phone", True)


@pytest.mark.parametrize("fact", ["tills:none", "", "shop:order/6", "shop:refund/1"])
def test_what_names_nobody_is_no_person(hub: Hub, fact: str) -> None:
    with writing(hub) as write:
        write.order(6, None)
        write.refund(1)
    with pytest.raises(Rejected):
        shown(hub, fact)


def test_the_retailers_own_phone_is_nobody(hub: Hub) -> None:
    with writing(hub) as write:
        own = write.order(6, None, PHONE)
        both = write.order(7, None, PHONE, MAIL)
    place = {"system": "shop", "store": "1", "zone": "UTC", "currency": "EUR", "country": "AT"}
    with hub.engine.begin() as connection:
        connection.execute(insert(tables.location).values(**place, phones='["0664 5550142"]'))
    with pytest.raises(Rejected):
        shown(hub, own)
    assert [each.kind for each in shown(hub, both).identifiers] == ["email"]
    assert found(hub, PHONE.value).items == []


def test_a_number_without_country_is_looked_for_in_the_regions_of_the_sources(hub: Hub) -> None:
    with writing(hub) as write:
        account = write.account(8, PHONE)
    assert found(hub, "0664 5550142").items == []
    assert found(hub, "0664 5550142", region="AT").items[0].person == account
    sources = hub.settings.sources
    sources["twilio"] = sources["twilio"].model_copy(update={"region": "AT"})
    sources["shopify"] = sources["shopify"].model_copy(update={"region": "US"})
    (hit,) = found(hub, "0664 5550142").items
    assert (hit.person, hit.reason) == (account, "phone")
    assert found(hub, "0664 5550142", region="DE").items == []


def test_receipts_of_one_number_are_all_found(hub: Hub) -> None:
    with writing(hub) as write:
        first = write.sale(1, "7001", CARD)
        second = write.sale(1, "7002", MAIL)
    hits = found(hub, "R1")
    assert {(hit.person, hit.reason) for hit in hits.items} == {
        (first, "number"),
        (second, "number"),
    }
    assert [hit.person for hit in found(hub, "R1", "7002").items] == [second]


@pytest.mark.parametrize("people", [HITS_MAX, HITS_MAX + 1, 600])
def test_a_name_of_many_shows_some_and_says_that_there_are_more(hub: Hub, people: int) -> None:
    with writing(hub) as write:
        for number in range(people):
            write.account(number + 1, NAME, Claim("email", f"{number}@example.org"))
    with statements(hub) as asked:
        hits = found(hub, " QUAXMARQ ")
    assert len(hits.items) == HITS_MAX
    assert hits.more is (people > HITS_MAX)
    assert hits.by == "name"
    # The work goes by what is shown, not by how many there are.
    assert len(asked) < 10 * HITS_MAX


def test_what_goes_round_among_thousands_is_not_followed_any_further(hub: Hub) -> None:
    with writing(hub) as write:
        for number in range(5_100):
            write.sale(number, "7001", CARD)
    with statements(hub) as asked:
        hits = found(hub, CARD.value)
    assert (len(hits.items), hits.more) == (1, True)
    assert len(asked) < 100
    person = shown(hub, hits.items[0].person, limit=10)
    assert person.whole is False
    assert person.documents <= FACTS_MAX + 2


def test_what_leads_to_thousands_is_looked_at_once(hub: Hub) -> None:
    with writing(hub) as write:
        for number in range(5_100):
            write.sale(number, "7001", MAIL)
        for number in range(5_100, 5_110):
            write.sale(number, "7001", MAIL, PHONE)
    hits = found(hub, PHONE.value)
    assert (len(hits.items), hits.more) == (1, True)


def test_a_page_of_a_long_story_reads_the_bodies_of_that_page(hub: Hub) -> None:
    with writing(hub) as write:
        sales = [write.sale(number, "7001", CARD) for number in range(2_000)]
    read: list[str] = []
    cursor: str | None = None
    while True:
        with statements(hub) as asked:
            person = shown(hub, sales[7], limit=600, cursor=cursor)
        bodies = [p for s, p in asked if "document.body" in s.partition("FROM")[0].split("(")[0]]
        assert sum(map(len, bodies)) == len(person.story)
        read += facts(person)
        cursor = person.next
        if cursor is None:
            break
    assert read == sales[::-1]
    assert person.documents == 2_000


@pytest.mark.parametrize(
    "cursor", ["", "x", "e30", "WzFd", "WzEsMl0", "bnVsbA", "[1,2]", "é", "W1tdLFtdXQ", "A" * 1001]
)
def test_what_is_no_cursor_is_refused(hub: Hub, cursor: str) -> None:
    with writing(hub) as write:
        account = write.account(8, MAIL)
    with pytest.raises(Refused):
        shown(hub, account, cursor=cursor)


def test_a_key_of_a_store_sees_its_documents_and_those_of_none(hub: Hub) -> None:
    with writing(hub) as write:
        mine = write.sale(1, "7001", CARD)
        theirs = write.sale(2, "7002", CARD, PHONE)
        account = write.account(8, CARD)
        order = write.order(5, None, CARD)
        elsewhere = write.order(6, "7002", CARD)
        refund = write.refund(6)
        visit = {"system": "web", "kind": "visit", "store": "7002"}
        write.document("web:1", "Interaction", visit, CARD)
    whole, narrow = shown(hub, account), shown(hub, account, "7001")
    assert (whole.documents, whole.elsewhere) == (7, 0)
    assert (narrow.documents, narrow.elsewhere) == (3, 4)
    assert set(facts(narrow)) == {mine, account, order}
    # What only another store's sale says of them is not told either.
    assert {each.kind for each in whole.identifiers} == {"customer", "loyalty", "phone"}
    assert {each.kind for each in narrow.identifiers} == {"customer", "loyalty"}
    assert found(hub, PHONE.value, "7001").items == []
    assert found(hub, CARD.value, "7001").items[0].documents == 3
    with hub.engine.begin() as connection:
        listed = finding.orders(connection, stores=("7001",))
    assert [row["fact"] for row in listed] == [order]
    for hidden in (theirs, elsewhere, refund, "web:1"):
        with pytest.raises(Rejected):
            shown(hub, hidden, "7001")


def test_nothing_reads_a_whole_table(hub: Hub) -> None:
    with writing(hub) as write:
        account = write.account(8, CARD, MAIL, PHONE, NAME)
        write.sale(1, "7001", CARD)
        write.order(5, None, MAIL, NAME)
        write.refund(5)
    with statements(hub) as asked:
        for text in (CARD.value, MAIL.value, PHONE.value, "#5", "R1", "8", "quaxmarq", "nobody x"):
            for stores in ((), ("7001",)):
                found(hub, text, *stores)
        shown(hub, account, "7001")
        shown(hub, account, reveal=True, cursor=None, limit=1)
    engine = hub.reader()
    with engine.begin() as connection:
        for statement, parameters in set(asked):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [row[3] for row in plan]
            # Locations are some hundreds, and all of them say which phones are nobody's.
            scans = [s for s in steps if s.startswith("SCAN") and s != "SCAN location"]
            assert not scans, statement
    engine.dispose()
    assert len({statement for statement, _ in asked}) > 10
