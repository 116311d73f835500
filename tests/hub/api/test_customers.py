"""One person in three places, over HTTP: found by whatever is at hand, masked, and audited."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from hub import keys
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Loyalty, Receipt
from hub.demo.retailer import NEW_YORK, NEW_YORK_UPTOWN, person
from hub.door import Taken, take_in

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.hub.api.conftest import Serving

SHOPPER = replace(
    person(3),
    given_name="Zoë",
    family_name="Quaxmarq",
    email="zoe.quaxmarq@quaxmarq.example.org",
    phone="+12025550177",
    street="Quaxmarq Street 7",
    card="9000009182736455",
)
MOBILE = "0664 5550142"
RECEIPT = next(
    replace(e, loyalty=Loyalty(SHOPPER.card))
    for e in till.day(NEW_YORK, seed=7)
    if isinstance(e, Receipt) and e.lines and not e.returns
)
UPTOWN = replace(RECEIPT, store=NEW_YORK_UPTOWN, sequence=RECEIPT.sequence + 1)
GUEST = replace(next(shop.orders(1, seed=7)), person=SHOPPER, guest=True)

SALE = f"poslog:{'/'.join(RECEIPT.key)}"
ELSEWHERE = f"poslog:{'/'.join(UPTOWN.key)}"
ACCOUNT = f"shopify:customer/{8_400_000_000 + SHOPPER.number}"
ORDER = f"shopify:order/{GUEST.id}"
CALL = "twilio:call/CAexample1"
EVERYTHING = {SALE, ELSEWHERE, ACCOUNT, ORDER, CALL}
PRIVATE = ("quaxmarq", "zoe", "zoë", "91827364", "5550177", "5550142", "555 0142")
WHY = {"reason": "the caller asks for a receipt"}


def _account() -> bytes:
    """With the card of the till in a metafield, and a phone number in the address only."""
    account = json.loads(shop_writer.customer(SHOPPER))
    account["metafields"] = [{"namespace": "crm", "key": "loyalty_card", "value": SHOPPER.card}]
    account["phone"] = None
    account["addresses"][0] |= {"phone": MOBILE, "country_code": "AT"}
    return json.dumps(account).encode()


def _call() -> bytes:
    fields = {"CallSid": "CAexample1", "CallStatus": "ringing", "Direction": "inbound"}
    return urlencode({**fields, "From": "+436645550142", "To": "+12025550100"}).encode()


def _sale(receipt: Receipt) -> bytes:
    return b"".join(poslog_writer.document([poslog_writer.transaction(receipt)], dialect="v2"))


PLACES = (
    ("poslog", _sale(RECEIPT)),
    ("poslog", _sale(UPTOWN)),
    ("shopify", _account()),
    ("shopify", shop_writer.order(GUEST)),
    ("twilio", _call()),
)


@pytest.fixture
def three(serving: Serving) -> Serving:
    """A hub that heard of one person from a till, the shop and the telephone."""
    for source, content in PLACES:
        door = serving.hub.door(source)

        def work(connection: Connection, door: Any = door, content: bytes = content) -> Taken:
            return take_in(connection, door, [content], name="x", now=serving.hub.now())

        serving.writer.submit(work).result()
    assert serving.settled() == {"applied": len(PLACES)}
    return serving


def _limited(serving: Serving, role: keys.Role, *stores: str) -> None:
    """Let the key of a role see these stores only."""
    with_stores = {"stores": stores, "actor": "test", "now": serving.hub.now()}

    def work(connection: Connection) -> tuple[keys.Key, str]:
        return keys.create(connection, "limited", role, (), **with_stores)  # type: ignore[arg-type]

    serving.keys[role] = serving.writer.submit(work).result()[1]


def _found(serving: Serving, text: str, **more: str) -> dict[str, Any]:
    answer = serving.call("agent", "GET", "/customers", params={"q": text, **more})
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SHOPPER.card, "loyalty"),
        (SHOPPER.card.zfill(25), "loyalty"),
        (SHOPPER.email, "email"),
        (SHOPPER.email.upper(), "email"),
        ("+43 664 5550142", "phone"),
        (SHOPPER.phone, "phone"),
        (f"#{GUEST.number}", "number"),
        (str(GUEST.id), "number"),
        (ORDER, "number"),
        (SALE, "number"),
        (str(8_400_000_000 + SHOPPER.number), "customer"),
        ("Quaxmarq", "name"),
        ("zoe quaxmarq", "name"),
        ("QUAXMARQ  Zoë", "name"),
    ],
)
def test_by_whatever_is_at_hand_it_is_the_same_person(
    three: Serving, text: str, reason: str
) -> None:
    said = _found(three, text)
    assert said["items"] == [
        {"person": ACCOUNT, "reason": reason, "names": ["Z. Q."], "documents": len(EVERYTHING)}
    ]
    assert (said["next"], said["more"], said["by"]) == (None, False, reason)


def test_a_number_of_a_country(three: Serving) -> None:
    assert _found(three, MOBILE)["items"] == []
    assert _found(three, MOBILE, region="AT")["items"][0]["person"] == ACCOUNT


@pytest.mark.parametrize("fact", sorted(EVERYTHING))
def test_by_any_document_it_is_one_story(three: Serving, fact: str) -> None:
    person = three.call("agent", "GET", f"/customers/{fact}").json()
    assert person == three.call("agent", "GET", f"/customers/{ACCOUNT}").json()
    assert {event["fact"] for event in person["story"]} == EVERYTHING
    kinds = [event["kind"] for event in person["story"]]
    assert sorted(kinds) == ["Customer", "Interaction", "Order", "Transaction", "Transaction"]
    times = [event["utc"] for event in person["story"]]
    assert times == sorted(times, reverse=True)
    assert (person["documents"], person["elsewhere"], person["whole"]) == (5, 0, True)


def test_nothing_private_is_shown_before_somebody_says_why(three: Serving) -> None:
    shown = [
        three.call("agent", "GET", "/customers", params={"q": SHOPPER.card}),
        three.call("agent", "GET", "/customers", params={"q": "Quaxmarq"}),
        three.call("operator", "GET", f"/customers/{CALL}"),
        three.call("operator", "GET", f"/transactions/{SALE}"),
        three.call("operator", "GET", f"/orders/{ORDER}"),
        *(three.call("operator", "GET", f"/{n}") for n in ("messages", "transactions", "orders")),
        *(three.call("operator", "GET", f"/messages/{n + 1}") for n in range(len(PLACES))),
    ]
    for answer in shown:
        assert answer.status_code == 200
        assert not [mark for mark in PRIVATE if mark in answer.text.casefold()], answer.text


def test_a_reveal_shows_the_same_with_everything_in_it(three: Serving) -> None:
    masked = three.call("agent", "GET", f"/customers/{SALE}").json()
    whole = three.call("agent", "POST", f"/customers/{SALE}/reveal", json=WHY).json()
    assert (masked.pop("masked"), whole.pop("masked")) == (True, False)
    assert whole.pop("names") == ["Zoë Quaxmarq"]
    assert masked.pop("names") == ["Z. Q."]
    values = {(each["kind"], each["value"]) for each in whole.pop("identifiers")}
    assert {
        ("loyalty", SHOPPER.card),
        ("email", SHOPPER.email),
        ("phone", "+436645550142"),
    } < values
    masks = {each["value"] for each in masked.pop("identifiers")}
    assert masks == {"***0003", "***6455", "z***@q***.org", "+1 *** 77", "+43 *** 42"}
    whole["story"], masked["story"] = (
        [event["fact"] for event in each["story"]] for each in (whole, masked)
    )
    assert whole == masked


def test_who_looked_at_whom_is_kept_and_never_what_was_searched(three: Serving) -> None:
    _found(three, SHOPPER.email)
    _found(three, "nobody.quaxmarq@example.org")
    _found(three, "nobody at all")
    _found(three, "+43 664 5550199")
    three.call("agent", "GET", f"/customers/{SALE}")
    three.call("operator", "POST", f"/customers/{CALL}/reveal", json=WHY)
    three.call("agent", "GET", f"/transactions/{SALE}")
    rows = three.audited()
    assert [(act, subject, detail) for _, act, subject, detail in rows] == [
        ("read", "customers", {"by": "email", "found": [ACCOUNT]}),
        ("read", "customers", {"by": "email", "found": []}),
        ("read", "customers", {"by": "name", "found": []}),
        ("read", "customers", {"by": "phone", "found": []}),
        ("read", ACCOUNT, None),
        ("reveal", ACCOUNT, WHY),
        ("read", SALE, None),
    ]
    assert not [mark for mark in PRIVATE if mark in json.dumps(rows).casefold()]


def test_a_story_goes_on_where_it_ended(three: Serving) -> None:
    whole = three.call("agent", "GET", f"/customers/{SALE}").json()["story"]
    read, path = [], f"/customers/{SALE}?limit=2"
    while path:
        said = three.call("agent", "GET", path).json()
        read += said["story"]
        path = said["next"] and f"/customers/{SALE}?limit=2&cursor={said['next']}"
    assert read == whole
    wrong = three.call("agent", "GET", f"/customers/{SALE}?cursor=WzFd")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "LP-PEOPLE-001")


def test_a_key_of_a_store_is_shown_that_store_only(three: Serving) -> None:
    _limited(three, "agent", NEW_YORK.number)
    person = three.call("agent", "GET", f"/customers/{ACCOUNT}").json()
    assert {event["fact"] for event in person["story"]} == EVERYTHING - {ELSEWHERE}
    assert (person["documents"], person["elsewhere"]) == (4, 1)
    listed = three.call("agent", "GET", "/transactions").json()["items"]
    assert [row["fact"] for row in listed] == [SALE]
    assert len(three.call("agent", "GET", "/orders").json()["items"]) == 1
    assert three.call("agent", "GET", f"/transactions/{SALE}").status_code == 200
    nothing = three.call("agent", "GET", "/transactions/poslog:none")
    absent = {k: v for k, v in nothing.json().items() if k != "correlation"}
    for path in (
        f"/transactions/{ELSEWHERE}",
        f"/transactions/{ELSEWHERE.partition(':')[2]}",
        f"/customers/{ELSEWHERE}",
    ):
        for method, to, body in (("GET", path, None), ("POST", f"{path}/reveal", WHY)):
            answer = three.call("agent", method, to, json=body)
            assert answer.status_code == 404, to
            assert {k: v for k, v in answer.json().items() if k != "correlation"} == absent
    assert _found(three, ELSEWHERE)["items"] == []


def test_a_key_of_another_store_sees_only_what_is_of_no_store(three: Serving) -> None:
    _limited(three, "reader", "7999")
    assert three.call("reader", "GET", "/transactions").json() == {"items": [], "next": None}
    query = f"/transactions?store={NEW_YORK.number}"
    assert three.call("reader", "GET", query).json()["items"] == []
    assert len(three.call("reader", "GET", "/orders").json()["items"]) == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/customers", 422),
        ("/customers?q=", 422),
        (f"/customers?q={'x' * 201}", 422),
        ("/customers?q=x&region=at", 422),
        ("/customers?q=%00", 200),
        ("/customers?q=%F0%9F%92%A9", 200),
        ("/customers/", 404),
        ("/customers/nobody:1", 404),
        ("/customers/%00", 404),
    ],
)
def test_odd_questions(three: Serving, path: str, status: int) -> None:
    assert three.call("agent", "GET", path).status_code == status
