"""A destination that is down for three days: what it is told in the end, and in which order.

A shop sends three versions of every order while the destination does not listen, and the hub is
killed now and then. The clock that the hub goes by is in a file, and moved on by whoever harms it.
"""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from random import Random

import httpx2

from faults.house import House
from faults.ledger import Verdict
from hub.demo import shop, shop_writer
from tests.e2e.store import a_port, asked, is_settled

__all__ = ["down"]

Told = tuple[str, int]
"""An order and its version."""

_VERSIONS = 3
_AT_ONCE = 20
_DAYS = 3
_DAY = 86_400
_CALL_SECONDS = 30.0
_PATIENCE_SECONDS = 600.0
_POLL_SECONDS = 0.05
_HOUR_SECONDS = 0.25
_SILENT_MAX = 4 * 24 * _DAYS
_KILLS, _MESSAGES_A_KILL = 12, 100
_SECRET = "whsec_" + b64encode(b"a secret of a fault, 32 bytes...").decode()


def down(folder: Path, messages: int, variant: str, dice: Random) -> Verdict:
    """What a destination was told that did not listen for three days."""
    orders = max(messages // _VERSIONS, 1)
    with a_port() as port:
        house = House(folder, variant, settings=_settings(port), clock=folder / "clock")
        try:
            harms = _sell(house, orders, dice)
            with _listening(port) as receiver:
                _until_told(house, receiver)
        finally:
            house.kill()
    return replace(_judged(orders, receiver.told), harms=harms)


def _settings(port: int) -> str:
    url = json.dumps(f"http://127.0.0.1:{port}/in")
    return (
        f"[destinations.crm]\nurl = {url}\nsecrets = [{json.dumps(_SECRET)}]\n"
        'kinds = ["Order"]\nallow_private = true\npersonal = true\n'
    )


def _sell(house: House, orders: int, dice: Random) -> int:
    """Send every version of every order, all of it in three days of the hub's clock; give how
    often it was killed meanwhile.
    """
    kills = min(_KILLS, orders * _VERSIONS // _MESSAGES_A_KILL + 1)
    every = max(orders * _VERSIONS // kills, 1)
    count = harms = 0
    with httpx2.Client(timeout=_CALL_SECONDS, trust_env=False) as client:
        for version in range(_VERSIONS):
            placed = shop.orders(orders, seed=1)
            while portion := list(islice(placed, min(_AT_ONCE, every))):
                _send(client, house, b"\n".join(_written(each, version) for each in portion))
                before, count = count, count + len(portion)
                if count // every > before // every:
                    _until_tried(house)
                    house.pass_by(_DAYS * _DAY / kills * dice.uniform(0.5, 1.5))
                    house.kill()
                    harms += 1
    return harms


def _written(placed: shop.Order, version: int) -> bytes:
    body = json.loads(shop_writer.order(placed))
    body["note"] = f"version {version}"
    body["updated_at"] = f"2031-01-{version + 1:02}T00:00:00+01:00"
    return json.dumps(body).encode()


def _send(client: httpx2.Client, house: House, content: bytes) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        house.start()
        if (address := house.address()) is None:
            time.sleep(_POLL_SECONDS)
            continue
        try:
            answer = client.post(
                f"{address}/sources/shopify/records",
                content=content,
                headers=house.headers | {"X-File-Name": "orders.txt"},
            )
        except httpx2.HTTPError:
            time.sleep(_POLL_SECONDS)
            continue
        if answer.is_success:
            return
        if answer.status_code != 429:
            raise AssertionError(answer.text)
        time.sleep(_POLL_SECONDS)
    raise AssertionError("nobody takes an order")


@dataclass
class _Receiver:
    """What came, by the order in which it came; the same id again is nothing new."""

    told: list[Told] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


@contextmanager
def _listening(port: int) -> Iterator[_Receiver]:
    receiver = _Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            number = self.headers["webhook-id"]
            if number not in receiver.ids:
                receiver.ids.add(number)
                said = body["data"]["document"]["note"].removeprefix("version ")
                receiver.told.append((body["data"]["fact"], int(said)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _until_tried(house: House) -> None:
    """Let it find that nobody listens."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while asked(house.home.path, "SELECT max(attempts) FROM delivery") in ([(None,)], [(0,)]):
        if time.monotonic() > until:
            raise AssertionError("it does not try")
        house.start()
        time.sleep(_POLL_SECONDS)


def _until_told(house: House, receiver: _Receiver) -> None:
    """Let it listen until the hub owes nothing more, or it hears nothing for days."""
    silent = 0
    while _owes(house) and silent < _SILENT_MAX:
        house.start()
        had = len(receiver.ids)
        house.pass_by(_DAY / 24)
        time.sleep(_HOUR_SECONDS)
        silent = 0 if len(receiver.ids) > had or house.address() is None else silent + 1


def _owes(house: House) -> bool:
    owed = "SELECT count(*) FROM delivery WHERE done_at IS NULL"
    return not is_settled(house.home.path) or asked(house.home.path, owed) != [(0,)]


def _judged(orders: int, told: list[Told]) -> Verdict:
    facts = {f"shopify:order/{placed.id}" for placed in islice(shop.orders(orders, seed=1), orders)}
    expected = {(fact, version) for fact in facts for version in range(_VERSIONS)}
    times = Counter(told)
    latest: dict[str, int] = {}
    out_of_order = 0
    for fact, version in told:
        out_of_order += version < latest.get(fact, 0)
        latest[fact] = max(version, latest.get(fact, 0))
    return Verdict(
        messages=len(expected),
        lost=len(expected - times.keys()),
        doubled=sum(count - 1 for count in times.values()) + len(times.keys() - expected),
        out_of_order=out_of_order,
    )
