"""One person at a till, in the shop and on the phone: each through its own door, one story."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Loyalty, Receipt
from hub.demo.retailer import NEW_YORK, person

if TYPE_CHECKING:
    import httpx2

    from tests.e2e.conftest import House

SHOPPER = replace(person(3), phone="+1 212 555 0171")
SETTINGS = {
    "LYNCHPIN_SOURCES__SHOPIFY__SECRETS": '["invented"]',
    "LYNCHPIN_SOURCES__TWILIO__REGION": "US",
    "LYNCHPIN_SOURCES__TWILIO__SECRETS": '["invented too"]',
    "LYNCHPIN_SOURCES__TWILIO__PUBLIC_URL": "https://hub.example.org/webhooks/twilio",
}
CALL = {
    "CallSid": "CAexample00000000000000000000000071",
    "CallStatus": "ringing",
    "Direction": "inbound",
    "From": "+12125550171",
    "To": "+12125550100",
}


def _sale() -> tuple[str, bytes]:
    """A receipt of a till with the shopper's card, and its fact id."""
    entries = (e for e in till.day(NEW_YORK, seed=7) if isinstance(e, Receipt))
    receipt = next(e for e in entries if e.lines and not e.returns)
    receipt = replace(receipt, loyalty=Loyalty(SHOPPER.card))
    written = poslog_writer.document([poslog_writer.transaction(receipt)], dialect="v2")
    return f"poslog:{'/'.join(receipt.key)}", b"".join(written)


def _account() -> bytes:
    """A shop customer with the same card, an e-mail, and a phone in the address only."""
    account = json.loads(shop_writer.customer(SHOPPER))
    account["metafields"] = [{"namespace": "crm", "key": "loyalty_card", "value": SHOPPER.card}]
    account["phone"] = None
    account["default_address"]["phone"] = SHOPPER.phone
    for address in account["addresses"]:
        address["phone"] = SHOPPER.phone
    return json.dumps(account).encode()


def _mac(key: str, signed: bytes, algorithm: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), signed, algorithm).digest()).decode()


def _shop(client: httpx2.Client, body: bytes, number: str) -> None:
    headers = {
        "X-Shopify-Hmac-Sha256": _mac("invented", body, "sha256"),
        "X-Shopify-Event-Id": number,
    }
    assert client.post("/webhooks/shopify", content=body, headers=headers).status_code == 200


def _call(client: httpx2.Client) -> None:
    signed = SETTINGS["LYNCHPIN_SOURCES__TWILIO__PUBLIC_URL"]
    signed += "".join(name + CALL[name] for name in sorted(CALL))
    headers = {
        "X-Twilio-Signature": _mac("invented too", signed.encode(), "sha1"),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = client.post("/webhooks/twilio", content=urlencode(CALL), headers=headers)
    assert (answer.status_code, answer.text) == (200, "<Response/>")


def _found(client: httpx2.Client, text: str) -> dict[str, Any]:
    """The one person who is found by this, once everything that came in is settled."""
    while client.get("/messages", params={"state": "pending"}).json()["items"]:
        pass
    (one,) = client.get("/customers", params={"q": text}).json()["items"]
    assert one["documents"] == 4, text
    found: dict[str, Any] = one
    return found


@pytest.mark.parametrize("turned", [False, True], ids=["till first", "call first"])
def test_till_shop_and_call_are_one_person(house: House, *, turned: bool) -> None:
    sale, day = _sale()
    order = replace(next(iter(shop.orders(1, seed=7))), person=SHOPPER, guest=True)
    keys = {"source": house.key("source", "--source", "poslog"), "desk": house.key("agent")}
    with house.up(LYNCHPIN_LIMITS__CALLS_PER_SECOND="1000", **SETTINGS) as running:
        with running.calling(keys["source"]) as tills, running.calling(None) as nobody:

            def sell() -> None:
                tills.post("/sources/poslog/records", content=day).raise_for_status()

            arrivals: list[Callable[[], None]] = [
                sell,
                lambda: _shop(nobody, _account(), "e-1"),
                lambda: _shop(nobody, shop_writer.order(order), "e-2"),
                lambda: _call(nobody),
            ]
            for arrive in reversed(arrivals) if turned else arrivals:
                arrive()
        with running.calling(keys["desk"]) as desk:
            ways = (SHOPPER.card, SHOPPER.email, "(212) 555-0171", f"#{order.number}", sale)
            found = {_found(desk, way)["person"] for way in ways}
            assert len(found) == 1
            page = desk.get(f"/customers/{found.pop()}").json()
        facts = {event["fact"] for event in page["story"]}
        kinds = sorted(event["kind"] for event in page["story"])
        assert kinds == ["Customer", "Interaction", "Order", "Transaction"]
        assert {sale, f"twilio:call/{CALL['CallSid']}", f"shopify:order/{order.id}"} < facts
        said = json.dumps(page)
        for secret in (SHOPPER.card, SHOPPER.email, "2125550171", SHOPPER.family_name):
            assert secret not in said
        shown = house.lynchpin("customer", "show", SHOPPER.email, "--json")
        assert shown.returncode == 0, shown.stderr
        assert {e["fact"] for e in json.loads(shown.stdout)["story"]} == facts
    again = house.lynchpin("customer", "show", "(212) 555-0171", "--region", "US", "--json")
    assert json.loads(again.stdout) == json.loads(shown.stdout)
    told = house.lynchpin("customer", "show", SHOPPER.card, "--reveal", "the customer asks")
    assert SHOPPER.family_name in told.stdout
