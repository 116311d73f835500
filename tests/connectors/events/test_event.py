"""Events: what a CloudEvent is, which fact it states, and whose it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.api import Name, Slice
from connectors.contract.trial import mapping
from connectors.events import connector
from connectors.formats.json_text import JsonOptions
from connectors.scrub import scrub
from schemas.interaction import Interaction
from schemas.problem import Rejected

OPTIONS = JsonOptions()


def event(data: Any = None, /, **envelope: Any) -> dict[str, Any]:
    head = {"specversion": "1.0", "source": "//shop.example", "id": "1", "type": "web.visit"}
    return {**head, **envelope, "data": {"visitor": "v-1"} if data is None else data}


def name(body: dict[str, Any]) -> Name:
    (document,) = connector.decode(json.dumps(body).encode(), b"", OPTIONS)
    return connector.name(document, OPTIONS)


def made(body: dict[str, Any]) -> Interaction:
    (document,) = connector.decode(json.dumps(body).encode(), b"", OPTIONS)
    model, _ = mapping("events", "event").build(document.body, system="web")
    assert isinstance(model, Interaction)
    return model


def test_source_and_id_name_the_fact() -> None:
    assert name(event()).key == ("//shop.example", "1")
    assert name(event()).kind == "fact"
    assert name(event(source="//other.example")).key != name(event()).key
    assert name(event(id="2")).key != name(event()).key


@pytest.mark.parametrize("field", ["source", "id", "type"])
@pytest.mark.parametrize("value", ["", " ", None, 1, "x" * 201, ["a"]])
def test_an_event_without_a_name_is_held(field: str, value: Any) -> None:
    with pytest.raises(Rejected) as caught:
        name(event(**{field: value}))
    assert (caught.value.problem.code, caught.value.problem.path) == ("LP-DOC-005", field)


@pytest.mark.parametrize(
    "body",
    [
        event(specversion="0.3"),
        event(specversion=None),
        event("text"),
        event(["a"]),
        {k: v for k, v in event().items() if k != "data"},
        {"id": 1},
    ],
)
def test_what_is_no_cloud_event_is_held_as_foreign(body: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        name(body)
    assert caught.value.problem.code == "LP-DOC-004"


@pytest.mark.parametrize(
    "field",
    [
        *("visitor", "email", "phone", "loyalty", "landing", "referrer", "campaign", "link"),
        *("subject", "survey", "score", "outcome", "store", "order"),
    ],
)
def test_every_mapped_field_is_content(field: str) -> None:
    assert name(event({field: "a"})).content != name(event({field: "b"})).content
    assert name(event({field: "a"})).content != name(event({})).content


def test_envelope_and_customer_are_content() -> None:
    for changed in (
        event(type="web.login"),
        event(time="2031-05-06T10:00:00Z"),
        event(subject="home"),
        event({"visitor": "v-1", "customer": {"id": "1"}}),
        event({"visitor": "v-1", "customer": {"id": "1", "system": "shop"}}),
    ):
        assert name(changed).content != name(event()).content


def test_what_nobody_maps_is_no_content() -> None:
    assert name(event({"visitor": "v-1", "extra": 1}, extra=2)) == name(event())
    assert name(event({"score": 9})) == name(event({"score": "9"}))


def test_a_log_in_carries_both_ids_of_its_person() -> None:
    login = made(
        event({"visitor": "v-1", "customer": {"id": "7001", "system": "shop"}}, type="web.login")
    )
    assert login.kind == "web_login"
    found = [(each.kind, each.value, each.issuer) for each in login.customers]
    assert found == [("customer", "7001", "shop"), ("visitor", "v-1", None)]


@pytest.mark.parametrize("data", [{}, {"visitor": ""}, {"loyalty": "0000"}, {"customer": {}}])
def test_nobody_is_identified_by_nothing(data: dict[str, Any]) -> None:
    assert made(event(data)).customers == ()


@pytest.mark.parametrize(
    ("kind", "becomes", "direction"),
    [
        ("web.visit", "web_visit", "inbound"),
        ("web.login", "web_login", "inbound"),
        ("campaign.sent", "campaign_sent", "outbound"),
        ("campaign.opened", "campaign_opened", "inbound"),
        ("campaign.clicked", "campaign_clicked", "inbound"),
        ("campaign.answered", "campaign_answered", "inbound"),
        ("survey.answered", "survey_answer", "inbound"),
        ("other", "unknown:other", "inbound"),
    ],
)
def test_kinds(kind: str, becomes: str, direction: str) -> None:
    model = made(event(type=kind))
    assert (model.kind, model.direction) == (becomes, direction)


def test_a_batch_is_as_many_messages_as_events() -> None:
    batch = json.dumps([event(id=str(n)) for n in range(5)]).encode()
    pieces = list(connector.split([batch], OPTIONS, None))
    assert len(pieces) == 5
    assert all(isinstance(piece, Slice) for piece in pieces)


def test_one_bad_event_spoils_only_itself() -> None:
    batch = json.dumps([event(id="1"), {"id": "2"}, event(id="3")]).encode()
    good = 0
    for piece in connector.split([batch], OPTIONS, None):
        assert isinstance(piece, Slice)
        try:
            good += len(connector.decode(piece.payload, piece.context, OPTIONS))
        except Rejected:
            continue
    assert good == 2


def test_a_card_number_in_a_comment_is_masked() -> None:
    body = json.dumps(event({"comment": "my card is 4111 1111 1111 1111", "order": "W-0042"}))
    masked = scrub(body.encode(), connector.scrub).decode()
    assert "4111 1111" not in masked
    assert "W-0042" in masked
