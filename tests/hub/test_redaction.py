"""Redaction: who a person is goes for good; what happened, and that it came, stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import insert, select

from connectors import registry
from connectors.contract.trial import samples
from hub import edit, integrity, redaction
from hub.bootstrap import Hub
from hub.door import take_in
from hub.erasure import shaped
from hub.journal import decompress
from hub.publication import Target
from hub.settle import settle_pending
from hub.store.tables import (
    audit,
    claim,
    delivery,
    document,
    message,
    metadata,
)
from schemas.problem import Rejected
from tests.hub.replaying import replay
from tests.hub.test_waiting import FACT, mend, order, send, settled

pytestmark = pytest.mark.databases

PERSON = {
    "first_name": "Zenobia",
    "last_name": "Quackenbüsh",
    "name": "Zenobia Quackenbüsh",
    "address1": "77 Wunderlich Street",
    "city": "Xanadoon",
    "zip": "98765",
    "phone": "+1 212 555 0177",
    "country": "United States",
    "country_code": "US",
}
MAIL = "zenobia.quack@xanadoon.example"
SAID = (
    "zenobia", "quackenb", "wunderlich", "xanadoon", "98765", "555 0177", "5550177", MAIL,
    "knitting",
    "zarathustra",
)  # fmt: skip


def personal(minute: int, **changes: Any) -> dict[str, Any]:
    who: dict[str, Any] = {
        "email": MAIL,
        "contact_email": MAIL,
        "phone": PERSON["phone"],
        "client_details": {"user_agent": "Zarathustra"},
        "note": "Ask Zenobia about the knitting",
        "billing_address": PERSON,
        "shipping_address": PERSON,
    }
    body = order(minute, **who)
    if isinstance(body.get("customer"), dict):
        body["customer"] |= {**{n: PERSON[n] for n in ("first_name", "last_name")}, "email": MAIL}
        body["customer"]["phone"] = PERSON["phone"]
        body["customer"]["default_address"] = PERSON
    return {**body, **changes}


def everything(hub: Hub, *, but: tuple[str, ...] = ("audit",)) -> Iterator[tuple[str, str]]:
    """Every text of the database, payloads unpacked."""
    with hub.engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table.name in but:
                continue
            for row in connection.execute(select(table)).mappings():
                for column in table.columns:
                    value = row[column.name]
                    if isinstance(value, bytes) and value[:4] == b"\x28\xb5\x2f\xfd":
                        value = decompress(value, connection)
                    if isinstance(value, bytes):
                        value = value.decode("utf-8", "replace")
                    if isinstance(value, str):
                        yield f"{table.name}.{column.name}", value


def left(hub: Hub) -> list[str]:
    """Where something of her is still said."""
    return sorted(
        {
            f"{place} {word}"
            for place, text in everything(hub)
            for word in SAID
            if word in text.lower()
        }
    )


def redact(hub: Hub, number: int | None = None, person: str | None = None) -> redaction.Redacted:
    with hub.engine.begin() as connection:
        return redaction.redact_named(
            hub, connection, message=number, person=person, actor="ann", reason="they asked"
        )


def body(hub: Hub, fact: str = FACT) -> dict[str, Any]:
    with hub.engine.begin() as connection:
        found = connection.scalar(select(document.c.body).where(document.c.fact == fact))
    assert found is not None
    return dict(json.loads(found))


def test_nothing_of_her_is_left_and_all_else_is(hub: Hub) -> None:
    send(hub, personal(1), personal(2), personal(2), personal(1))
    assert left(hub)
    before = body(hub)
    with hub.engine.begin() as connection:
        hashes = connection.execute(select(document.c.fact, document.c.business_hash)).all()
    assert redact(hub, 2) == redaction.Redacted(1, 1, 3)
    assert left(hub) == []
    after = body(hub)
    assert (after["number"], after["lines"], after["total"]) == (
        before["number"], before["lines"], before["total"],
    )  # fmt: skip
    with hub.engine.begin() as connection:
        assert connection.execute(select(document.c.fact, document.c.business_hash)).all() == hashes
        assert connection.execute(select(claim)).all() == []
        [told] = connection.execute(
            select(audit.c.subject, audit.c.detail).where(audit.c.act == "journal.redact")
        ).all()
    assert told[0] == "message 2"
    assert json.loads(told[1]) == {"reason": "they asked", "documents": 1, "messages": 4}
    assert list(integrity.examine(hub.settings.database(hub.home))) == []


def test_what_comes_again_is_known_and_does_not_bring_it_back(hub: Hub) -> None:
    send(hub, personal(2))
    redact(hub, 1)
    states = send(hub, personal(2), personal(1)).states
    assert list(states.values()) == ["duplicate", "stale"]
    assert left(hub) == []


def test_a_newer_version_is_new_and_says_what_it_says(hub: Hub) -> None:
    send(hub, personal(2))
    redact(hub, 1)
    assert list(send(hub, personal(3)).states.values()) == ["applied"]
    assert left(hub)
    with hub.engine.begin() as connection:
        assert connection.scalar(select(document.c.redacted_at)) is None
        assert connection.execute(select(claim)).all() != []


def test_a_replay_reads_the_redacted_form(hub: Hub) -> None:
    send(hub, personal(2))
    redact(hub, 1)
    before = body(hub)
    mend(hub)
    with hub.engine.begin() as connection:
        done = replay(hub, connection, Target("shopify", "order"))
    assert (done.remade, done.failed) == (1, 0)
    assert left(hub) == []
    after = body(hub)
    assert after["lines"] == before["lines"]
    with hub.engine.begin() as connection:
        assert connection.execute(select(claim)).all() == []
        assert connection.scalar(select(document.c.redacted_at)) is not None
    # What was replayed still knows what came before.
    assert list(send(hub, personal(2)).states.values()) == ["duplicate"]
    assert left(hub) == []


def test_all_of_a_person_goes_and_nobody_elses(hub: Hub) -> None:
    other = 4400000009999
    somebody = {"id": 8, "email": "bo@else.example", "first_name": "Bo", "last_name": "Else"}
    else_ = order(1, 4400000008888, customer=somebody, email="bo@else.example", phone=None)
    send(hub, personal(1), personal(1, id=other, name="#9999"), else_)
    untouched = body(hub, "shopify:order/4400000008888")
    done = redact(hub, person=FACT)
    assert (done.documents, done.removed) == (2, 0)
    assert left(hub) == []
    assert body(hub, "shopify:order/4400000008888") == untouched


def test_an_edit_and_what_is_to_be_told_go_too(hub: Hub) -> None:
    send(hub, personal(1, total_price="much"))
    edit.edit(hub, 1, json.dumps(personal(1)).encode(), actor="ann", reason="a test")
    with hub.engine.begin() as connection:
        found = connection.scalar(select(document.c.body))
        assert found is not None
        envelope = {"kind": "Order", "model": "order.v1", "document": json.loads(found)}
        row = {
            "key": "k", "destination": "crm", "subject": FACT, "kind": "Order", "message_id": 1,
            "created_at": "", "due_at": "", "state": "waiting",
            "content": json.dumps(envelope), "payload": json.dumps(envelope),
        }  # fmt: skip
        connection.execute(insert(delivery).values(row))
    redact(hub, 1)
    assert left(hub) == []
    with hub.engine.begin() as connection:
        content, payload = connection.execute(select(delivery.c.content, delivery.c.payload)).one()
    assert payload is None
    assert json.loads(content)["document"]["number"] == envelope["document"]["number"]


def test_a_text_that_cannot_be_told_from_what_was_sold_goes_whole(hub: Hub) -> None:
    send(hub, personal(1))
    sold = body(hub)["lines"]
    word = sold[0]["description"].split()[-1]
    send(hub, personal(2, billing_address={**PERSON, "first_name": word}))
    assert redact(hub, 2) == redaction.Redacted(1, 0, 2)
    assert body(hub)["lines"] == sold
    assert left(hub) == []


def test_a_text_that_is_spelt_as_nobody_does_goes_whole(hub: Hub) -> None:
    street = PERSON["address1"]
    strange = "".join(f"\\u{ord(char):04x}" for char in street)
    content = json.dumps(personal(1)).replace(street, strange).encode()
    with hub.engine.begin() as connection:
        take_in(connection, hub.door("shopify"), [content], name="o.json", now=hub.now())
    settled(hub)
    assert redact(hub, 1) == redaction.Redacted(1, 0, 1)
    assert left(hub) == []


def test_what_is_still_open_is_decided_first(hub: Hub) -> None:
    send(hub, personal(1), personal(2, total_price="much"))
    for number in (1, 2):
        with pytest.raises(Rejected, match="LP-HUB-026"):
            redact(hub, number)
    with pytest.raises(Rejected, match="LP-HUB-004"):
        redact(hub, 99)
    with pytest.raises(Rejected, match="LP-HUB-004"):
        redact(hub, person="none")
    assert left(hub)


def test_every_sample_of_every_connector_can_be_redacted(hub: Hub) -> None:
    """Rewritten where that holds, else removed; names and sums are as before either way."""
    for name in sorted(registry.manifests()):
        if name not in hub.settings.sources:
            continue
        for sample in samples(name):
            with hub.engine.begin() as connection:
                take_in(
                    connection, hub.door(name), [sample.read_bytes()],
                    name=sample.name, now=hub.now(),
                )  # fmt: skip
    settle_pending(hub.engine, hub.bus, hub.translator, hub.now)
    with hub.engine.begin() as connection:
        applied = connection.scalars(
            select(message.c.id).where(message.c.state == "applied").order_by(message.c.id)
        ).all()
        sums = select(
            document.c.fact, document.c.revenue, document.c.business_hash, document.c.version
        ).order_by(document.c.fact)
        before = connection.execute(sums).all()
    done = []
    for number in applied:
        with suppress(Rejected):
            done.append(redact(hub, number))
    with hub.engine.begin() as connection:
        assert connection.execute(sums).all() == before
    assert sum(each.rewritten for each in done) > len(done) // 2
    assert list(integrity.examine(hub.settings.database(hub.home))) == []


def test_only_the_shape_of_a_text_is_left() -> None:
    assert shaped("Ann Ünal, 12b") == "Xxx Xxxx, 11x"
