"""A stand-in for a shop: a real server with orders whose ``updated_at`` does not move when money
goes back, as that of real shops does not.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from hub.demo import shop as invented
from hub.demo import shop_writer

TOKEN = "planted-token-of-a-shop"

Reply = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Call:
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Shop:
    """``before`` may answer in the place of the shop; ``after`` happens once a page was made."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    per_page: int = 50
    port: int = 0
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    before: Callable[[Call], Reply | None] = lambda call: None
    after: Callable[[Call], None] = lambda call: None
    at_once: int = 0
    at_once_max: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    placed: Iterator[invented.Order] = field(
        default_factory=lambda: invented.orders(sys.maxsize, seed=1)
    )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/admin"

    def asked(self, path: str) -> list[dict[str, str]]:
        """What was asked of a list, call by call."""
        return [call.query for call in self.calls if call.path == f"/admin{path}"]

    def place(self, count: int = 1, *, ago: timedelta = timedelta()) -> list[int]:
        """Orders that were placed just now, or committed only now."""
        with self.lock:
            placed = list(islice(self.placed, count))
            at = (self.now() - ago).isoformat()
            for order in placed:
                body = json.loads(shop_writer.order(order))
                self.orders[order.id] = body | {"created_at": at, "updated_at": at}
            return [order.id for order in placed]

    def change(self, number: int, **fields: Any) -> None:
        with self.lock:
            self.orders[number] |= {**fields, "updated_at": self.now().isoformat()}

    def refund(self, number: int) -> int:
        """Money goes back. The order says so, and does not say that it has changed."""
        with self.lock:
            index = list(self.orders).index(number)
            order = list(invented.orders(index + 1, seed=1))[index]
            body = json.loads(shop_writer.refund(invented.refund(order)))
            at = self.now().isoformat()
            body |= {"created_at": at, "processed_at": at}
            body["id"] += len(self.refunds)
            self.orders[number]["refunds"].append(body)
            self.orders[number]["financial_status"] = "partially_refunded"
            self.refunds.append(body)
            return int(body["id"])

    def answer(self, call: Call) -> Reply:
        if call.headers.get("x-shop-token") != TOKEN:
            return 401, {}, b'{"errors":"not you"}'
        if call.path == "/admin/orders.json":
            return self._linked("orders", list(self.orders.values()), "updated_at", call)
        if call.path == "/admin/refunds.json":
            return self._linked("refunds", self.refunds, "created_at", call)
        if call.path == "/admin/numbered.json":
            return self._numbered(call)
        return 404, {}, b'{"errors":"Not Found"}'

    def _chosen(self, rows: list[dict[str, Any]], moved: str, call: Call) -> list[dict[str, Any]]:
        found = rows
        for name, at in ((f"{moved}_min", moved), ("created_at_min", "created_at")):
            if since := call.query.get(name):
                moment = datetime.fromisoformat(since)
                found = [row for row in found if datetime.fromisoformat(row[at]) >= moment]
        if call.query.get("status") == "open":
            found = [row for row in found if row["closed_at"] is None]
        return sorted(found, key=lambda row: (datetime.fromisoformat(row[moved]), row["id"]))

    def _linked(self, key: str, rows: list[dict[str, Any]], moved: str, call: Call) -> Reply:
        """A page after the last thing of the page before, whatever has changed meanwhile."""
        query = call.query
        after: list[Any] | None = None
        if token := query.get("page_info"):
            query, after = json.loads(base64.urlsafe_b64decode(token))
        found = self._chosen(rows, moved, Call(call.path, query, call.headers))
        if after is not None:
            found = [row for row in found if [row[moved], row["id"]] > after]
        page, more = found[: self.per_page], found[self.per_page :]
        headers = {}
        if more:
            last = page[-1]
            token = base64.urlsafe_b64encode(
                json.dumps([query, [last[moved], last["id"]]]).encode()
            ).decode()
            address = f"{self.url}/{key}.json?{urlencode({'page_info': token})}"
            headers["Link"] = (
                f'<{self.url}/{key}.json?page_info=x>; rel="previous", ' * bool(after)
                + f'<{address}>; rel="next"'
            )
        return 200, headers, json.dumps({key: page}).encode()

    def _numbered(self, call: Call) -> Reply:
        """A page by its number, of the list as it is at that moment."""
        start = (int(call.query["page"]) - 1) * self.per_page
        found = self._chosen(list(self.orders.values()), "updated_at", call)
        page = found[start : start + self.per_page]
        return 200, {}, json.dumps({"data": {"orders": page}}).encode()


@contextmanager
def open_shop(now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Shop]:
    """A shop on a port of its own, until the block ends."""
    shop = Shop(now)

    class Handler(BaseHTTPRequestHandler):
        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(shop.now().astimezone(UTC), usegmt=True)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(parts.path, dict(parse_qsl(parts.query)), headers)
            with shop.lock:
                shop.calls.append(call)
                shop.at_once += 1
                shop.at_once_max = max(shop.at_once_max, shop.at_once)
            try:
                said = shop.before(call)
                with shop.lock:
                    status, more, body = said or shop.answer(call)
                    shop.after(call)
            finally:
                with shop.lock:
                    shop.at_once -= 1
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *said: object) -> None:
            """Whoever asked has gone away."""

    server = Server(("127.0.0.1", 0), Handler)
    shop.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
