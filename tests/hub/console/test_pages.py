"""The pages: masked, audited, escaped, and each with its way on."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from sqlalchemy import select, update

from hub import catalogue
from hub.console import holds as console_holds
from hub.console import messages, overview
from hub.console.page import HEADERS
from hub.demo import day, poslog_writer, shop_writer
from hub.demo.retailer import person
from hub.door import take_in
from hub.store.tables import claim, document, hold, record
from tests.hub.console.conftest import (
    ACCOUNT_FACT,
    BROKEN,
    ORDER,
    ORDER_FACT,
    PRIVATE,
    RECEIPT,
    SALE_FACT,
    SHOPPER,
    visible,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.hub.api.conftest import Serving
    from tests.hub.console.conftest import Visitor

HELD = 2
REFUND_FACT = f"shopify:refund/{7_300_000_000 + ORDER.number}"
CALL_FACT = "twilio:call/CAexample1"
DOCUMENTS = (SALE_FACT, ORDER_FACT, REFUND_FACT, ACCOUNT_FACT, CALL_FACT)
PAGES = [
    "",
    "/stores",
    "/holds",
    "/holds?code=LP-MAP-102",
    "/mappings",
    "/mappings/poslog/retail",
    "/mappings/poslog/retail?version=shipped&against=shipped",
    "/messages",
    "/messages?state=held&source=poslog",
    *(f"/messages/{number}" for number in range(1, 7)),
    f"/people/{SALE_FACT}",
    *(f"/documents/{quote(fact)}" for fact in DOCUMENTS),
    *(f"/origins/{quote(fact)}" for fact in DOCUMENTS),
]
REVEALED = [page for page in PAGES if re.match("/(people|documents|origins|messages)/", page)]
FIXED = ("kind", "status", "role", "life", "currency", "zone_origin")
EVIL = """"'><script>alert(1)</script><img src=x onerror=alert(2)>"""


class _Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def _private(text: str) -> list[str]:
    return [each for each in PRIVATE if each in text.lower()]


def test_nobody_is_named_before_somebody_says_why(full: Serving, visitor: Visitor) -> None:
    for page in PAGES:
        answer = visitor.get(page)
        assert answer.status_code == 200, f"{page}: {visible(answer)}"
        assert _private(answer.text) == [], page
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_for_a_reason_that_the_audit_keeps_they_are_shown(full: Serving, visitor: Visitor) -> None:
    assert len(REVEALED) > 15
    for page in REVEALED:
        before = len(full.audited())
        for reason in (" ", "x" * 501):
            assert visitor.post(page, reason=reason).status_code == 400
        assert len(full.audited()) == before
        shown = visitor.post(page, reason="the caller asks")
        assert shown.status_code == 200, f"{page}: {visible(shown)}"
        actor, act, _, detail = full.audited()[-1]
        assert (act, detail) == ("reveal", {"reason": "the caller asks"})
        assert actor.endswith("console, anna")


def test_what_is_revealed_is_the_person(full: Serving, visitor: Visitor) -> None:
    shown = visitor.post(f"/people/{SALE_FACT}", reason="the caller asks")
    assert set(_private(shown.text)) == set(PRIVATE)
    assert "the caller asks" in visible(shown)


def test_looking_is_audited_too(full: Serving, visitor: Visitor) -> None:
    visitor.get(f"/people/{SALE_FACT}")
    visitor.get(f"/documents/{ORDER_FACT}")
    visitor.get(f"/origins/{ORDER_FACT}?at=total")
    subjects = [(act, subject) for _, act, subject, _ in full.audited()]
    assert subjects == [("read", ACCOUNT_FACT), ("read", ORDER_FACT), ("read", ORDER_FACT)]


def _all_evil(connection: Connection) -> None:
    """Let every text that anybody sent be an attack, down to codes."""
    for fact, body in connection.execute(select(document.c.fact, document.c.body)).all():
        flag = {"code": "LP-X", "path": EVIL, "detail": EVIL}
        values = {"body": json.dumps(_evil(json.loads(body))), "flags": json.dumps([flag])}
        connection.execute(update(document).where(document.c.fact == fact).values(values))
    connection.execute(update(record).values(name=EVIL))
    problem = {"code": "LP-X", "summary": EVIL, "next_step": EVIL, "detail": EVIL, "path": EVIL}
    connection.execute(update(hold).values(problem=json.dumps(problem)))
    cards = claim.c.kind.in_(("loyalty", "membership"))
    connection.execute(update(claim).where(cards).values(value=EVIL))


def _evil(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _evil(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_evil(inner, name) for inner in value]
    # Amounts, times and the words of a fixed list are checked when a document is applied.
    fixed = name in FIXED or re.fullmatch(r"[-+0-9.:TZ]+", str(value))
    return EVIL if isinstance(value, str) and not fixed else value


def test_what_somebody_sent_is_text_and_nothing_else(full: Serving, visitor: Visitor) -> None:
    full.writer.submit(_all_evil).result()
    for page in PAGES:
        if "/origins/" in page:
            # What is recomputed from the message is not in the database to be made evil.
            continue
        answers = [visitor.get(page)]
        if page in REVEALED:
            answers.append(visitor.post(page, reason=EVIL))
            assert "&lt;script&gt;" in answers[-1].text, page
        for answer in answers:
            assert answer.status_code == 200, f"{page}: {visible(answer)}"
            _check_harmless(answer.text, page)


def _check_harmless(text: str, page: str) -> None:
    """No element or attribute that could act, but for our own scripts."""
    for tag, attributes in _Elements(text).found:
        acting = [name for name in attributes if name.startswith("on") or name == "style"]
        assert acting == [], page
        if tag in {"script", "img", "link"}:
            source = attributes.get("src") or attributes.get("href") or ""
            assert source.startswith("/console/assets/"), page


def test_an_origin_tells_message_path_rule_and_version(full: Serving, visitor: Visitor) -> None:
    said = visible(visitor.get(f"/origins/{ORDER_FACT}?at=total"))
    assert str(ORDER.total) in said
    for part in ("total_price", "total: total_price", "shopify/order.yaml, line", "message 4"):
        assert part in said


def test_every_value_of_a_document_leads_to_its_origin(full: Serving, visitor: Visitor) -> None:
    page = visitor.get(f"/documents/{SALE_FACT}").text
    links = [a["href"] for t, a in _Elements(page).found if t == "a" and a.get("class") == "value"]
    assert len(links) > 30
    for link in dict.fromkeys(links):
        assert link is not None
        assert visitor.client.get(link).status_code == 200, link


MEANT = {
    SHOPPER.phone: f"/console/people/{ACCOUNT_FACT}",
    SHOPPER.email.upper(): f"/console/people/{ACCOUNT_FACT}",
    SHOPPER.card: f"/console/people/{ACCOUNT_FACT}",
    f"#{ORDER.number}": f"/console/documents/{ORDER_FACT}",
    SALE_FACT: f"/console/documents/{SALE_FACT}",
}


def test_what_is_meant_alone_is_shown_at_once(full: Serving, visitor: Visitor) -> None:
    for text, place in MEANT.items():
        answer = visitor.post("/search", q=text)
        assert (answer.status_code, answer.headers.get("location")) == (303, place)
        _, act, subject, detail = full.audited()[-1]
        assert (act, subject) == ("read", "customers")
        assert _private(json.dumps(detail)) == []


def test_a_message_is_found_by_its_number(full: Serving, visitor: Visitor) -> None:
    assert f"/console/messages/{HELD}" in visitor.post("/search", q=str(HELD)).text
    nothing = visible(visitor.post("/search", q="999"))
    assert "Nothing goes by exactly this" in nothing


def test_what_cannot_be_looked_for_is_said(visitor: Visitor) -> None:
    for text in ("", "  ", "x" * 201):
        answer = visitor.post("/search", q=text)
        assert (answer.status_code, "LP-WEB-004" in visible(answer)) == (400, True)


def test_the_story_stands_in_lanes(full: Serving, visitor: Visitor) -> None:
    page = visitor.get(f"/people/{SALE_FACT}").text
    assert re.findall(r'<li class="(\w+)">', page) == ["phone", "till", "shop", "shop", "shop"]


def test_each_figure_of_the_first_page_leads_to_its_list(full: Serving, visitor: Visitor) -> None:
    page = visitor.get("")
    for tag, attributes in _Elements(page.text).found:
        address = attributes.get("href") or ""
        if tag == "a" and not address.startswith("#"):
            assert visitor.client.get(address).status_code == 200, address
    assert "6 messages" in visible(page)
    assert "1 held" in visible(page)
    one = visitor.get("/messages?source=poslog&state=held").text
    assert re.findall(r'href="/console/messages/(\d+)"', one) == [str(HELD)]


def test_what_came_before_yesterday_is_not_counted(full: Serving) -> None:
    def at(now: str) -> int:
        with full.hub.engine.begin() as connection:
            return overview.overview(connection, full.hub.settings, now=now).messages

    now = full.hub.now()
    assert full.writer.alone(lambda: at(now)).result() == 6
    assert full.writer.alone(lambda: at("2999-01-01T00:00:00.000000Z")).result() == 0


def test_nothing_is_done_before_it_is_confirmed(full: Serving, visitor: Visitor) -> None:
    for act in ("release", "discard"):
        asked = visitor.post("/holds/confirm", act=act, message=str(HELD), code="LP-MAP-102")
        assert "The audit keeps" in visible(asked) or "the audit keeps" in visible(asked)
    assert full.settled()["held"] == 1
    assert visitor.post("/holds/confirm", act="erase", message=str(HELD)).status_code == 400
    assert visitor.post("/holds/confirm", act="release").status_code == 400


def test_a_whole_group_is_released_in_order_batch_by_batch(
    full: Serving, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = [poslog_writer.without_total(replace(BROKEN, sequence=900 + n)) for n in range(5)]
    for piece in pieces:
        full.send(b"".join(poslog_writer.document([piece], dialect="v2")))
    assert full.settled()["held"] == 6
    monkeypatch.setattr(console_holds, "_SHOWN_MAX", 2)
    monkeypatch.setattr(console_holds, "_AT_ONCE", 2)
    page = visitor.get("/holds")
    assert "Release the whole group…" in visible(page)
    (row, *_) = full.call("operator", "GET", "/holds").json()["items"]
    group = row["fingerprint"]
    asked = visitor.post("/holds/confirm", act="group", group=group)
    assert "Release all 6 messages that are held for this?" in visible(asked)
    assert full.audited("hold.release") == []
    said = visible(visitor.post("/holds/group", group=group))
    assert "0 messages settled, 6 held again" in said
    released = [subject for _, _, subject, _ in full.audited("hold.release")]
    assert released == [f"message {number}" for number in (HELD, 7, 8, 9, 10, 11)]
    assert "0 messages settled" in visible(visitor.post("/holds/group", group="none"))


def test_what_fails_again_is_held_again_and_says_why(full: Serving, visitor: Visitor) -> None:
    answer = visitor.post("/holds/release", message=str(HELD))
    assert "<h1>Held</h1>" in answer.text
    said = visible(answer)
    assert "0 messages settled, 1 held again" in said
    assert "LP-MAP-102" in said


def test_a_conflict_leads_to_what_stands_and_replaces_it_only_when_told_to(
    full: Serving, visitor: Visitor
) -> None:
    assert full.send(day.file([replace(RECEIPT, loyalty=None)])).status_code == 202
    assert full.settled()["held"] == 2
    before = visitor.get(f"/documents/{SALE_FACT}").text.count("loyalty")
    shown = visitor.get("/messages/7")
    assert f'<a href="/console/documents/{SALE_FACT}">what stands now</a>' in shown.text
    assert "what stands now" not in visitor.get(f"/messages/{HELD}").text
    said = visible(visitor.post("/holds/release", message="7"))
    assert "0 messages settled, 1 held again" in said
    said = visible(visitor.post("/holds/release", message="7", replace="yes"))
    assert "1 message settled" in said
    assert visitor.get(f"/documents/{SALE_FACT}").text.count("loyalty") < before


def test_a_message_is_given_up_for_a_reason(full: Serving, visitor: Visitor) -> None:
    assert visitor.post("/holds/discard", message=str(HELD)).status_code == 400
    assert full.settled()["held"] == 1
    answer = visitor.post("/holds/discard", message=str(HELD), reason="sent twice")
    assert "<h1>Held</h1>" in answer.text
    said = visible(answer)
    assert "1 message given up" in said
    assert full.settled() == {"applied": 5, "discarded": 1}
    again = visitor.post("/holds/discard", message=str(HELD), reason="sent twice")
    assert again.status_code == 409


STRAY = {
    "/nowhere": (404, "LP-WEB-005"),
    "/people/none": (404, "LP-HUB-004"),
    "/documents/none": (404, "LP-HUB-004"),
    "/messages/999": (404, "LP-HUB-004"),
    "/messages/x": (422, "LP-API-006"),
    "/messages?cursor=x": (422, "LP-PEOPLE-001"),
    f"/origins/{ORDER_FACT}?at=none": (404, "LP-HUB-004"),
}


def test_a_problem_is_a_page_with_a_code_and_a_next_step(full: Serving, visitor: Visitor) -> None:
    known = catalogue.causes()
    for path, (status, code) in STRAY.items():
        answer = visitor.get(path)
        said = visible(answer)
        assert (answer.status_code, answer.headers["content-type"][:9]) == (status, "text/html")
        assert code in said, f"{path}: {said}"
        assert known[code].next_step in said
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_what_nobody_foresaw_is_a_page_that_tells_nothing(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SHOPPER.email)

    monkeypatch.setattr(overview, "overview", fail)
    answer = visitor.get("")
    assert answer.status_code == 500
    assert "LP-API-007" in visible(answer)
    assert _private(answer.text) == []


def test_an_empty_hub_says_how_it_is_filled(visitor: Visitor) -> None:
    for path, hint in (
        ("", "lynchpin receive"),
        ("/messages", "lynchpin receive"),
        ("/stores", "Install one"),
        ("/holds", "Nothing is held"),
    ):
        assert hint in visible(visitor.get(path))


def test_what_several_people_go_by_is_said_to_be_shared(full: Serving, visitor: Visitor) -> None:
    other = shop_writer.customer(replace(person(8), phone=SHOPPER.phone))
    work = partial(
        take_in, door=full.hub.door("shopify"), chunks=[other], name="x", now=full.hub.now()
    )
    full.writer.submit(work).result()
    full.settled()
    said = visible(visitor.get(f"/people/{ACCOUNT_FACT}"))
    assert "+1 *** 77 shared: joins nobody" in said
    assert "possibly the same person" in said
    both = visible(visitor.post("/search", q=SHOPPER.phone))
    assert both.count("by phone,") >= 2


def test_only_the_newest_records_are_counted(
    full: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "_RECORDS_MAX", 2)

    def at() -> tuple[int, str]:
        with full.hub.engine.begin() as connection:
            found = overview.overview(connection, full.hub.settings, now=full.hub.now())
            first = connection.scalar(select(record.c.received_at).where(record.c.id == 4))
            assert found.since == first
            return found.messages, found.since

    assert full.writer.alone(at).result()[0] == 3


def test_a_message_shows_its_bytes_its_document_and_what_it_became(
    full: Serving, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "SHOWN_BYTES_MAX", 300)
    said = visible(visitor.post("/messages/4", reason="look at it"))
    assert "Decoded: order" in said
    assert '"total_price":' in said
    assert '"channel": "web"' in said
    assert f"{ORDER_FACT}" in said
    assert "bytes more are not shown" in said
    as_received = said[said.index("As received") :]
    assert len(as_received) < 600


def test_times_keep_what_their_source_said(full: Serving, visitor: Visitor) -> None:
    page = visitor.get(f"/documents/{SALE_FACT}").text
    found = re.search(r'<time datetime="([^"]+)Z" title="([^"]+)">', page)
    assert found is not None
    assert RECEIPT.at.isoformat(sep=" ", timespec="seconds") in found[2]
    assert found[2].endswith(f"at the source, {found[1].replace('T', ' ')} UTC")
