"""Two systems that tell each other through the hub: what one of them says goes round once.

Each has a door and a destination of its own. Whatever it is told it writes in its own format and
sends in as its own, as a till system does that takes sales of another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from hub.bootstrap import Hub
from hub.delivery.sender import Sender
from hub.store.tables import message
from hub.writer import writing
from tests.hub.delivery.conftest import Opening, received, told
from tests.hub.delivery.receiver import Receiver, receiving

pytestmark = pytest.mark.databases

Sale = dict[str, Any]
SALE: Sale = {"store": "501", "workstation": "3", "sequence": "101", "business_date": "2031-05-06"}
ROUNDS_MAX = 5


def as_poslog(sale: Sale) -> bytes:
    """The sale as the tills of the north write it."""
    return f"""<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/"><Transaction>
    <RetailStoreID>{sale["store"]}</RetailStoreID>
    <WorkstationID>{sale["workstation"]}</WorkstationID>
    <SequenceNumber>{sale["sequence"]}</SequenceNumber>
    <BusinessDayDate>{sale["business_date"]}</BusinessDayDate>
    <EndDateTime>{sale["business_date"]}T10:15:00</EndDateTime>
    <CurrencyCode>EUR</CurrencyCode>
    <RetailTransaction Version="2.1">
      <LineItem><SequenceNumber>1</SequenceNumber><Sale ItemType="Stock">
        <ItemID>A-100</ItemID><ExtendedAmount>3.20</ExtendedAmount><Quantity>1</Quantity>
      </Sale></LineItem>
      <LineItem><SequenceNumber>2</SequenceNumber><Tender TenderType="Cash" TypeCode="Sale">
        <Amount>3.20</Amount>
      </Tender></LineItem>
      <Total TotalType="TransactionGrandAmount">3.20</Total>
    </RetailTransaction>
    </Transaction></POSLog>""".encode()


COLUMNS = (
    "Art;Filiale;Kasse;Buchungstag;Bon;Zeit;Kassierer;Pos;Typ;Artikel;GTIN;Bezeichnung;Menge;"
    "Preis;Rabatt;Betrag;MwSt;Zahlart;Kartennummer;Kunde;Zeilen"
)


def as_csv(sale: Sale) -> bytes:
    """The sale as the tills of the south write it."""
    day = date.fromisoformat(sale["business_date"]).strftime("%d.%m.%Y")
    head = f"K;{sale['store']};{sale['workstation']};{day};{sale['sequence']};{day} 10:15:00"
    lines = (
        COLUMNS,
        f"{head};31;;;;;;;;;;;;;;",
        "A;;;;;;;1;VK;A-100;;Tee;1;3,20;;3,20;20;;;;",
        "Z;;;;;;;2;;;;;;;;3,20;;BAR;;;",
        "S;;;;;;;;;;;;;;;3,20;;;;;2",
    )
    return "\n".join((*lines, "")).encode("latin-1")


FORMATS: dict[str, tuple[str, Callable[[Sale], bytes]]] = {
    "north": ("poslog", as_poslog),
    "south": ("layout", as_csv),
}


@dataclass
class Ring:
    """A hub with both systems; a system may number anew what it is told."""

    hub: Hub
    receivers: dict[str, Receiver]
    stack: ExitStack
    anew: bool = False

    def goes_round(self) -> int:
        """Send what is due, and send in what each system makes of it; says how often there was."""
        answered = dict.fromkeys(self.receivers, 0)
        for number in range(ROUNDS_MAX):
            self._send()
            heard = False
            for name, receiver in self.receivers.items():
                fresh = receiver.calls[answered[name] :]
                answered[name] += len(fresh)
                heard = heard or bool(fresh)
                source, write = FORMATS[name]
                for call in fresh:
                    sale = json.loads(call.body)["data"]["document"]
                    if self.anew:
                        sale["sequence"] = str(int(sale["sequence"]) + 1)
                    received(self.hub, write(sale), source=source)
            if not heard:
                return number
        return ROUNDS_MAX

    def _send(self) -> None:
        with writing(self.hub) as writer:
            for name in self.receivers:
                to = self.hub.settings.destinations[name]
                readers = self.hub.reader()
                self.stack.callback(readers.dispose)
                while Sender(writer, readers, name, to, dice=Random(1)).round():
                    pass


@pytest.fixture
def ring(opening: Opening) -> Iterator[Ring]:
    with ExitStack() as stack:
        receivers = {name: stack.enter_context(receiving()) for name in FORMATS}
        hub = opening(
            **{
                name: {"url": each.url, "allow_private": True, "system": FORMATS[name][0]}
                for name, each in receivers.items()
            }
        )
        yield Ring(hub, receivers, stack)


def test_what_one_system_says_goes_round_once(ring: Ring) -> None:
    received(ring.hub, as_poslog(SALE), source="poslog")
    assert ring.goes_round() == 2
    # The south is told of the sale, and the north of what the south made of it; that is all.
    day = "501/3/2031-05-06/101"
    assert told(ring.hub, "destination", "subject", "state") == [
        ("south", f"poslog:{day}", "delivered"),
        ("north", f"layout:{day}", "delivered"),
    ]
    assert [len(each.calls) for each in ring.receivers.values()] == [1, 1]
    # What the north sent in again is known, and no conflict that waits for a person.
    with ring.hub.engine.begin() as connection:
        states = list(connection.scalars(select(message.c.state).order_by(message.c.id)))
    assert states == ["applied", "applied", "duplicate"]


def test_systems_that_number_anew_what_they_are_told_go_on(ring: Ring) -> None:
    """The ring is one: nothing but the name of a thing ends it."""
    ring.anew = True
    received(ring.hub, as_poslog(SALE), source="poslog")
    assert ring.goes_round() == ROUNDS_MAX
    assert len(told(ring.hub, "key")) == ROUNDS_MAX + 1
