"""The log: each call is found in it again, and nothing that anybody sent is."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from hub import log
from hub.api.traffic import Followed, Traffic
from hub.demo import poslog_writer, till
from hub.demo.receipt import Receipt
from hub.demo.retailer import NEW_YORK

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving

MARK = "Zaphodine"


class Lines(io.StringIO):
    """What was logged."""

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def calls(self, count: int) -> list[dict[str, Any]]:
        """The lines of so many calls; the last one is written when it was answered already."""
        while len(found := [line for line in self.all() if line["event"] == "call"]) < count:
            time.sleep(0.01)
        assert len(found) == count
        return found


class Terminal(Lines):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def configured() -> Iterator[None]:
    """What the log changes for the whole process is changed back."""
    root, hook = logging.getLogger(), threading.excepthook
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("lynchpin").setLevel(logging.NOTSET)
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)
    logging.raiseExceptions = raising
    threading.excepthook = hook


@pytest.fixture
def lines(configured: None) -> Lines:
    stream = Lines()
    log.configure(stream)
    return stream


def test_each_call_has_one_line(lines: Lines, serving: Serving) -> None:
    taken = serving.send(poslog_writer.sale(seed=3))
    serving.call("reader", "POST", "/holds/1/release")
    serving.call(None, "GET", f"/{MARK}")
    first, second, third = lines.calls(3)
    key = serving.keys["source"].split("_")[1]
    names = ("method", "route", "status", "key", "source", "record")
    assert {name: first[name] for name in names} == {
        "method": "POST",
        "route": "/sources/{source}/records",
        "status": 202,
        "key": key,
        "source": "poslog",
        "record": taken.json()["record"],
    }
    assert first["correlation"] == taken.headers["x-request-id"]
    assert first["ms"] > 0
    assert (second["route"], second["status"]) == ("/holds/{number}/release", 403)
    assert (third["route"], third["status"]) == ("none", 404)
    assert "key" not in third


def test_what_is_held_is_found_from_its_call(lines: Lines, serving: Serving) -> None:
    receipt = next(each for each in till.day(NEW_YORK, seed=3) if isinstance(each, Receipt))
    broken = poslog_writer.without_total(receipt)
    taken = serving.send(b"".join(poslog_writer.document([broken], dialect="v2")))
    assert serving.settled() == {"held": 1}
    (call,) = lines.calls(1)
    (held,) = [line for line in lines.all() if line["event"] == "held"]
    assert held["record"] == call["record"] == taken.json()["record"]
    assert (held["message_id"], held["source"], held["code"]) == (1, "poslog", "LP-MAP-102")


def test_the_callers_correlation_id_is_taken_and_given_back(serving: Serving) -> None:
    answer = serving.call(None, "GET", "/orders", headers={"X-Request-Id": "till-7.42_a"})
    assert answer.headers["x-request-id"] == answer.json()["correlation"] == "till-7.42_a"


@pytest.mark.parametrize(
    "given", ["", "a" * 65, "a b", "naïve", "a;b", "4111111111111111", "a\tb", "{}"]
)
def test_what_is_no_correlation_id_is_replaced(serving: Serving, given: str) -> None:
    headers = {"X-Request-Id": given.encode("latin-1")}
    answer = serving.call(None, "GET", "/orders", headers=headers)
    made = answer.headers["x-request-id"]
    assert made == answer.json()["correlation"]
    assert made != given
    assert made.isalnum()


def test_nothing_that_was_sent_is_in_the_log(
    lines: Lines, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = {
        "User-Agent": MARK,
        "X-Lynchpin-File": MARK,
        "X-Request-Id": f"{MARK}!",
        "Cookie": f"a={MARK}",
        "Referer": f"http://{MARK}.example",
    }
    operator = serving.keys["operator"]
    for role in (None, "source", "reader", "operator"):
        for path in (
            f"/{MARK}",
            f"/orders/{MARK}",
            f"/orders?number={MARK}&{MARK}={MARK}",
            f"/orders?limit={MARK}",
            f"/messages/{MARK}",
            f"/webhooks/{MARK}",
            f"/sources/{MARK}/records",
        ):
            serving.call(role, "GET", path, headers=everywhere)
            for content in (MARK, f'{{"{MARK}": "{MARK}"}}', f'{{"reason": ["{MARK}"]}}'):
                serving.call(role, "POST", path, content=content.encode(), headers=everywhere)
        for act in ("release", "discard"):
            body = json.dumps({"reason": MARK, MARK: MARK})
            serving.call(role, "POST", f"/holds/1/{act}", content=body.encode())
        serving.call(role, MARK, "/orders", headers=everywhere)
    serving.call(None, "GET", "/orders", headers={"Authorization": f"Bearer {MARK}"})
    sale = poslog_writer.sale(seed=3).replace(b"<Quantity>2<", f"<Quantity>{MARK}<".encode())
    serving.send(sale, **everywhere)
    serving.settled()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(MARK)

    monkeypatch.setattr("hub.api.access.keys.listed", fail)
    failed = serving.call("operator", "GET", "/keys", headers=everywhere)
    assert (failed.status_code, failed.json()["code"]) == (500, "LP-API-007")
    lines.calls(4 * (7 * 4 + 2 + 1) + 3)
    written = lines.getvalue()
    assert "RuntimeError in fail" in written
    # Methods are sent in capitals, whatever they are.
    assert MARK.lower() not in written.lower()
    assert operator not in written
    assert MARK not in failed.text


def test_a_failure_is_found_by_its_correlation_id(
    lines: Lines, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("hub.api.access.keys.listed", fail)
    answer = serving.call("operator", "GET", "/keys")
    number = answer.json()["correlation"]
    lines.calls(1)
    mine = [line for line in lines.all() if line["correlation"] == number]
    assert [(line["event"], line["level"]) for line in mine] == [
        ("Lynchpin failed on a call", "error"),
        ("call", "info"),
    ]


def test_of_what_a_library_says_there_is_the_place_alone(lines: Lines) -> None:
    library = logging.getLogger("asyncio")
    try:
        int(json.loads(f'"{MARK}"'))
    except ValueError:
        library.exception("it was %s", MARK, extra={"more": MARK})
    (line,) = lines.all()
    assert line["failure"].startswith("ValueError in test_of_what")
    assert line["place"].startswith("test_log.test_of_what")
    assert MARK not in lines.getvalue()


def test_a_thread_that_ends_badly_says_where(lines: Lines) -> None:
    def fail() -> None:
        raise KeyError(MARK)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    (line,) = lines.all()
    assert (line["level"], line["failure"].partition(",")[0]) == ("critical", "KeyError in fail")
    assert MARK not in lines.getvalue()


def test_a_terminal_is_written_for_people(configured: None) -> None:
    stream = Terminal()
    log.configure(stream)
    logging.getLogger("lynchpin.test").info("hello", extra={"code": "LP-X"})
    with pytest.raises(json.JSONDecodeError):
        stream.all()
    assert "hello" in stream.getvalue()


def test_one_call_says_nothing_of_another(lines: Lines) -> None:
    async def both() -> None:
        log.begin("one")
        log.note(record=41)
        await asyncio.create_task(_other())
        logging.getLogger("lynchpin.test").info("one")

    async def _other() -> None:
        log.begin("two")
        logging.getLogger("lynchpin.test").info("two")

    asyncio.run(both())
    two, one = lines.all()
    assert (two["correlation"], "record" in two) == ("two", False)
    assert (one["correlation"], one["record"]) == ("one", 41)
    assert log.correlation() is None


def test_a_message_on_which_lynchpin_fails_is_named_by_its_number(
    lines: Lines, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(MARK)

    monkeypatch.setattr("hub.settle._settle_one", fail)
    serving.send(poslog_writer.sale(seed=3))
    assert serving.settled() == {"held": 1}
    (line,) = (line for line in lines.all() if line["logger"] == "lynchpin.writer")
    assert (line["code"], line["message_id"]) == ("LP-HUB-030", 1)
    assert line["failure"].startswith("RuntimeError in fail")


@pytest.mark.parametrize("begun", [False, True], ids=["not begun", "begun"])
def test_only_an_answer_that_has_not_begun_becomes_a_problem(*, begun: bool) -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        if begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "headers": []}
    call = Followed(fail, Traffic())(scope, receive, send)
    if begun:
        # Passed on, for the server to hang up: whoever listens must not take it for the whole.
        with pytest.raises(RuntimeError):
            asyncio.run(call)
    else:
        asyncio.run(call)
    statuses = [message["status"] for message in sent if "status" in message]
    assert statuses == ([200] if begun else [500])
