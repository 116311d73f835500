"""What sales in bulk are made of: each basket with each kind of customer, as the live path has it.

What a sale has for itself (its number, its clock, its customer) is put into the places where the
form has the like of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from sqlalchemy import Connection, Table, select

from bench import mix
from bench.disk import disk
from bench.sale import SEED
from connectors.api import Name
from hub.bootstrap import Hub
from hub.demo import poslog_writer, till
from hub.demo.receipt import Loyalty, Receipt
from hub.demo.retailer import NEW_YORK
from hub.journal import STORED, stored
from hub.naming import business_hash
from hub.receive import receive
from hub.store.tables import claim, document, message, record, transaction_index

__all__ = ["BASKETS", "SOURCE", "Filled", "Forms", "forms", "receive_as", "text_of"]

BASKETS = 500
"""So many baskets there are, of ten lines each."""
SOURCE = "poslog"

_CARD_WIDTH = 25
_HASH = list(document.c).index(document.c.business_hash)
_NUMBER = list(transaction_index.c).index(transaction_index.c.sequence_number)

Shown = Literal["nobody", "no card", "walk-in card", "member"]
"""What the customer shows at the till: each kind is written in a form of its own."""

_CARD, _HOUSEHOLD = "8642097531", "7531086429"
_BLANKS: dict[Shown, Loyalty | None] = {
    "nobody": None,
    "no card": Loyalty("0"),
    "walk-in card": Loyalty(_CARD),
    "member": Loyalty(_CARD, _HOUSEHOLD),
}
_TILL, _SEQUENCE = "T1LL", 900_000_000
_AT = datetime(2099, 8, 9, 21, 43, 57)  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a form: what is the same of all its sales, and which columns name the sale."""

    values: tuple[Any, ...]
    texts: tuple[tuple[int, str], ...] = ()

    def filled(self, said: dict[str, Any]) -> list[Any]:
        row = list(self.values)
        for place, text in self.texts:
            row[place] = text % said
        return row


@dataclass(frozen=True, slots=True)
class _Form:
    """A basket as one kind of customer buys it: its text, its content, and its rows."""

    payload: str
    content: str
    content_version: int
    message: _Row
    document: _Row
    index: _Row
    claims: tuple[_Row, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """A sale as it stands in the journal, and its rows but for what the journal numbers."""

    payload: bytes
    message: list[Any]
    document: list[Any]
    index: list[Any]
    claims: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Forms:
    """What sales are made of. ``record`` is that of the file which all of them came in."""

    record: dict[str, Any]
    made: dict[tuple[int, Shown], _Form]

    @property
    def baskets(self) -> int:
        """How many baskets there are."""
        return len(self.made) // len(_BLANKS)

    def receipt(self, index: int) -> Receipt:
        """The sale of that number as a till rings it up."""
        return replace(_basket(index % self.baskets), **_of_its_own(index))

    def filled(self, index: int) -> Filled:
        """The sale of that number as the tables have it."""
        own = _of_its_own(index)
        form, said = self.made[index % self.baskets, _kind(own["loyalty"])], _said(own)
        name = Name("fact", (), (form.content % said).encode(), form.content_version)
        filled = Filled(
            (form.payload % said).encode(),
            form.message.filled(said),
            form.document.filled(said),
            form.index.filled(said),
            [row.filled(said) for row in form.claims],
        )
        filled.document[_HASH] = business_hash(name)
        filled.index[_NUMBER] = own["sequence"]
        return filled


def _basket(number: int) -> Receipt:
    return till.sale(number, seed=SEED, store=NEW_YORK)


def _of_its_own(index: int) -> dict[str, Any]:
    return {**till.numbered(index), "loyalty": mix.shown(mix.meant(index))}


def forms(scratch: Hub, baskets: int = BASKETS) -> Forms:
    """Have an empty hub take in every basket with every kind of customer, and read its rows."""
    blanks = {
        _SEQUENCE + number * len(_BLANKS) + kind: (number, shown)
        for number in range(baskets)
        for kind, shown in enumerate(_BLANKS)
    }
    receipts = (_blank(number, shown, sequence) for sequence, (number, shown) in blanks.items())
    receive_as(scratch, "blanks.xml", text_of(receipts))
    with scratch.engine.begin() as connection:
        held = connection.execute(select(record)).mappings().one()
        rows = connection.execute(STORED.order_by(message.c.id)).all()
        pairs = zip(blanks.items(), rows, strict=True)
        made = {name: _form(scratch, connection, row, sequence) for (sequence, name), row in pairs}
    return Forms(dict(held), made)


def _blank(number: int, shown: Shown, sequence: int) -> Receipt:
    return replace(
        _basket(number),
        till=_TILL,
        business_date=_AT.date(),
        sequence=sequence,
        at=_AT,
        loyalty=_BLANKS[shown],
    )


def _form(hub: Hub, connection: Connection, row: Any, sequence: int) -> _Form:
    kept = stored(connection, row)
    (named,) = hub.translator(connection, kept).named(kept)
    blank = _Blank(sequence)

    def rows(table: Table) -> list[_Row]:
        mine = select(table).where(table.c.fact == named.fact)
        return [blank.row(each) for each in connection.execute(mine)]

    (of_message,), (of_document,), (of_index,) = map(rows, (message, document, transaction_index))
    return _Form(
        blank.text(kept.said.decode()),
        blank.text(named.name.content.decode()),
        named.name.content_version,
        of_message,
        of_document,
        of_index,
        tuple(rows(claim)),
    )


class _Blank:
    """Finds in the rows of a form what its sales have each for themselves."""

    def __init__(self, sequence: int) -> None:
        self._names = {
            _AT.isoformat(): "at",
            _AT.date().isoformat(): "date",
            _TILL: "till",
            str(sequence): "sequence",
            _CARD.zfill(_CARD_WIDTH): "card_written",
            _CARD: "card",
            _HOUSEHOLD.zfill(_CARD_WIDTH): "household_written",
            _HOUSEHOLD: "household",
        }
        longest = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest)))

    def text(self, said: str) -> str:
        """The text with places to be filled in."""
        return self._pattern.sub(
            lambda found: f"%({self._names[found[0]]})s", said.replace("%", "%%")
        )

    def row(self, values: Iterable[Any]) -> _Row:
        """The row with places to be filled in."""
        found = tuple(values)
        named = (n for n, v in enumerate(found) if isinstance(v, str) and self._pattern.search(v))
        return _Row(found, tuple((n, self.text(found[n])) for n in named))


def _said(own: dict[str, Any]) -> dict[str, Any]:
    """What is put into the places of a form."""
    loyalty: Loyalty = own["loyalty"] or Loyalty("")
    return {
        "at": own["at"].isoformat(),
        "date": own["business_date"].isoformat(),
        "till": own["till"],
        "sequence": str(own["sequence"]),
        "card_written": loyalty.card.zfill(_CARD_WIDTH),
        "card": loyalty.card.lstrip("0"),
        "household_written": loyalty.household.zfill(_CARD_WIDTH),
        "household": loyalty.household,
    }


def text_of(receipts: Iterable[Receipt]) -> bytes:
    """The file in which a till writes them."""
    written = (poslog_writer.transaction(receipt, detail="lean") for receipt in receipts)
    return b"".join(poslog_writer.document(written, dialect="v2"))


def receive_as(hub: Hub, name: str, body: bytes) -> None:
    """Have a hub take in a file of sales, each of them new to it."""
    with TemporaryDirectory(dir=disk()) as folder:
        file = Path(folder) / name
        file.write_bytes(body)
        report = receive(hub, SOURCE, [file])
    if report.applied != report.messages:
        raise AssertionError(f"{report.applied} of {report.messages} applied: {report.problems}")


def _kind(loyalty: Loyalty | None) -> Shown:
    if loyalty is None:
        return "nobody"
    if not loyalty.card.strip("0"):
        return "no card"
    return "member" if loyalty.household else "walk-in card"
