"""The journal on a page: what it weighs, and what a person has done to it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from hub.console.words import size
from hub.store.tables import message, record
from tests.hub.console.conftest import ACCOUNT_FACT, SALE_FACT, SHOPPER, visible

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving
    from tests.hub.console.conftest import Visitor

HELD = 2


def told(count: int) -> str:
    return size(count).replace("\u202f", " ")


def _removed(full: Serving) -> list[int]:
    with full.app.state.served.readers.begin() as connection:
        gone = select(message.c.id).where(message.c.removed_at.is_not(None))
        return list(connection.scalars(gone.order_by(message.c.id)))


def test_bytes_are_told_as_people_read_them() -> None:
    assert [told(count) for count in (0, 1, 999, 1000, 1_499_999, 2_000_000_000)] == [
        "0 bytes",
        "1 byte",
        "999 bytes",
        "1.0 kB",
        "1.5 MB",
        "2.0 GB",
    ]


def test_the_page_says_what_the_command_says(full: Serving, visitor: Visitor) -> None:
    rows = full.call("operator", "GET", "/journal").json()
    said = visible(visitor.get("/journal"))
    assert [row["source"] for row in rows] == ["poslog", "shopify", "twilio"]
    for row in rows:
        assert f"{row['source']} {row['messages']} {told(row['raw_bytes'])}" in said
        for kind in row["kinds"]:
            name = kind["kind"] or "could not be read"
            figures = f"{kind['messages']} {told(kind['stored_bytes'])} {kind['keep_days']}"
            assert f"{row['source']} {name} {figures}" in said
    assert "6 messages from 3 sources" in said


def test_learning_says_what_it_came_to(full: Serving, visitor: Visitor) -> None:
    said = visible(visitor.post("/journal/train", source="shopify"))
    assert "Nothing is learned from shopify" in said
    assert visitor.post("/journal/train", source="nowhere").status_code == 404
    assert visitor.post("/journal/train").status_code == 404


def test_what_is_over_its_days_is_removed_once_that_is_confirmed(
    full: Serving, visitor: Visitor
) -> None:
    assert "Nothing is over its days." in visible(visitor.post("/journal/confirm", act="sweep"))

    def old() -> None:
        with full.hub.engine.begin() as connection:
            connection.execute(update(record).values(received_at="2020-01-01T00:00:00.000000Z"))

    full.writer.alone(old).result()
    assert "0 messages removed after" in visible(visitor.get("/journal"))
    asked = visible(visitor.post("/journal/confirm", act="sweep"))
    assert "Remove what 5 messages said?" in asked
    assert _removed(full) == []
    assert "What 5 messages said is removed" in visible(visitor.post("/journal/sweep"))
    # What is held stays.
    assert _removed(full) == [1, 3, 4, 5, 6]
    [(actor, _, _, detail)] = full.audited("journal.sweep")
    assert (actor.endswith("console, anna"), detail and detail["messages"]) == (True, 5)
    # The page does not tell the count of before.
    assert "5 messages removed after" in visible(visitor.get("/journal"))
    shown = visible(visitor.get("/messages/1"))
    assert "What it said was removed" in shown
    assert "Redact" not in shown


def test_a_person_is_redacted_after_what_will_be_lost_is_shown(
    full: Serving, visitor: Visitor
) -> None:
    assert "Redact…" in visible(visitor.get(f"/people/{ACCOUNT_FACT}"))
    asked = visitor.post("/journal/confirm", act="redact", person=ACCOUNT_FACT)
    said = visible(asked)
    assert "4 documents and 4 messages" in said
    assert SALE_FACT in said
    assert SHOPPER.email not in asked.text
    form = {"person": ACCOUNT_FACT, "reason": "they asked", "sure": "yes"}
    for name in ("reason", "sure", "person"):
        left = {key: value for key, value in form.items() if key != name}
        assert visitor.post("/journal/redact", None, **left).status_code == 400
    assert full.audited("journal.redact") == []
    done = visible(visitor.post("/journal/redact", None, **form))
    assert "4 documents redacted" in done
    [(_, _, subject, detail)] = full.audited("journal.redact")
    assert (subject, detail and detail["reason"]) == (ACCOUNT_FACT, "they asked")
    found = visitor.post("/search", q=SHOPPER.email)
    assert "Nothing found" in visible(found)
    assert "4 messages redacted" in visible(visitor.get("/journal"))


def test_a_message_is_redacted_unless_it_is_still_open(full: Serving, visitor: Visitor) -> None:
    assert "1 document and 1 message" in visible(
        visitor.post("/journal/confirm", act="redact", message="1")
    )
    for path in ("confirm", "redact"):
        form = {"act": "redact", "sure": "yes", "reason": "x"}
        answer = visitor.post(f"/journal/{path}", None, **form, message=str(HELD))
        assert (answer.status_code, "LP-HUB-026" in visible(answer)) == (409, True)
        for wrong in ({}, {"message": "1", "person": "x"}, {"message": "x"}):
            answer = visitor.post(f"/journal/{path}", None, **form, **wrong)
            assert answer.status_code == 400
    assert visitor.post("/journal/confirm", act="erase", message="1").status_code == 400
    done = visible(visitor.post("/journal/redact", message="1", sure="yes", reason="they asked"))
    assert "1 message rewritten" in done
    assert "Who a person is was taken out of it" in visible(visitor.get("/messages/1"))
