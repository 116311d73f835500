"""A crowd of invented customers, their orders and their receipts, loaded in bulk.

The live path takes in one document of each form; all others are its rows with somebody else's
names and numbers put in. ``prove`` shows that these are the rows that the live path writes. They
come in random order, so that the indexes are as scattered as years make them.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, select

from bench.disk import disk
from bench.load import careless, write
from bench.sale import SEED
from hub import bootstrap
from hub.bootstrap import Hub
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Loyalty
from hub.demo.retailer import VIENNA, Person
from hub.home import Home
from hub.receive import receive
from hub.store.tables import claim, document, message, order_index, record, transaction_index

__all__ = ["FREQUENT_NAME", "Member", "crowd", "load", "prove"]

FREQUENT_NAME = "Mustermann"
"""One in 33 is called so; a family name of any other is that of two people."""

_REGULARS, _RECEIPTS = 100, 200
"""So many members come all the time, and have so many receipts each."""

_BLANK = 9_999_998
"""The number of whoever stands in the documents that all others are made from."""

_ACCOUNT, _ORDER_ID, _ORDER_NUMBER, _CARD = 8_400_000_000, 5_100_000_000, 5_000_000, 90_000_000
_REGULAR_SEQUENCE, _SEQUENCE = 100_000, 200_000
_ORDER = next(order for order in shop.orders(50, seed=SEED) if len(order.lines) == 3)
_RECEIPT = replace(till.sale(0, seed=SEED, store=VIENNA), till="1")
_SYLLABLES = ("ba", "be", "bi", "bo", "da", "de", "di", "do", "la", "le", "li", "lo", "ma", "me")

_TABLES = (record, message, document, transaction_index, order_index, claim)
_AT_ONCE = 100_000
_UNLIKE = frozenset(
    {"business_hash", "digest", "sha256", "payload", "length", "bytes", "offset"}
    | {"id", "record_id", "message_id", "name", "received_at", "settled_at"}
)
"""Columns that follow from the bytes or from the run. Nobody searches by them, so the bulk rows
have them as they are in the one document that they were made from."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the crowd: an account, and an order or receipts."""

    number: int

    @property
    def person(self) -> Person:
        """Names and numbers, the same for ever; one in ten has the phone of another one.

        There is no area code 200 and no exchange 000 in North America.
        """
        phone = self.number - (self.number % 10 == 9)
        given, family = self._names()
        return Person(
            number=self.number,
            given_name=given,
            family_name=family,
            email=f"shopper.{self.number}@example.org",
            phone=f"+1200{phone:07d}",
            street="1 Example Street",
            city="Sampletown",
            postal_code="00000",
            country="US",
            card=str(_CARD + self.number),
            household="",
        )

    def _names(self) -> tuple[str, str]:
        if self.number == _BLANK:
            return "Zyzy", "Qyqy"
        # No given name is a family name as well: it would claim less.
        given = _word(self.number % 150) + "n"
        return given, _word(self.number // 2) if self.number % 33 else FREQUENT_NAME

    @property
    def account(self) -> str:
        """The shop's own number."""
        return str(_ACCOUNT + self.number)

    @property
    def order(self) -> str | None:
        """The number of the order, where there is one; every other order was placed as a guest."""
        return f"#{_ORDER_NUMBER + self.number}" if self.number % 10 < 4 else None

    @property
    def receipt(self) -> str | None:
        """The number of a receipt on which the card stands, where there is one."""
        sequence = next(iter(self.sequences), None)
        return None if sequence is None else f"{_RECEIPT.till}{sequence:06d}"

    @property
    def regular(self) -> bool:
        """Whether this is one of the few who come all the time."""
        return self.number < _REGULARS

    @property
    def sequences(self) -> range:
        """Sequence numbers of the receipts."""
        if self.regular:
            first = _REGULAR_SEQUENCE + self.number * _RECEIPTS
            return range(first, first + _RECEIPTS)
        first = _SEQUENCE + self.number
        return range(first, first + (self.number % 10 > 3))


def crowd(n: int) -> list[Member]:
    """The first ``n`` of them; everyone has a number below a million."""
    return [Member(number) for number in range(n)]


def load(hub: Hub, members: Iterable[Member]) -> int:
    """Write the documents of all members into a hub that has none; give how many there are."""
    forms = _forms()
    pieces = _shuffled(members)
    with careless(hub.engine):
        for start in range(0, len(pieces), _AT_ONCE):
            rows: dict[str, list[dict[str, Any]]] = {table.name: [] for table in _TABLES}
            for number, piece in enumerate(pieces[start : start + _AT_ONCE], start=start + 1):
                for name, made in forms[piece.form].filled(piece, number).items():
                    rows[name] += made
            with hub.engine.begin() as connection:
                for table in _TABLES:
                    names = [column.name for column in table.c]
                    write(connection, table, [[r[n] for n in names] for r in rows[table.name]])
    return len(pieces)


def prove(members: Iterable[Member]) -> int:
    """Load members in bulk and by the live path; give how many documents were compared.

    Raises ``AssertionError`` if any row of theirs differs.
    """
    pieces = _shuffled(members)
    with _scratch() as live, _scratch() as bulk:
        _receive(live, pieces)
        load(bulk, {piece.member for piece in pieces})
        with live.engine.begin() as left, bulk.engine.begin() as right:
            for table in _TABLES:
                if _rows(left, table) != _rows(right, table):
                    raise AssertionError(f"rows of {table.name} differ from those of the live path")
    return len(pieces)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A document of a member; ``sequence`` tells receipts apart."""

    form: str
    member: Member
    sequence: int = 0

    @property
    def values(self) -> tuple[str, ...]:
        """Everything in any form that is this member's, in a fixed order."""
        person, number = self.member.person, self.member.number
        names = (person.given_name, person.family_name)
        return (
            *names,
            *map(str.casefold, names),
            person.email,
            person.phone,
            person.card,
            self.member.account,
            str(_ORDER_ID + number),
            str(_ORDER_NUMBER + number),
            str(self.sequence),
        )

    @property
    def body(self) -> bytes:
        """The document as its sender writes it."""
        return _FORMS[self.form][1](self)


def _shuffled(members: Iterable[Member]) -> list[_Piece]:
    pieces = [piece for member in members for piece in _pieces(member)]
    random.Random(SEED).shuffle(pieces)
    return pieces


def _pieces(member: Member) -> Iterator[_Piece]:
    yield _Piece("account", member)
    if member.order:
        yield _Piece("guest order" if member.number % 2 else "order", member)
    for sequence in member.sequences:
        yield _Piece("receipt", member, sequence)


def _account(piece: _Piece) -> bytes:
    body = json.loads(shop_writer.customer(piece.member.person))
    card = {"namespace": "crm", "key": "loyalty_card", "value": piece.member.person.card}
    return json.dumps({**body, "accepts_marketing": False, "metafields": [card]}).encode()


def _order(piece: _Piece) -> bytes:
    number = piece.member.number
    placed = replace(
        _ORDER,
        id=_ORDER_ID + number,
        number=_ORDER_NUMBER + number,
        person=piece.member.person,
        guest=piece.form == "guest order",
    )
    return shop_writer.order(placed)


def _receipt(piece: _Piece) -> bytes:
    loyalty = Loyalty(piece.member.person.card)
    receipt = replace(_RECEIPT, sequence=piece.sequence, loyalty=loyalty)
    written = poslog_writer.transaction(receipt, detail="lean")
    return b"".join(poslog_writer.document([written], dialect=VIENNA.dialect))


_FORMS: dict[str, tuple[str, Callable[[_Piece], bytes]]] = {
    "account": ("shopify", _account),
    "order": ("shopify", _order),
    "guest order": ("shopify", _order),
    "receipt": ("poslog", _receipt),
}
"""Through which source a document comes in, and who writes it."""


def _word(number: int) -> str:
    """A word of its own for each number."""
    word = ""
    while number or not word:
        number, rest = divmod(number, len(_SYLLABLES))
        word += _SYLLABLES[rest]
    return word.capitalize()


@dataclass(frozen=True, slots=True)
class _Form:
    """The rows of one document as text, and apart from that what is binary in them.

    Where the text has what is a member's, it has its place among ``_Piece.values``.
    """

    text: str
    binary: dict[str, dict[str, bytes]]

    def filled(self, piece: _Piece, number: int) -> dict[str, list[dict[str, Any]]]:
        """The rows of this form for a document that is the message of that number."""
        said = {str(place): value for place, value in enumerate(piece.values)}
        rows: dict[str, list[dict[str, Any]]] = json.loads(self.text % said)
        keys = {"record": {"id": number}, "message": {"id": number, "record_id": number}}
        keys["document"] = {"message_id": number}
        for name, more in keys.items():
            rows[name][0] |= more | self.binary.get(name, {})
        return rows


def _forms() -> dict[str, _Form]:
    blank = Member(_BLANK)
    made: dict[str, _Form] = {}
    for form in _FORMS:
        piece = _Piece(form, blank, _BLANK)
        with _scratch() as hub:
            _receive(hub, [piece])
            with hub.engine.begin() as connection:
                made[form] = _form(connection, piece)
    return made


def _form(connection: Connection, piece: _Piece) -> _Form:
    rows: dict[str, list[dict[str, Any]]] = {}
    binary: dict[str, dict[str, bytes]] = {}
    for table in _TABLES:
        rows[table.name] = [dict(row) for row in connection.execute(select(table)).mappings()]
        for row in rows[table.name]:
            packed = {name: value for name, value in row.items() if isinstance(value, bytes)}
            binary[table.name] = packed
            row.update(dict.fromkeys(packed))
    places = {value: place for place, value in reversed([*enumerate(piece.values)])}
    pattern = re.compile("|".join(map(re.escape, piece.values)))
    text = json.dumps(rows, ensure_ascii=False).replace("%", "%%")
    return _Form(pattern.sub(lambda found: f"%({places[found[0]]})s", text), binary)


@contextmanager
def _scratch() -> Iterator[Hub]:
    with TemporaryDirectory(dir=disk()) as folder:
        home = Home(Path(folder) / "home")
        bootstrap.create(home)
        with bootstrap.open_hub(home) as hub:
            yield hub


def _receive(hub: Hub, pieces: Iterable[_Piece]) -> None:
    """Take documents in as files, each a record of its own as a webhook is."""
    with TemporaryDirectory(dir=disk()) as folder:
        files: dict[str, list[Path]] = {}
        for number, piece in enumerate(pieces):
            file = Path(folder) / str(number)
            file.write_bytes(piece.body)
            files.setdefault(_FORMS[piece.form][0], []).append(file)
        for source, some in files.items():
            receive(hub, source, some)


def _rows(connection: Connection, table: Any) -> Counter[tuple[Any, ...]]:
    columns = [column for column in table.c if column.name not in _UNLIKE]
    return Counter(tuple(row) for row in connection.execute(select(*columns)))
