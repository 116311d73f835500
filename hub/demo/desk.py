"""The desk: somebody who asks the demo's hub over HTTP, as any program would."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, TypeVar

import httpx2

from hub.demo.webhook import Webhook
from schemas.problem import Cause, Unavailable

__all__ = ["Desk", "comes"]

UNEXPECTED = Cause(
    "LP-CLI-020",
    "The hub of the demo did not answer as it should.",
    "Look into `hub.log` in the folder of the demo.",
)

_PATIENCE_SECONDS = 15.0
_POLL_SECONDS = 0.1
_ROWS = 1000

T = TypeVar("T")


def comes(look: Callable[[], T], expected: T, *, seconds: float = _PATIENCE_SECONDS) -> T:
    """What is found as soon as it is as expected, or when patience is over."""
    until = time.monotonic() + seconds
    while (found := look()) != expected and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    return found


class Desk:
    """Every method raises ``Unavailable`` where the hub does not answer or says no."""

    def __init__(self, address: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        # The hub is on this machine: what the environment says of proxies is about others.
        self._client = httpx2.Client(base_url=address, headers=headers, timeout=30, trust_env=False)
        self._stranger = httpx2.Client(base_url=address, timeout=30, trust_env=False)

    def close(self) -> None:
        """Hang up."""
        self._client.close()
        self._stranger.close()

    def send(self, webhook: Webhook) -> int:
        """Post a webhook as somebody without a key; gives the status, 0 if nobody answered."""
        try:
            answer = self._stranger.post(
                webhook.path, content=webhook.body, headers=webhook.headers
            )
        except httpx2.TransportError:
            return 0
        return answer.status_code

    def load(self, noun: str, table: str) -> int:
        """Load reference data; gives how many things were new."""
        headers = {"Content-Type": "text/csv", "X-Lynchpin-File": f"{noun}.csv"}
        loaded = self._call("POST", f"/reference/{noun}", content=table.encode(), headers=headers)
        return int(loaded["added"])

    def key(self, store: str) -> str:
        """A key of a store's agent, which may send nothing of any other store."""
        wanted = {"name": f"agent of {store}", "role": "source", "sources": ["poslog"]}
        return str(self._call("POST", "/keys", json={**wanted, "stores": [store]})["key"])

    def record(self, source: str, content: bytes, *, name: str) -> dict[str, int]:
        """Send a record through the door of scripts; gives its messages by state, once settled."""
        headers = {"Content-Type": "application/octet-stream", "X-Lynchpin-File": name}
        path = f"/sources/{source}/records"
        number = self._call("POST", path, content=content, headers=headers)["record"]
        pending = True
        until = time.monotonic() + _PATIENCE_SECONDS
        while pending and time.monotonic() < until:
            states: dict[str, int] = self._call("GET", f"{path}/{number}")["states"]
            pending = bool(states.get("pending"))
            if pending:
                time.sleep(_POLL_SECONDS)
        return {state: count for state, count in states.items() if count}

    def export(self) -> str:
        """Everything the hub knows, once nothing waits to be settled."""
        comes(lambda: self._call("GET", "/messages", params={"state": "pending"})["items"], [])
        answer = self._client.get("/export")
        if not answer.is_success:
            raise Unavailable(UNEXPECTED.at(f"status {answer.status_code} of /export"))
        return answer.text

    def facts(self, *kinds: str) -> set[str]:
        """The names of everything it knows, or of what is of these kinds."""
        lines = map(json.loads, self.export().splitlines())
        return {line["fact"] for line in lines if not kinds or line["kind"] in kinds}

    def revenue(self) -> dict[str, Decimal]:
        """What the Transactions bring in, by currency."""
        totals: dict[str, Decimal] = {}
        for row in self._rows("/transactions"):
            if row["revenue"] is not None:
                so_far = totals.get(row["currency"], Decimal(0))
                totals[row["currency"]] = so_far + Decimal(row["revenue"])
        return dict(sorted(totals.items()))

    def flagged(self) -> int:
        """Transactions that were accepted although something about them is odd."""
        return sum(bool(row["flags"]) for row in self._rows("/transactions"))

    def messages(self, **wanted: str) -> list[dict[str, Any]]:
        """Messages of this state, source or file, in the order they came in."""
        return list(self._rows("/messages", **wanted))[::-1]

    def held(self) -> dict[int, str]:
        """The codes of what is held, by the number of the message."""
        return {row["message_id"]: row["code"] for row in self._rows("/holds")}

    def discard(self, message: int, reason: str) -> None:
        """Give a held message up."""
        self._call("POST", f"/holds/{message}/discard", json={"reason": reason})

    def gaps(self) -> int:
        """How many numbers of tills are missing."""
        return sum(row["missing"] for row in self._rows("/gaps"))

    def people(self, text: str) -> list[str]:
        """Who is found by this."""
        found = self._call("GET", "/customers", params={"q": text})["items"]
        return [str(each["person"]) for each in found]

    def person(self, fact: str) -> dict[str, Any]:
        """A person, masked, and their story."""
        return self._call("GET", f"/customers/{fact}")

    def document(self, noun: str, fact: str) -> dict[str, Any]:
        """An order, refund or receipt."""
        return self._call("GET", f"/{noun}/{fact}")

    def knows(self, noun: str, fact: str) -> bool:
        """Whether there is such an order, refund or receipt."""
        return self._client.get(f"/{noun}/{fact}").is_success

    def origins(self, fact: str) -> list[dict[str, Any]]:
        """Where each value of a document came from."""
        found: list[dict[str, Any]] = self._call("GET", f"/explain/{fact}")["origins"]
        return found

    def console(self) -> str | None:
        """A path that opens the console in a browser, once; ``None`` if the hub gives none."""
        answer = self._client.post("/console/links")
        return str(answer.json()["path"]) if answer.is_success else None

    def _rows(self, path: str, **wanted: str) -> Iterator[dict[str, Any]]:
        cursor: dict[str, str] = {}
        while True:
            page = self._call("GET", path, params={**wanted, "limit": str(_ROWS), **cursor})
            yield from page["items"]
            if page["next"] is None:
                return
            cursor = {"cursor": page["next"]}

    def _call(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        try:
            answer = self._client.request(method, path, **content)
        except httpx2.TransportError as error:
            raise Unavailable(UNEXPECTED.at(f"{type(error).__name__} of {path}")) from None
        if not answer.is_success:
            raise Unavailable(UNEXPECTED.at(f"status {answer.status_code} of {path}"))
        told: dict[str, Any] = answer.json()
        return told
