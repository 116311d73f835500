"""Webhooks: what is signed comes in and counts once; what is not leaves no trace."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, select

from connectors import registry
from connectors.api import Stamp
from hub import keys
from hub.demo import poslog_writer
from hub.demo.retailer import NEW_YORK
from hub.store.tables import document, record
from schemas.problem import ConfigError
from tests.hub.api.hooks import NOW, PUBLIC, WHSEC, mac, post, served, shopify, standard, twilio

pytestmark = pytest.mark.databases

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving

ROOT = Path(__file__).resolve().parents[3]
ORDER = (ROOT / "connectors/shopify/samples/order-paid-bare.json").read_bytes()
CALL = (ROOT / "connectors/twilio/samples/incoming-first-request.form").read_bytes()
EVENTS = (ROOT / "connectors/events/samples/campaign-batch.json").read_bytes()
SETTINGS = f"""
[sources.shop]
connector = "shopify"
secrets = ["retired", "invented"]

[sources.desk]
connector = "twilio"
secrets = ["invented"]
public_url = "{PUBLIC}"
options = {{ twiml = "<Response><Dial>+12025550142</Dial></Response>" }}

[sources.bare_desk]
connector = "twilio"
secrets = ["invented"]

[sources.web]
connector = "events"
secrets = ["whsec_{WHSEC}"]
"""


@pytest.fixture
def hooks(tmp_path: Path) -> Iterator[Serving]:
    """A hub with sources whose senders sign."""
    yield from served(tmp_path, SETTINGS)


SIGNED: dict[str, tuple[bytes, dict[str, str]]] = {
    "shop": (ORDER, shopify(ORDER)),
    "desk": (CALL, twilio(CALL)),
    "web": (EVENTS, standard(EVENTS)),
}


@pytest.mark.parametrize("source", SIGNED)
def test_what_is_signed_is_applied(hooks: Serving, source: str) -> None:
    body, headers = SIGNED[source]
    assert post(hooks, source, body, headers).status_code == 200
    states = hooks.settled()
    assert states.keys() == {"applied"}
    assert states["applied"] == (len(json.loads(EVENTS)) if source == "web" else 1)


@pytest.mark.parametrize("source", SIGNED)
def test_a_flipped_byte_another_key_or_no_signature_leaves_nothing(
    hooks: Serving, source: str
) -> None:
    body, headers = SIGNED[source]
    flipped = bytearray(body)
    flipped[len(body) // 2] ^= 1
    other = {
        "shop": shopify(body, key="another"),
        "desk": twilio(body, key="another"),
        "web": {**headers, "webhook-signature": f"v1,{mac('another', body)}"},
    }
    empty = {"Content-Type": headers.get("Content-Type", "application/json")}
    for content, sent in ((bytes(flipped), headers), (body, other[source]), (body, empty)):
        answer = post(hooks, source, content, sent)
        assert answer.status_code == 403
        assert answer.json()["code"] == "LP-SIG-001"
        assert "www-authenticate" not in answer.headers
    assert hooks.count("record") == 0


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_signed_time_that_is_too_far_off_leaves_nothing(hooks: Serving, seconds: int) -> None:
    answer = post(hooks, "web", EVENTS, standard(EVENTS, at=NOW + seconds))
    assert (answer.status_code, answer.json()["code"]) == (403, "LP-SIG-002")
    assert hooks.count("record") == 0


@pytest.mark.parametrize("source", ["nowhere", "poslog", "shopify", "Shop", "%2e%2e"])
def test_where_nobody_can_sign_everything_is_denied_alike(hooks: Serving, source: str) -> None:
    known = post(hooks, "shop", ORDER, shopify(ORDER, key="")).json()
    answer = post(hooks, source, ORDER, shopify(ORDER, key=""))
    assert answer.status_code == 403
    # With a number of its own for each call, or without.
    assert {**answer.json(), "correlation": ""} == {**known, "correlation": ""}
    assert hooks.count("record") == 0


@pytest.mark.parametrize("role", ["operator", "source"])
def test_no_key_opens_a_webhook(hooks: Serving, role: str) -> None:
    answer = hooks.call(role, "POST", "/webhooks/shop", content=ORDER)
    assert answer.status_code == 403
    assert hooks.count("record") == 0


def test_either_of_two_secrets_will_do(hooks: Serving) -> None:
    assert post(hooks, "shop", ORDER, shopify(ORDER, key="retired")).status_code == 200


def test_the_same_event_sent_again_is_the_record_that_came_first(hooks: Serving) -> None:
    headers = shopify(ORDER, Event_Id="e-1", Topic="orders/create")
    first = post(hooks, "shop", ORDER, headers).json()
    again = post(hooks, "shop", ORDER, {**headers, "X-Shopify-Topic": "orders/updated"})
    assert (again.status_code, again.json()) == (200, first)
    assert hooks.count("record") == 1
    # Another body is another message, whatever it is stamped with: stamps are not signed.
    other = ORDER.replace(b'"note":', b'"note_":')
    assert other != ORDER
    answer = post(hooks, "shop", other, shopify(other, Event_Id="e-1"))
    assert answer.json()["record"] != first["record"]
    assert hooks.count("record") == 2


def test_what_was_held_is_said_again(hooks: Serving) -> None:
    torn = b'{"id": 1, "line_items": ['
    headers = shopify(torn, Event_Id="e-1")
    first = post(hooks, "shop", torn, headers).json()
    assert first["held"] == 1
    assert post(hooks, "shop", torn, headers).json() == first


def _order(hooks: Serving) -> dict[str, Any]:
    hooks.settled()

    def body() -> dict[str, Any]:
        chosen = select(document.c.body).where(document.c.kind == "Order")
        with hooks.hub.engine.begin() as connection:
            found: dict[str, Any] = json.loads(connection.scalars(chosen).one())
            return found

    return hooks.writer.alone(body).result()


def _snapshot(updated_at: str, note: str) -> bytes:
    return json.dumps({**json.loads(ORDER), "updated_at": updated_at, "note": note}).encode()


def test_a_stale_retry_changes_nothing(hooks: Serving) -> None:
    new = _snapshot("2031-05-06T09:00:00Z", "as it is")
    old = _snapshot("2031-05-06T05:00:00Z", "as it was")
    post(hooks, "shop", new, shopify(new, Event_Id="e-2"))
    before = _order(hooks)
    assert post(hooks, "shop", old, shopify(old, Event_Id="e-1")).status_code == 200
    assert _order(hooks) == before
    assert hooks.settled() == {"applied": 1, "stale": 1}


@pytest.mark.parametrize("turned", [False, True])
def test_within_one_second_the_later_trigger_stands(hooks: Serving, turned: bool) -> None:  # noqa: FBT001
    """A shop's time of modification has seconds only."""
    sent = []
    for price, trigger in (("1", "09:00:00.100000001"), ("2", "09:00:00.900000001")):
        body = _snapshot("2031-05-06T09:00:00Z", "").replace(
            b'"total_price": "', b'"total_price": "' + price.encode()
        )
        sent.append((body, shopify(body, Triggered_At=f"2031-05-06T{trigger}Z")))
    for body, headers in reversed(sent) if turned else sent:
        assert post(hooks, "shop", body, headers).status_code == 200
    second = json.loads(sent[1][0])["total_price"]
    assert _order(hooks)["total"] == second
    assert hooks.settled() == ({"applied": 1, "stale": 1} if turned else {"applied": 2})


def test_a_call_is_answered_with_what_twilio_is_to_do(hooks: Serving) -> None:
    answer = post(hooks, "desk", CALL, twilio(CALL))
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.text == "<Response><Dial>+12025550142</Dial></Response>"
    own = f"http://127.0.0.1:{hooks.port}/webhooks/bare_desk"
    assert post(hooks, "bare_desk", CALL, twilio(CALL, url=own)).text == "<Response/>"
    assert hooks.settled() == {"applied": 2}


def test_the_public_address_stands_for_the_one_that_arrives(hooks: Serving) -> None:
    own = f"http://127.0.0.1:{hooks.port}/webhooks/desk"
    assert post(hooks, "desk", CALL, twilio(CALL, url=own)).status_code == 403
    signed = twilio(CALL, url=f"{PUBLIC}?team=7&x=%C3%A4")
    assert post(hooks, "desk", CALL, signed, query="?team=7&x=%C3%A4").status_code == 200
    assert post(hooks, "desk", CALL, signed, query="?team=8&x=%C3%A4").status_code == 403
    assert hooks.count("record") == 1


def test_what_is_packed_is_signed_as_it_is_sent(hooks: Serving) -> None:
    packed = gzip.compress(EVENTS)
    encoding = {"Content-Encoding": "gzip"}
    assert post(hooks, "web", packed, {**standard(EVENTS), **encoding}).status_code == 403
    first = post(hooks, "web", packed, {**standard(packed), **encoding})
    assert first.status_code == 200
    assert hooks.settled().keys() == {"applied"}


def test_a_bomb_is_not_unpacked_unless_it_is_signed_and_not_far_then(hooks: Serving) -> None:
    bomb = gzip.compress(bytes(200_000_000))
    encoding = {"Content-Encoding": "gzip"}
    assert post(hooks, "web", bomb, {**standard(b""), **encoding}).status_code == 403
    assert post(hooks, "web", bomb, {**standard(bomb), **encoding}).status_code == 413
    assert hooks.count("record") == 0


def test_a_webhook_larger_than_a_message_is_refused(hooks: Serving) -> None:
    large = b" " * (4 * 1024 * 1024) + b"{}"
    assert post(hooks, "shop", large, shopify(large)).status_code == 413
    room = hooks.app.state.served.doorstep.left

    def without_length() -> Iterator[bytes]:
        yield large[:-1]
        yield large[-1:]

    with hooks.client() as client:
        hook = client.post("/webhooks/shop", content=without_length(), headers=shopify(large))
        assert hook.status_code == 413
    assert hooks.count("record") == 0
    assert hooks.app.state.served.doorstep.left == room


def test_a_source_without_a_secret_hears_nobody_whatever_its_connector_says(
    hooks: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    gullible = replace(registry.load("shopify"), verify=lambda *_: Stamp())
    monkeypatch.setattr(registry, "load", lambda _: gullible)
    assert post(hooks, "shopify", ORDER, {}).status_code == 403
    assert post(hooks, "shop", ORDER, {}).status_code == 200


def test_events_of_a_batch_count_once_each(hooks: Serving) -> None:
    batch = json.loads(EVENTS)
    first = post(hooks, "web", EVENTS, standard(EVENTS))
    assert first.json()["messages"] == len(batch)
    more = json.dumps(batch[-1:]).encode()
    assert post(hooks, "web", more, standard(more, number="msg_2")).status_code == 200
    assert hooks.settled() == {"applied": len(batch), "duplicate": 1}


def test_a_header_that_comes_twice_is_no_signature(hooks: Serving) -> None:
    with hooks.client() as client:
        twice = [("X-Shopify-Hmac-Sha256", "x"), *shopify(ORDER).items()]
        assert client.post("/webhooks/shop", content=ORDER, headers=twice).status_code == 403


@pytest.mark.parametrize(
    "stamp",
    [
        {"Event_Id": "x" * 201},
        {"Triggered_At": "soon"},
        {"Triggered_At": "0001-01-01T00:00:00+23:59"},
    ],
)
def test_a_stamp_that_is_none_is_left_out(hooks: Serving, stamp: dict[str, str]) -> None:
    assert post(hooks, "shop", ORDER, shopify(ORDER, **stamp)).status_code == 200

    def stamps() -> list[Any]:
        with hooks.hub.engine.begin() as connection:
            return list(connection.execute(select(record.c.stamp, record.c.stamped_at)).one())

    assert hooks.writer.alone(stamps).result() == [None, None]


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ('[sources.web]\nconnector = "events"\nsecrets = ["whsec_no"]', "LP-CFG-041"),
        ('[sources.till]\nconnector = "poslog"\nsecrets = ["x"]', "LP-CFG-042"),
        ('[sources.desk]\nconnector = "twilio"\noptions = {twiml = "<Say/>"}', "LP-CFG-012"),
        ('[sources.desk]\nconnector = "twilio"\noptions = {twiml = "Say"}', "LP-CFG-012"),
        ('[sources.shop]\nconnector = "shopify"\nsecrets = [""]', "LP-CFG-012"),
        ('[sources.shop]\nconnector = "shopify"\npublic_url = "hub?x=1"', "LP-CFG-012"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(tmp_path: Path, setting: str, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        next(served(tmp_path, setting))
    assert caught.value.problem.code == code
    assert "whsec_no" not in str(caught.value)


def test_a_key_of_a_store_holds_what_is_of_another(hooks: Serving) -> None:
    """Records of tills come in with a key, which may be limited to what its stores sell."""

    def send(content: bytes, *stores: str) -> None:
        def limited(connection: Connection) -> str:
            now = hooks.hub.now()
            return keys.create(
                connection, "till", "source", ("poslog",), stores=stores, actor="test", now=now
            )[1]

        bearer = {"Authorization": f"Bearer {hooks.writer.submit(limited).result()}"}
        path = "/sources/poslog/records"
        assert hooks.call(None, "POST", path, content=content, headers=bearer).status_code == 202

    send(poslog_writer.sale(seed=3), NEW_YORK.number)
    assert hooks.settled() == {"applied": 1}
    send(poslog_writer.sale(1, seed=3), "9999", "9998")
    assert hooks.settled()["held"] == 1
    (hold,) = _items(hooks.call("operator", "GET", "/holds").json())
    assert hold["code"] == "LP-HUB-011"
    path = f"/holds/{hold['message_id']}/release"
    assert hooks.call("operator", "POST", path, json={}).json()["state"] == "applied"


def _items(page: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page["items"] if isinstance(page, dict) else page
    return found
