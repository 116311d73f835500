"""Running a hub over HTTP: keys, reference data, how records stand, holds, and the export."""

from __future__ import annotations

import base64
import gc
import gzip
import json
import sqlite3
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, get_args

import pytest

from hub import export as exporting
from hub import keys
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Receipt
from hub.demo.retailer import NEW_YORK

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving

RECEIPTS = [entry for entry in till.day(NEW_YORK, seed=3) if isinstance(entry, Receipt)]
PLACES = "system,store,zone,currency\nposlog,{store},America/New_York,USD\n"


def _day(*transactions: bytes) -> bytes:
    return b"".join(poslog_writer.document(transactions, dialect="v2"))


def _audit(serving: Serving, act: str) -> list[tuple[str, str, str | None]]:
    database = f"{serving.hub.home.database.as_uri()}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        query = "SELECT actor, subject, detail FROM audit WHERE act = ? ORDER BY id"
        return connection.execute(query, (act,)).fetchall()


def _made(serving: Serving, **wanted: Any) -> str:
    answer = serving.call("operator", "POST", "/keys", json=wanted)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json()["key"])


def _with(serving: Serving, key: str, path: str) -> int:
    with serving.client() as client:
        client.headers["Authorization"] = f"Bearer {key}"
        return client.get(path).status_code


def test_a_key_is_made_over_http_and_opens_what_it_is_for(serving: Serving) -> None:
    reader = _made(serving, name="a reader", role="reader")
    limited = _made(serving, name="a store", role="reader", stores=["7001"])
    assert (_with(serving, reader, "/orders"), _with(serving, reader, "/keys")) == (200, 403)
    assert (_with(serving, limited, "/orders"), _with(serving, limited, "/holds")) == (200, 403)
    assert _audit(serving, "key.create")[-1][0].endswith(" operator")


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"name": keys.COMMAND_LINE, "role": "operator"}, 400, "LP-KEY-005"),
        ({"name": "", "role": "operator"}, 400, "LP-KEY-006"),
        ({"name": "till", "role": "source", "sources": ["nowhere"]}, 404, "LP-HUB-001"),
        ({"name": "till", "role": "source"}, 400, "LP-KEY-003"),
        ({"name": "till", "role": "owner"}, 422, "LP-API-006"),
        ({"name": "till", "role": "reader", "store": "7001"}, 422, "LP-API-006"),
    ],
)
def test_a_key_that_must_not_be_is_not_made(
    serving: Serving, wanted: dict[str, Any], status: int, code: str
) -> None:
    before = serving.count("api_key")
    answer = serving.call("operator", "POST", "/keys", json=wanted)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert serving.count("api_key") == before


def test_keys_are_listed_a_page_at_a_time(serving: Serving) -> None:
    whole = serving.call("operator", "GET", "/keys").json()
    assert [key["role"] for key in whole["items"]] == list(get_args(keys.Role))
    assert whole["next"] is None
    paged, cursor = [], None
    while True:
        turn = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        said = serving.call("operator", "GET", "/keys", params=turn).json()
        paged += said["items"]
        if (cursor := said["next"]) is None:
            break
    assert paged == whole["items"]
    for row in paged:
        assert "hash" not in row


def _load(serving: Serving, noun: str, content: bytes, **headers: str) -> tuple[int, Any]:
    path = f"/reference/{noun}"
    answer = serving.call("operator", "POST", path, content=content, headers=headers)
    return answer.status_code, answer.json()


def test_reference_data_is_loaded_whole_or_not_at_all(serving: Serving) -> None:
    text = PLACES.format(store="9001").encode()
    assert _load(serving, "locations", text) == (200, {"added": 1, "changed": 0, "unchanged": 0})
    packed = gzip.compress(text.replace(b"USD", b"CAD"))
    packed_answer = _load(serving, "locations", packed, **{"Content-Encoding": "gzip"})
    assert packed_answer == (200, {"added": 0, "changed": 1, "unchanged": 0})
    wrong = text + b"poslog,9002,Nowhere/Land,USD\n"
    status, said = _load(serving, "locations", wrong, **{"X-Lynchpin-File": "t%C3%A4g.csv"})
    assert (status, said["code"], said["file"]) == (400, "LP-CFG-032", "täg.csv")
    assert serving.count("location") == 1
    tills = b"system,store,workstation\nposlog,9001,1\n"
    assert _load(serving, "workstations", tills)[1]["added"] == 1
    assert _load(serving, "items", b"item,gtin\nA,9520000000019\n")[1]["added"] == 1
    assert _load(serving, "people", b"")[0] == 422


def test_a_hub_that_runs_knows_a_store_as_soon_as_it_is_loaded(serving: Serving) -> None:
    """The first sale of a store makes the hub look for its Location, and there is none."""
    zones = []
    for receipt in RECEIPTS[:2]:
        serving.send(_day(poslog_writer.transaction(receipt)))
        serving.settled()
        name = "/".join(receipt.key)
        shown = serving.call("operator", "GET", f"/transactions/{name}").json()
        zones.append(shown["body"]["occurred_at"]["zone_origin"])
        store = receipt.key[0]
        assert _load(serving, "locations", PLACES.format(store=store).encode())[0] == 200
    assert zones[1] == "location"
    assert zones[0] != "location"


def _stands(serving: Serving, number: int, role: str = "operator") -> tuple[int, Any]:
    serving.settled()
    answer = serving.call(role, "GET", f"/sources/poslog/records/{number}")
    return answer.status_code, answer.json()


def test_a_source_asks_what_became_of_its_record(serving: Serving) -> None:
    sales = [poslog_writer.transaction(receipt) for receipt in RECEIPTS[:4]]
    whole = serving.send(_day(*sales, poslog_writer.without_total(RECEIPTS[4]))).json()["record"]
    again = serving.send(_day(*sales)).json()["record"]
    total = sum(receipt.total for receipt in RECEIPTS[:4])
    status, said = _stands(serving, whole, "source")
    assert status == 200
    assert said["states"] == {"applied": 4, "held": 1}
    assert said["totals"] == {"USD": str(total)}
    assert [problem["code"] for problem in said["problems"]] == ["LP-MAP-102"]
    status, said = _stands(serving, again)
    assert (said["states"], said["totals"], said["problems"]) == ({"duplicate": 4}, {}, [])


def test_a_source_knows_nothing_of_the_records_of_others(serving: Serving) -> None:
    order = shop_writer.order(next(iter(shop.orders(1, seed=3))))
    other = _made(serving, name="shop", role="source", sources=["shopify"])
    with serving.client() as client:
        client.headers["Authorization"] = f"Bearer {other}"
        number = client.post("/sources/shopify/records", content=order).json()["record"]
        assert client.get(f"/sources/shopify/records/{number}").status_code == 200
        assert client.get(f"/sources/poslog/records/{number}").status_code == 403
    assert _stands(serving, number, "source")[0] == 404
    assert _stands(serving, 999)[0] == 404


def test_a_source_of_some_stores_knows_what_was_sent_for_those(serving: Serving) -> None:
    stores = {"one": ["7001"], "two": ["7002"], "both": ["7001", "7002"]}
    texts = {
        name: _made(serving, name=name, role="source", sources=["poslog"], stores=limit)
        for name, limit in stores.items()
    }
    content = _day(poslog_writer.transaction(RECEIPTS[0]))
    with serving.client() as client:
        client.headers["Authorization"] = f"Bearer {texts['one']}"
        sent = client.post("/sources/poslog/records", content=content).json()["record"]
    unlimited = serving.send(content).json()["record"]
    seen = {
        name: [_with(serving, text, f"/sources/poslog/records/{n}") for n in (sent, unlimited)]
        for name, text in texts.items()
    }
    assert seen == {"one": [200, 404], "two": [404, 404], "both": [200, 404]}


def test_several_holds_are_released_or_given_up_together(serving: Serving) -> None:
    for receipt in RECEIPTS[:3]:
        serving.send(_day(poslog_writer.without_total(receipt)))
    serving.settled()
    listed = serving.call("operator", "GET", "/holds").json()["items"]
    numbers = [row["message_id"] for row in listed]

    def post(what: str, **wanted: Any) -> tuple[int, Any]:
        answer = serving.call("operator", "POST", f"/holds/{what}", json=wanted)
        return answer.status_code, answer.json()

    status, said = post("release", messages=[*numbers, *numbers])
    assert (status, said["states"]) == (200, {str(number): "held" for number in numbers})
    assert set(said["problems"]) == {str(number) for number in numbers}
    assert post("discard", messages=[numbers[0], 999], reason="test")[0] == 409
    assert post("discard", messages=numbers, reason="")[0] == 422
    assert post("discard", messages=[], reason="test")[0] == 422
    assert len(serving.call("operator", "GET", "/holds").json()["items"]) == 3
    done = {"count": 3, "states": {}, "problems": {}}
    assert post("discard", messages=numbers, reason="test") == (200, done)
    assert serving.call("operator", "GET", "/holds").json()["items"] == []
    assert len(_audit(serving, "hold.discard")) == 3


def test_an_edit_is_applied_in_the_place_of_what_is_held(serving: Serving) -> None:
    serving.send(_day(poslog_writer.without_total(RECEIPTS[0])))
    serving.send(_day(poslog_writer.transaction(RECEIPTS[0])))
    serving.settled()
    (row,) = serving.call("operator", "GET", "/holds").json()["items"]
    number = row["message_id"]
    revealed = serving.call(
        "operator", "POST", f"/messages/{number + 1}/reveal", json={"reason": "to mend another"}
    )
    whole = revealed.json()["payload"]

    def edited(said: str, role: str = "operator") -> tuple[int, Any]:
        wanted = {"payload": base64.b64encode(said.encode()).decode(), "reason": "total was cut"}
        answer = serving.call(role, "POST", f"/holds/{number}/edit", json=wanted)
        return answer.status_code, answer.json()

    assert edited(whole, "agent")[0] == 403
    assert edited("")[0] == 400
    status, said = edited(whole)
    assert (status, said) == (200, {"states": {str(number): "duplicate"}, "problems": {}})
    assert edited(whole)[0] == 409
    shown = serving.call("operator", "GET", f"/messages/{number}").json()
    assert (shown["state"], shown["edited_at"] is not None) == ("duplicate", True)
    assert len(_audit(serving, "hold.edit")) == 1


def _export(serving: Serving, **kinds: Any) -> str:
    answer = serving.call("operator", "GET", "/export", params=kinds)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return answer.text


def test_an_export_is_what_the_hub_exports_and_is_kept_in_the_audit(serving: Serving) -> None:
    day = poslog_writer.day(NEW_YORK, seed=3).replace(
        b"<Description>", "<Description>\u2028".encode(), 1
    )
    serving.send(day)
    for order in shop.orders(3, seed=3):
        with serving.client("operator") as client:
            client.post("/sources/shopify/records", content=shop_writer.order(order))
    serving.settled()
    with serving.hub.engine.begin() as connection:
        lines = list(exporting.export(connection))
    assert len(lines) > 50
    assert _export(serving) == "".join(f"{line}\n" for line in lines)
    orders = _export(serving, kind=["Order", "Control"]).splitlines()
    assert {json.loads(line)["kind"] for line in orders} == {"Order", "Control"}
    details = [detail for _, _, detail in _audit(serving, "export")]
    assert details == ['{"kinds": []}', '{"kinds": ["Control", "Order"]}']


def test_nothing_is_exported_that_is_not_in_the_audit_first(serving: Serving) -> None:
    serving.send(poslog_writer.day(NEW_YORK, seed=3))
    serving.settled()
    serving.writer.close()
    answer = serving.call("operator", "GET", "/export")
    assert (answer.status_code, answer.json()["code"]) == (503, "LP-HUB-040")


def test_whoever_stops_listening_leaves_no_export_behind(serving: Serving) -> None:
    content = b"".join(poslog_writer.document(poslog_writer.sales(300, seed=3), dialect="v2"))
    serving.send(content)
    serving.settled()
    before = _open_connections()
    for _ in range(5):
        with serving.client("operator") as client, client.stream("GET", "/export") as answer:
            next(answer.iter_raw())
    until = time.monotonic() + 60
    while _open_connections() > before and time.monotonic() < until:
        time.sleep(0.05)
    assert _open_connections() <= before


def _open_connections() -> int:
    """How many connections to databases this process has, in which the hub runs."""
    count = 0
    for connection in gc.get_objects():
        if isinstance(connection, sqlite3.Connection):
            with suppress(sqlite3.ProgrammingError):
                # Which one that is closed does not say.
                count += connection.total_changes >= 0
    return count


def test_origins_are_masked_until_somebody_says_why(serving: Serving) -> None:
    order = next(iter(shop.orders(1, seed=3)))
    with serving.client("operator") as client:
        client.post("/sources/shopify/records", content=shop_writer.order(order))
    serving.settled()
    path = f"/explain/shopify:order/{order.id}"
    masked = serving.call("agent", "GET", path)
    person = order.person
    for told in (person.given_name, person.family_name, person.email, person.phone, person.city):
        assert told not in masked.text
    assert order.lines[0].article.sku in masked.text
    said = serving.call("agent", "POST", f"{path}/reveal", json={"reason": "a test"}).json()
    city = next(one for one in said["origins"] if one["path"] == "bill_to.city")
    assert (city["value"], city["sent"]) == (person.city, person.city)
    assert [one["path"] for one in masked.json()["origins"]] == [o["path"] for o in said["origins"]]
    one = serving.call("agent", "GET", path, params={"path": "total"}).json()
    assert [each["path"] for each in one["origins"]] == ["total"]
    fact = f"shopify:order/{order.id}"
    assert [(s, d) for _, s, d in _audit(serving, "reveal")] == [(fact, '{"reason": "a test"}')]
    assert [subject for _, subject, _ in _audit(serving, "read")] == [fact, fact]
