"""A hub with a little of everything, and a browser that signs in without drawing anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx2
import pytest

from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Loyalty, Receipt
from hub.demo.retailer import NEW_YORK, person
from hub.door import take_in
from tests.hub.api.conftest import Serving, serving  # noqa: F401

if TYPE_CHECKING:
    from hub.console.session import Sessions

PAGE = {"Accept": "text/html"}


@dataclass
class Visitor:
    """A browser of somebody who is signed in."""

    client: httpx2.Client
    serving: Serving

    def get(self, path: str) -> httpx2.Response:
        return self.client.get(f"/console{path}")

    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.get("").text)
        assert found is not None
        return found[1]

    def post(
        self, path: str, headers: dict[str, str] | None = None, **form: object
    ) -> httpx2.Response:
        fields = {"token": self.token(), **form}
        return self.client.post(f"/console{path}", data=fields, headers=headers or {})


def visible(answer: httpx2.Response) -> str:
    """What a reader of the page reads, roughly."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


@pytest.fixture
def sessions(serving: Serving) -> Sessions:  # noqa: F811
    """The sessions of the hub."""
    found: Sessions = serving.app.state.sessions
    return found


@pytest.fixture
def visitor(serving: Serving) -> Iterator[Visitor]:  # noqa: F811
    """Somebody who followed a link."""
    with visiting(serving) as found:
        yield found


@contextmanager
def visiting(serving: Serving) -> Iterator[Visitor]:  # noqa: F811
    """Follow a link into the console of a hub."""
    with serving.client() as client:
        client.headers.update(PAGE)
        link = serving.app.state.sessions.link("anna")
        entered = client.get("/console/enter", params={"token": link})
        assert entered.status_code == 200, entered.text
        yield Visitor(client, serving)


SHOPPER = replace(
    person(3),
    given_name="Zoë",
    family_name="Quaxmarq",
    email="zoe.quaxmarq@quaxmarq.example.org",
    phone="+12025550177",
    street="Quaxmarq Street 7",
    card="9000009182736455",
)
PRIVATE = ("quaxmarq", "zoë", "91827364", "5550177")
_RECEIPTS = [
    e for e in till.day(NEW_YORK, seed=7) if isinstance(e, Receipt) and e.lines and not e.returns
]
RECEIPT = replace(_RECEIPTS[0], loyalty=Loyalty(SHOPPER.card))
ORDER = replace(next(shop.orders(1, seed=7)), person=SHOPPER)
BROKEN = _RECEIPTS[1]
SALE_FACT = f"poslog:{'/'.join(RECEIPT.key)}"
ORDER_FACT = f"shopify:order/{ORDER.id}"
ACCOUNT_FACT = f"shopify:customer/{8_400_000_000 + SHOPPER.number}"


def _account() -> bytes:
    account = json.loads(shop_writer.customer(SHOPPER))
    account["metafields"] = [{"namespace": "crm", "key": "loyalty_card", "value": SHOPPER.card}]
    return json.dumps(account).encode()


def _call() -> bytes:
    fields = {"CallSid": "CAexample1", "CallStatus": "ringing", "Direction": "inbound"}
    return urlencode({**fields, "From": SHOPPER.phone, "To": "+12025550100"}).encode()


def _sale(piece: bytes) -> bytes:
    return b"".join(poslog_writer.document([piece], dialect="v2"))


@pytest.fixture
def full(serving: Serving) -> Serving:  # noqa: F811
    """One person at a till, in the shop and on the phone; a refund; and a sale that is held."""
    sent = (
        ("poslog", _sale(poslog_writer.transaction(RECEIPT))),
        ("poslog", _sale(poslog_writer.without_total(BROKEN))),
        ("shopify", _account()),
        ("shopify", shop_writer.order(ORDER)),
        ("shopify", shop_writer.refund(shop.refund(ORDER))),
        ("twilio", _call()),
    )
    for number, (source, content) in enumerate(sent):
        work = partial(
            take_in,
            door=serving.hub.door(source),
            chunks=[content],
            name=f"file-{number}",
            now=serving.hub.now(),
        )
        serving.writer.submit(work).result()
    assert serving.settled() == {"applied": 5, "held": 1}
    return serving
