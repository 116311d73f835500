"""Poison: messages that nobody can apply, among tills and orders that go on.

The ledger is the generator's own: it knows which messages are poison, and which ones are about an
order whose poison came before. Those wait, nothing else does; mended and released, all are applied.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from hub import bootstrap, edit, holds
from hub.authoring import draft as drafts
from hub.authoring import publishing
from hub.bootstrap import Hub
from hub.demo import day, poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Receipt
from hub.door import take_in
from hub.home import Home
from hub.settle import settle_pending
from hub.store.tables import document, hold, message

__all__ = ["KINDS", "Outcome", "poisoned", "suffered"]

KINDS = ("malformed", "no total", "no version", "conflict", "unreadable order")
"""What cannot be parsed, lacks its money, cannot be told from other versions, contradicts what came
before, and an order that its mapping cannot read: the one that others wait behind.
"""
_SEED = 12
_RECORD = 100
_EVERY = 10
"""One in ten tills and orders is poisoned once."""
_MENDED = "extends: shopify.order\nrules:\n  total: subtotal_price\n"
_BEFORE = ("subtotal_price", "total_price")


@dataclass(slots=True)
class Sent:
    """A message as the generator sends it, and what is to become of it."""

    source: str
    subject: str
    content: bytes
    poison: str | None = None
    waits: bool = False
    mended: bytes | None = None
    total: Decimal = Decimal(0)
    """What it adds to the revenue of the tills once all is mended."""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Messages against the ledger: of another state than it says before the release, not applied
    after it, and how far the money is off. ``poisons`` and ``waited`` count what there was.
    """

    messages: int
    subjects: int
    poisons: dict[str, int] = field(hash=False)
    waited: int
    astray: int
    unapplied: int
    revenue_off: Decimal

    @property
    def well(self) -> bool:
        """Whether everything is as the ledger says."""
        return not (self.astray or self.unapplied or self.revenue_off)


def _till(number: int, sales: int) -> Iterator[Sent]:
    """The sales of one till; of every tenth one is poison."""
    kinds = (*KINDS[:2], KINDS[3])
    kind = kinds[number // _EVERY % len(kinds)] if number % _EVERY == 0 else None
    struck = number % sales
    for sequence in range(1, sales + 1):
        drawn = till.sale(number * sales + sequence, seed=_SEED, lines=2)
        sale = replace(drawn, till=str(number + 1), sequence=sequence, loyalty=None)
        whole = poslog_writer.transaction(sale, detail="lean")
        one = Sent("poslog", f"till {number}", whole, total=sale.total)
        if sequence - 1 != struck or kind is None:
            yield one
        elif kind == "conflict":
            yield replace(one, total=Decimal(0))
            yield _altered(one, sale)
        elif kind == "no total":
            broken = poslog_writer.without_total(sale)
            yield replace(one, content=broken, poison=kind, mended=whole)
        else:
            broken = whole.replace(b"</BusinessDayDate>", b"</Day>")
            yield replace(one, content=broken, poison=kind, mended=whole)


def _altered(one: Sent, sale: Receipt) -> Sent:
    """The same sale once more with other content, which is to stand in the end."""
    other = day.altered(sale)
    content = poslog_writer.transaction(other, detail="lean")
    return replace(one, content=content, poison="conflict", total=other.total)


def _order(number: int, placed: shop.Order, versions: int) -> Iterator[Sent]:
    """The versions of one order and a refund; what comes after an unreadable one waits."""
    body = json.loads(shop_writer.order(placed))
    poisoned, behind = number % _EVERY == 0, False
    kind = (KINDS[4] if number // _EVERY % 2 == 0 else KINDS[2]) if poisoned else None
    struck = number // _EVERY % max(versions - 1, 1)
    for version in range(versions):
        said = {**body, "updated_at": f"2026-04-{1 + version // 24:02}T{version % 24:02}:00:00Z"}
        whole = json.dumps(said).encode()
        one = Sent("shopify", f"order {number}", whole, waits=behind)
        # An order that cannot be told from others keeps nobody waiting, so it is the last one.
        if kind == KINDS[4] and version == struck:
            behind = True
            broken = json.dumps({**said, _BEFORE[1]: "a lot"}).encode()
            yield replace(one, content=broken, poison=kind)
        elif kind == KINDS[2] and version == versions - 1:
            broken = json.dumps({n: v for n, v in said.items() if n != "updated_at"}).encode()
            yield replace(one, content=broken, poison=kind, mended=whole)
        else:
            yield one
    yield Sent("shopify", f"order {number}", shop_writer.refund(shop.refund(placed)), waits=behind)


def _ledger(messages: int, subjects: int) -> list[Sent]:
    """As many messages of as many tills as orders, all of them going on at the same time."""
    each = max(2, messages // (2 * subjects))
    lanes = [
        lane
        for number, placed in enumerate(shop.orders(subjects, seed=_SEED))
        for lane in (list(_till(number, each)), list(_order(number, placed, each - 1)))
    ]
    longest = max(map(len, lanes))
    return [lane[turn] for turn in range(longest) for lane in lanes if turn < len(lane)]


def _send(hub: Hub, ledger: list[Sent]) -> None:
    for start in range(0, len(ledger), _RECORD):
        for source in ("poslog", "shopify"):
            some = [one for one in ledger[start : start + _RECORD] if one.source == source]
            if some:
                _take_in(hub, source, some)
        settle_pending(hub.engine, hub.bus, hub.translator, hub.now)


def _take_in(hub: Hub, source: str, some: list[Sent]) -> None:
    pieces = [one.content for one in some]
    if source == "poslog":
        content = b"".join(poslog_writer.document(pieces, dialect="v2"))
    else:
        content = b"\n".join(pieces)
    with hub.engine.begin() as connection:
        door = hub.door(source)
        taken = take_in(connection, door, [content], name=f"{source}.txt", now=hub.now())
        found = select(message.c.id).where(message.c.record_id == taken.record)
        numbers = list(connection.scalars(found.order_by(message.c.position)))
    for one, number in zip(some, numbers, strict=True):
        one.number = number


def _states(hub: Hub) -> dict[int, tuple[str, bool]]:
    """What became of each message, and whether it waits behind another one."""
    columns = (message.c.id, message.c.state, hold.c.waits_on)
    with hub.engine.begin() as connection:
        rows = connection.execute(select(*columns).outerjoin_from(message, hold)).all()
    return {number: (state, waits_on is not None) for number, state, waits_on in rows}


def _release(hub: Hub, ledger: list[Sent]) -> None:
    """Mend each poison as a person would; what waits is left to follow by itself."""
    file = hub.home.mappings / "mended.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_MENDED)
    with hub.engine.begin() as connection:
        made = drafts.read(file, hub.home)
        publishing.publish(connection, made, actor="ann", now=hub.now())
    by = {kind: [one for one in ledger if one.poison == kind] for kind in KINDS}
    holds.release(hub, [one.number for one in by["unreadable order"]], actor="ann")
    holds.release(hub, [one.number for one in by["conflict"]], actor="ann", replace=True)
    for kind in ("malformed", "no total", "no version"):
        for one in by[kind]:
            assert one.mended is not None
            edit.edit(hub, one.number, one.mended, actor="ann", reason="mended")


def poisoned(hub: Hub, messages: int, subjects: int) -> Outcome:
    """Send everything, compare with the ledger, mend, and compare again."""
    ledger = _ledger(messages, subjects)
    _send(hub, ledger)
    before = _states(hub)
    astray = sum(before[one.number] != _expected(one) for one in ledger)
    _release(hub, ledger)
    after = _states(hub)
    with hub.engine.begin() as connection:
        revenue = document.c.revenue
        texts = connection.scalars(select(revenue).where(revenue.is_not(None))).all()
        facts = connection.scalar(select(func.count()).select_from(document))
    counts = Counter(one.poison for one in ledger if one.poison)
    things = len({one.subject for one in ledger})
    sold = sum((one.total for one in ledger), Decimal(0))
    assert facts is not None
    return Outcome(
        messages=len(ledger),
        subjects=things,
        poisons=dict(counts),
        waited=sum(one.waits for one in ledger),
        astray=astray,
        unapplied=sum(after[one.number][0] != "applied" for one in ledger),
        revenue_off=sum(map(Decimal, texts), Decimal(0)) - sold,
    )


def _expected(one: Sent) -> tuple[str, bool]:
    return ("held" if one.poison or one.waits else "applied", one.waits)


def suffered(messages: int, subjects: int) -> Outcome:
    """The same on a home of its own."""
    with TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        bootstrap.create(home)
        with bootstrap.open_hub(home) as hub:
            return poisoned(hub, messages, subjects)
