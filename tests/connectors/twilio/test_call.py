"""Calls: who is at the other end, when it was, and which webhook of a call is the newest."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from urllib.parse import urlencode

import pytest

from connectors.api import Name, Slice
from connectors.contract.trial import mapping
from connectors.scrub import scrub
from connectors.twilio import connector
from connectors.twilio.connector import TwilioOptions
from schemas.interaction import Interaction
from schemas.problem import Rejected

OPTIONS = TwilioOptions()
SAMPLES = Path(__file__).resolve().parents[3] / "connectors" / "twilio" / "samples"
ANN, SHOP = "+12025550142", "+12025550100"


def form(**fields: str) -> bytes:
    call = {"CallSid": "CAexample1", "CallStatus": "ringing", "Direction": "inbound"}
    return urlencode({**call, "From": ANN, "To": SHOP, **fields}).encode()


def call(payload: bytes) -> Interaction:
    (document,) = connector.decode(payload, b"", OPTIONS)
    model, _ = mapping("twilio", "call").build(document.body, system="calls")
    assert isinstance(model, Interaction)
    return model


def name(payload: bytes) -> Name:
    (document,) = connector.decode(payload, b"", OPTIONS)
    return connector.name(document, OPTIONS)


def parties(payload: bytes) -> list[tuple[str, str]]:
    return [(each.kind, each.value) for each in call(payload).customers]


@pytest.mark.parametrize(
    ("direction", "found"),
    [
        ("inbound", ANN),
        ("trunking-terminating", ANN),
        ("outbound-api", SHOP),
        ("outbound-dial", SHOP),
        ("trunking-originating", SHOP),
    ],
)
def test_the_other_party_is_who_is_not_us(direction: str, found: str) -> None:
    assert parties(form(Direction=direction)) == [("phone", found)]


@pytest.mark.parametrize(
    "number",
    [
        *("anonymous", "", " ", "client:desk-7", "sip:12025550142@example.com", "+266696687"),
        *("Restricted", "unknown", "+86282452253", "+1", "+1202555014212345"),
    ],
)
def test_what_is_no_number_identifies_nobody(number: str) -> None:
    assert parties(form(From=number)) == []


def test_the_agent_that_a_call_is_put_through_to_is_no_customer() -> None:
    leg = {"Direction": "outbound-dial", "To": "+12025550177"}
    assert parties(form(**leg, ParentCallSid="CAexample0")) == []
    assert parties(form(**leg)) == [("phone", "+12025550177")]


def test_two_numbers_in_one_field_identify_nobody() -> None:
    assert parties(form() + b"&From=%2B12025550143") == []


def utc(payload: bytes) -> tuple[str | None, str | None]:
    model = call(payload)
    began, ended = model.occurred_at, model.ended_at
    return (began.utc if began else None), (ended.utc if ended else None)


AT = "Tue, 06 May 2031 10:16:23 +0000"


@pytest.mark.parametrize(
    ("fields", "began", "ended"),
    [
        ({}, None, None),
        ({"Timestamp": AT}, "2031-05-06T10:16:23Z", None),
        ({"Timestamp": AT.replace("+0000", "-0000")}, "2031-05-06T10:16:23Z", None),
        ({"Timestamp": AT.replace("+0000", "+0200")}, "2031-05-06T08:16:23Z", None),
        (
            {"Timestamp": AT, "CallStatus": "completed", "CallDuration": "83"},
            "2031-05-06T10:15:00Z",
            "2031-05-06T10:16:23Z",
        ),
        (
            {"Timestamp": AT, "CallStatus": "busy"},
            "2031-05-06T10:16:23Z",
            "2031-05-06T10:16:23Z",
        ),
        ({"Timestamp": AT, "CallDuration": "83"}, "2031-05-06T10:16:23Z", None),
        ({"Timestamp": "yesterday"}, None, None),
        ({"Timestamp": "Tue, 36 May 2031 10:16:23 +0000"}, None, None),
        ({"Timestamp": "Fri, 31 Dec 9999 23:59:59 -0100"}, None, None),
    ],
)
def test_when_it_was(fields: dict[str, str], began: str | None, ended: str | None) -> None:
    assert utc(form(**fields)) == (began, ended)


LIFE = [
    form(CallStatus="queued"),
    form(CallStatus="initiated"),
    form(CallStatus="initiated", SequenceNumber="0"),
    form(CallStatus="ringing"),
    form(CallStatus="ringing", SequenceNumber="1"),
    form(CallStatus="in-progress", SequenceNumber="2"),
    form(CallStatus="in-progress", SequenceNumber="10"),
    form(CallStatus="completed"),
    form(CallStatus="completed", SequenceNumber="11"),
]


def test_versions_sort_as_the_call_went() -> None:
    versions = [name(payload).version or "" for payload in LIFE]
    assert sorted(versions) == versions
    assert len(set(versions)) == len(LIFE)
    for chosen in permutations(LIFE[:5], 3):
        newest = max(chosen, key=lambda payload: name(payload).version or "")
        assert newest == max(chosen, key=LIFE.index)


def test_webhooks_of_one_call_have_one_key() -> None:
    assert {name(payload).key for payload in LIFE} == {("call", "CAexample1")}
    assert name(form(CallSid="CAexample2")).key == ("call", "CAexample2")


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "٣"])
def test_an_odd_sequence_number_counts_as_none(number: str) -> None:
    assert name(form(SequenceNumber=number)).version == "2-0000000000"


def test_a_menu_that_asks_twice_restates_the_same_call() -> None:
    asked = form(CallStatus="in-progress", Digits="1"), form(CallStatus="in-progress", Digits="2")
    assert name(asked[0]) == name(asked[1])
    assert name(form(CallStatus="busy")).content != name(form(CallStatus="failed")).content
    assert name(form(From=SHOP)).content != name(form()).content


@pytest.mark.parametrize("sid", ["", " ", "CA 1", "C" * 101])
def test_a_webhook_without_a_call_is_held(sid: str) -> None:
    with pytest.raises(Rejected) as caught:
        name(form(CallSid=sid))
    assert caught.value.problem.code == "LP-DOC-005"
    with pytest.raises(Rejected):
        name(form() + b"&CallSid=CAexample2")
    with pytest.raises(Rejected):
        name(b"MessageSid=SMexample1")


@pytest.mark.parametrize("field", ["Digits", "SpeechResult", "SecurityCode", "ExpirationDate"])
@pytest.mark.parametrize("typed", ["4111", "1231", "four one 1", "%34%31", "12#*"])
def test_what_callers_type_or_say_is_masked_whole(field: str, typed: str) -> None:
    payload = f"{field}={typed.replace(' ', '+')}&CallSid=CAexample1".encode()
    masked = scrub(payload, connector.scrub)
    assert len(masked) == len(payload)
    value = masked.partition(b"&")[0].partition(b"=")[2]
    assert not any(c in b"0123456789abcdefghijklmnopqrstuvwxyz" for c in value.lower())
    assert masked.endswith(b"&CallSid=CAexample1")


def test_a_card_number_anywhere_else_is_masked() -> None:
    for spelt in ("4111111111111111", "4111+1111+1111+1111", "4111%201111%201111%201111"):
        masked = scrub(f"Note={spelt}&From=%2B12025550142".encode(), connector.scrub)
        assert masked.endswith(b"1111&From=%2B12025550142")
        assert b"4111" not in masked


def test_samples_are_kept_as_they_are_but_for_what_was_typed_or_said() -> None:
    for path in SAMPLES.glob("*.form"):
        record = path.read_bytes()
        spoken = b"Digits=" in record or b"SpeechResult=" in record
        assert (scrub(record, connector.scrub) != record) == spoken, path.name


def test_a_record_is_one_message() -> None:
    (piece,) = connector.split([b"\r\n Call", b"Sid=CAexample1\n"], OPTIONS, None)
    assert piece == Slice(b"CallSid=CAexample1", offset=3)
    assert not connector.continues(b"Sid=CAexample1")
