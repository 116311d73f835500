"""One person in three places: a till, the shop, and the shop again as a guest; one story."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Loyalty, Receipt
from hub.demo.retailer import NEW_YORK, person
from hub.home import Home
from hub.people import view
from hub.people.view import FoundPerson, Person
from hub.receive import receive
from tests import homes

MEMBER = next(e for e in till.day(NEW_YORK, seed=7) if isinstance(e, Receipt) and e.loyalty)
ORDERS = tuple(shop.orders(60, seed=7))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("people")
    made = homes.made(folder / "home")
    day, bodies = folder / "day.xml", []
    day.write_bytes(poslog_writer.day(NEW_YORK, seed=7))
    for order in ORDERS:
        bodies.append(folder / f"{order.number}.json")
        bodies[-1].write_bytes(shop_writer.order(order))
    bodies.append(folder / "refund.json")
    bodies[-1].write_bytes(shop_writer.refund(shop.refund(ORDERS[0])))
    bodies.append(folder / "customer.json")
    bodies[-1].write_bytes(shop_writer.customer(ORDERS[0].person))
    with bootstrap.open_hub(made) as hub:
        assert receive(hub, "poslog", [day]).held == 0
        assert receive(hub, "shopify", bodies).held == 0
    return made


def found(home: Home, text: str) -> list[FoundPerson]:
    with bootstrap.open_hub(home, access="read") as hub, hub.engine.begin() as connection:
        return view.find(hub, connection, text, region="US").items


def shown(home: Home, fact: str) -> Person:
    with bootstrap.open_hub(home, access="read") as hub, hub.engine.begin() as connection:
        return view.person(hub, connection, fact, reveal=True, limit=1000)


def facts(person: Person) -> set[str]:
    return {event.fact for event in person.story}


def test_a_customer_is_found_by_mail_phone_order_account_and_name(home: Home) -> None:
    shopper = ORDERS[0].person
    mine = {f"shopify:order/{o.id}" for o in ORDERS if o.person == shopper}
    ways = {
        shopper.email: "email",
        shopper.email.upper(): "email",
        shopper.phone: "phone",
        f"#{ORDERS[0].number}": "number",
        str(ORDERS[0].id): "number",
    }
    for text, reason in ways.items():
        (hit,) = found(home, text)
        person = shown(home, hit.person)
        assert mine <= facts(person), text
        assert hit.reason == reason
        assert hit.documents == len(person.story)
    for name in (
        f"{shopper.family_name} {shopper.given_name}",
        f"{shopper.given_name}  {shopper.family_name}".upper(),
        shopper.family_name,
    ):
        assert any(mine <= facts(shown(home, hit.person)) for hit in found(home, name)), name


def test_nothing_is_found_by_a_part_of_what_is_masked(home: Home) -> None:
    shopper = ORDERS[0].person
    for text in (
        shopper.family_name[:-1],
        f"{shopper.given_name} {shopper.family_name}"[:-1],
        shopper.given_name,
        shopper.email[:-1],
        shopper.email.partition("@")[0],
        shopper.phone[:-1],
        shopper.phone[-4:],
        "%",
        "*",
    ):
        assert found(home, text) == [], text


def test_a_member_is_found_by_card_with_or_without_its_padding(home: Home) -> None:
    assert MEMBER.loyalty is not None
    card = MEMBER.loyalty.card
    fact = f"poslog:{'/'.join(MEMBER.key)}"
    for text in (card, card.zfill(25)):
        (hit,) = found(home, text)
        assert hit.reason == "loyalty"
        assert fact in facts(shown(home, hit.person))


def test_the_story_has_the_refund_of_the_order_and_goes_by_time(home: Home) -> None:
    (hit,) = found(home, ORDERS[0].person.email)
    person = shown(home, hit.person)
    times = [event.utc for event in person.story]
    assert times == sorted(times, reverse=True)
    kinds = [event.kind for event in person.story]
    assert kinds.count("Reversal") == 1
    assert kinds.count("Customer") == 1
    assert kinds.count("Order") == sum(o.person == ORDERS[0].person for o in ORDERS)
    refund = next(event.fact for event in person.story if event.kind == "Reversal")
    assert shown(home, refund) == person


def test_nobody_is_found_by_what_nobody_has(home: Home) -> None:
    for text in ("nobody@example.org", "+1 212 555 0000", "#9999", "zzz zzz", "", "0000000"):
        assert found(home, text) == [], text


def run(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lynchpin")
    environ = {**os.environ, "LYNCHPIN_HOME": str(home.path)}
    return subprocess.run(
        [str(program), "customer", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_line_shows_one_person(home: Home) -> None:
    shown = run(home, "show", ORDERS[0].person.email, "--json")
    assert shown.returncode == 0, shown.stderr
    told: dict[str, Any] = json.loads(shown.stdout)
    assert told["person"].startswith("shopify:customer/")
    assert {e["kind"] for e in told["story"]} == {"Order", "Reversal", "Customer"}
    assert run(home, "find", ORDERS[0].person.email).returncode == 0
    assert run(home, "show", "nobody@example.org").returncode == 2


@pytest.mark.parametrize("order", [("till", "shop", "guest"), ("guest", "shop", "till")])
def test_till_account_and_guest_are_one_person(tmp_path: Path, order: tuple[str, ...]) -> None:
    """A till with the card, an account with the card and a mail, an order with the mail only."""
    shopper = person(3)
    receipt = next(
        e
        for e in till.day(NEW_YORK, seed=7)
        if isinstance(e, Receipt) and e.lines and not e.returns
    )
    receipt = replace(receipt, loyalty=Loyalty(shopper.card))
    account = json.loads(shop_writer.customer(shopper))
    account["metafields"] = [{"namespace": "crm", "key": "loyalty_card", "value": shopper.card}]
    guest = replace(ORDERS[0], person=shopper, guest=True)
    files = {
        "till": b"".join(
            poslog_writer.document([poslog_writer.transaction(receipt)], dialect="v2")
        ),
        "shop": json.dumps(account).encode(),
        "guest": shop_writer.order(guest),
    }
    made = homes.made(tmp_path / "home")
    with bootstrap.open_hub(made) as hub:
        for name in order:
            file = tmp_path / name
            file.write_bytes(files[name])
            assert receive(hub, "poslog" if name == "till" else "shopify", [file]).applied == 1
    receipt_fact, order_fact = f"poslog:{'/'.join(receipt.key)}", f"shopify:order/{guest.id}"
    for text in (shopper.card, shopper.email, f"#{guest.number}"):
        (hit,) = found(made, text)
        whole = shown(made, hit.person)
        assert {receipt_fact, order_fact} < facts(whole)
        assert len(whole.story) == hit.documents == 3
