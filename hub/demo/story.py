"""The story of an invented day, played on a stage and checked act by act.

What must come of it is known beforehand: the book of what was sent is the oracle, never the hub's
own tables.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.demo import day as days
from hub.demo import shop_writer
from hub.demo.day import SHOPPER, STORES, Book, Day, fact
from hub.demo.desk import Desk, comes
from hub.demo.receipt import Control, Receipt
from hub.demo.retailer import CATALOGUE, NEW_YORK, VIENNA, Store
from hub.demo.stage import Stage
from hub.demo.webhook import Webhook, call_fact, event_fact

__all__ = ["Act", "Check", "play"]

_TILL_CUT = "8"
_TILL_KILLED = "9"
_CUT_SALES = 5
_KILLED_SALES = 12
_BEFORE_THE_KILL = 3
_CALL = "CAexample00000000000000000000004713"
_VISITOR = "example-visitor-4713"
_EVENTS_AT = "2026-03-02T09:{minute:02d}:00Z"
_TILLS = ("Transaction", "Control")
_TAKEN = 200
_TURNED_AWAY = 403


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must be so at this point of the story. Sets are shown by their size."""

    what: str
    expected: object
    found: object

    @property
    def well(self) -> bool:
        """Whether the story went as written."""
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class Act:
    """A part of the story: what happened, and what was checked."""

    title: str
    checks: tuple[Check, ...]


@dataclass(slots=True)
class _Scene:
    """What all acts work with. The hub's key is another one after each of its starts."""

    stage: Stage
    day: Day
    desk: Desk
    book: Book = field(default_factory=Book)
    sent: list[Webhook] = field(default_factory=list)
    """What the shop and the others sent that is to be sent again."""

    def send(self, webhook: Webhook) -> int:
        """Send a webhook, which is remembered if it is taken."""
        status = self.desk.send(webhook)
        if status == _TAKEN:
            self.sent.append(webhook)
        return status


def play(stage: Stage) -> Iterator[Act]:
    """Play the day; what it starts is left running.

    Raises ``Unavailable`` if a program does not start or the hub does not answer.
    """
    stage.start_hub()
    scene = _Scene(stage, days.invent(), stage.place.desk())
    acts = (_open, _two_stores, _web_shop, _one_person, _again, _cut, _killed, _decided, _whole)
    for act in acts:
        yield act(scene)
        stage.check()
    scene.desk.close()


def _open(scene: _Scene) -> Act:
    desk = scene.desk
    columns = ("system", "store", "name", "zone", "currency", "phones", "mail_domains")
    places = (
        ("poslog", s.number, s.name, s.zone, s.currency, s.phone, s.mail_domain) for s in STORES
    )
    articles = ((a.sku, a.name, a.department, a.gtin, a.sku, "shopify") for a in CATALOGUE)
    stores = desk.load("locations", _table(columns, places))
    items = desk.load(
        "items", _table(("item", "name", "category", "gtin", "sku", "system"), articles)
    )
    for store in STORES:
        key = desk.key(store.number)
        scene.stage.furnish_agent(store.number, address=scene.stage.address, key=key)
        scene.stage.start_agent(store.number)
    return Act(
        "A hub and the agents of two stores are up",
        (Check("stores", len(STORES), stores), Check("items", len(CATALOGUE), items)),
    )


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _two_stores(scene: _Scene) -> Act:
    place, day, book = scene.stage.place, scene.day, scene.book
    vienna, new_york = (day.rolls[store.number] for store in STORES)
    book.entries += [e for e in (*vienna, *new_york) if e is not day.broken]
    half = len(vienna) // 2
    place.drop(VIENNA.number, "morning.xml", days.file(vienna[:half]))
    place.drop(VIENNA.number, "evening.xml", days.file(vienna[half:]))
    whole = days.file(new_york, broken=day.broken)
    with (place.till(NEW_YORK.number) / "day.xml").open("wb") as growing:
        # Cut in the middle of a sale, as a till's own buffer cuts it.
        growing.write(whole[: len(whole) // 2])
        growing.flush()
        time.sleep(0.5)
        growing.write(whole[len(whole) // 2 :])
    facts = comes(lambda: scene.desk.facts(*_TILLS), book.facts())
    return Act(
        "Two stores send their day; one sale lost its total on the way",
        (
            Check("receipts and till events", book.facts(), facts),
            Check("held", 1, len(scene.desk.held())),
            Check("revenue", book.ledger().totals, scene.desk.revenue()),
            Check("that do not balance", 0, scene.desk.flagged()),
        ),
    )


def _web_shop(scene: _Scene) -> Act:
    desk, place, day, book = scene.desk, scene.stage.place, scene.day, scene.book
    refund, order = day.refund, day.refund.order
    forged = desk.send(Webhook("/webhooks/shopify", shop_writer.order(order), {}))
    scene.send(place.shop(shop_writer.refund(refund), "refund-1"))
    book.refunds.append(refund)
    comes(lambda: desk.knows("orders", fact(refund)), expected=True)
    early = [link["arrived"] for link in desk.document("orders", fact(refund))["to"]]
    for each in day.orders:
        scene.send(place.shop(shop_writer.order(each), f"order-{each.number}"))
        book.orders.append(each)
    later = shop_writer.order(order, refunds=(refund,))
    scene.send(place.shop(later, "order-updated"))
    version = _version(desk, order)
    # A retry of hours ago, which the shop numbers anew.
    desk.send(place.shop(shop_writer.order(order), "order-retried"))
    orders = comes(lambda: desk.facts("Order", "Reversal"), _of(book, "shopify"))
    shown = desk.document("orders", fact(order))
    reversals = [link["other"] for link in shown["by"]]
    origins = {each["path"]: each["source"] for each in desk.origins(fact(order))}
    return Act(
        "The shop sends a refund, then its order, then a retry out of date",
        (
            Check("orders and refunds", _of(book, "shopify"), orders),
            Check("the refund waited for its order", expected=True, found=early == [False]),
            Check("and found it", expected=True, found=fact(refund) in reversals),
            Check("the retry changed nothing", expected=True, found=version == shown["version"]),
            Check("without a signature", _TURNED_AWAY, forged),
            Check("total of an order", str(order.total), shown["body"]["total"]),
            Check("read from", "total_price", origins.get("total")),
        ),
    )


def _version(desk: Desk, order: Any) -> str:
    desk.export()
    return str(desk.document("orders", fact(order))["version"])


def _of(book: Book, system: str) -> set[str]:
    return {each for each in book.facts() if each.startswith(f"{system}:")}


def _one_person(scene: _Scene) -> Act:
    desk, place, day, book = scene.desk, scene.stage.place, scene.day, scene.book
    account = json.loads(shop_writer.customer(SHOPPER))["id"]
    told: list[tuple[str, dict[str, object]]] = [
        ("web.visit", {"visitor": _VISITOR, "landing": "/?utm_campaign=example-spring"}),
        (
            "web.login",
            {"visitor": _VISITOR, "customer": {"id": str(account), "system": "shopify"}},
        ),
        (
            "campaign.answered",
            {"email": SHOPPER.email, "campaign": "example-spring", "outcome": "yes"},
        ),
    ]
    scene.send(place.call(_CALL, SHOPPER.phone))
    for number, (kind, data) in enumerate(told, 1):
        at = _EVENTS_AT.format(minute=number)
        scene.send(place.event(f"event-{number}", kind, data, at))
    scene.send(place.shop(days.account(SHOPPER), "account-1"))
    scene.send(place.shop(shop_writer.order(day.bought), f"order-{day.bought.number}"))
    book.orders.append(day.bought)
    theirs = {f"shopify:customer/{account}", call_fact(_CALL)}
    theirs |= {event_fact(f"event-{number}") for number in range(1, len(told) + 1)}
    book.others |= theirs
    story = theirs | {fact(day.bought), fact(day.known)}
    comes(desk.facts, book.facts())
    ways = {
        "card": SHOPPER.card,
        "phone": SHOPPER.phone,
        "mail": SHOPPER.email,
        "order": f"#{day.bought.number}",
        "receipt": fact(day.known),
    }
    found = {way: desk.people(text) for way, text in ways.items()}
    people = {person for each in found.values() for person in each}
    person = desk.person(next(iter(people))) if people else {"story": []}
    said = json.dumps(person)
    secrets = (SHOPPER.card, SHOPPER.email, SHOPPER.family_name, SHOPPER.phone[-4:])
    return Act(
        "Somebody calls who was at a till, in the shop and on the site",
        (
            Check("found by " + ", ".join(ways), expected=True, found=all(found.values())),
            Check("people", 1, len(people)),
            Check("events of their story", story, {each["fact"] for each in person["story"]}),
            Check("masked", expected=True, found=not any(each in said for each in secrets)),
        ),
    )


def _again(scene: _Scene) -> Act:
    desk, day, book = scene.desk, scene.day, scene.book
    before = desk.export()
    states: Counter[str] = Counter()
    for number, roll in day.rolls.items():
        whole = days.file([e for e in roll if e is not day.broken])
        states.update(desk.record("poslog", whole, name=f"{number}-again.xml"))
    answers = Counter(desk.send(webhook) for webhook in scene.sent)
    after = desk.export()
    entries = sum(len(roll) for roll in day.rolls.values()) - 1
    return Act(
        "Everybody sends everything again, the tills through another door",
        (
            Check("receipts and till events", {"duplicate": entries}, dict(states)),
            Check("webhooks", len(scene.sent), answers[_TAKEN]),
            Check("the export is the same, byte for byte", expected=True, found=before == after),
            Check("revenue", book.ledger().totals, desk.revenue()),
        ),
    )


def _cut(scene: _Scene) -> Act:
    desk, place, book = scene.desk, scene.stage.place, scene.book
    scene.stage.stop_agent(NEW_YORK.number)
    sales = _ring_up(NEW_YORK, _CUT_SALES, at=_TILL_CUT)
    for sale in sales:
        place.drop(NEW_YORK.number, _file_name(sale), days.file([sale]))
    names = [fact(sale) for sale in sales]
    meanwhile = desk.facts() & set(names)
    book.entries += sales
    scene.stage.start_agent(NEW_YORK.number)
    facts = comes(lambda: desk.facts(*_TILLS), _of(book, "poslog"))
    arrived = [each["fact"] for each in desk.messages(source="poslog")]
    came = [each for each in arrived if each in names]
    return Act(
        "A store's link is cut; it goes on selling; the link is mended",
        (
            Check("at the hub meanwhile", set(), meanwhile),
            Check("and afterwards", set(names), facts & set(names)),
            Check("in their order", expected=True, found=names == came),
        ),
    )


def _killed(scene: _Scene) -> Act:
    """Sales and orders come in, and the hub dies in the middle of it."""
    place, book = scene.stage.place, scene.book
    sales = _ring_up(VIENNA, _KILLED_SALES, at=_TILL_KILLED)
    orders = days.late_orders()
    webhooks = [place.shop(shop_writer.order(each), f"order-{each.number}") for each in orders]
    refused = []
    for number, (sale, webhook) in enumerate(zip(sales, _spread(webhooks, sales), strict=True)):
        place.drop(VIENNA.number, _file_name(sale), days.file([sale]))
        if webhook is not None and scene.desk.send(webhook) != _TAKEN:
            refused.append(webhook)
        if number == 0:
            # From now on the agent is at work on them.
            comes(lambda: scene.desk.knows("transactions", fact(sales[0])), expected=True)
        if number == _BEFORE_THE_KILL:
            # What was answered a moment ago is on the disk, or lost.
            scene.stage.kill_hub()
    book.entries += sales
    book.orders += orders
    scene.desk.close()
    scene.stage.start_hub()
    scene.desk = scene.stage.place.desk()
    kept = scene.desk.facts("Order") & {fact(each) for each in orders}
    answered = {fact(o) for o, w in zip(orders, webhooks, strict=True) if w not in refused}
    again = Counter(scene.desk.send(webhook) for webhook in refused)
    facts = comes(scene.desk.facts, book.facts())
    return Act(
        "The hub is killed while sales and orders come in",
        (
            Check("orders it had answered, kept", answered, kept),
            Check("the others, sent again", len(refused), again[_TAKEN]),
            Check("facts in all", book.facts(), facts),
            Check("revenue", book.ledger().totals, scene.desk.revenue()),
        ),
    )


def _spread(webhooks: list[Webhook], sales: Iterable[Receipt]) -> Iterator[Webhook | None]:
    """The webhooks one by one beside the sales, and nothing beside those that are left."""
    waiting = iter(webhooks)
    return (next(waiting, None) for _ in sales)


def _decided(scene: _Scene) -> Act:
    desk, place, day, book = scene.desk, scene.stage.place, scene.day, scene.book
    held = sorted(desk.held())
    book.entries.append(day.broken)
    place.drop(NEW_YORK.number, "mended.xml", days.file([day.broken]))
    comes(lambda: desk.knows("transactions", fact(day.broken)), expected=True)
    for message in held[:1]:
        desk.discard(message, "the till sent it again, whole")
    place.drop(NEW_YORK.number, "changed.xml", days.file([days.altered(day.changed)]))
    left = comes(lambda: len(desk.held()), 1)
    return Act(
        "The broken sale comes again, whole; another one with other content",
        (
            Check("held for a person to decide", 1, left),
            Check("revenue", book.ledger().totals, desk.revenue()),
        ),
    )


def _whole(scene: _Scene) -> Act:
    desk, book = scene.desk, scene.book
    found = desk.export().splitlines()
    facts = Counter(json.loads(line)["fact"] for line in found)
    return Act(
        "The whole day",
        (
            Check("facts", book.facts(), set(facts)),
            Check("that came twice", 0, sum(count - 1 for count in facts.values())),
            Check("numbers of tills missing", 0, desk.gaps()),
            Check("revenue", book.ledger().totals, desk.revenue()),
        ),
    )


def _ring_up(store: Store, count: int, *, at: str) -> list[Receipt]:
    return [days.ring_up(store, number, at=at) for number in range(1, count + 1)]


def _file_name(sale: Receipt | Control) -> str:
    return f"till-{sale.till}-{sale.sequence:04d}.xml"
