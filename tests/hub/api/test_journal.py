"""The journal over HTTP, and by the command line of a hub that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from hub.cli.there import connected
from hub.dictionaries import MESSAGES_MIN, Learned
from hub.running import Running
from hub.store.tables import dictionary, record
from tests.hub import test_waiting
from tests.hub.test_dictionaries import came, given_up, orders

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving


def test_a_dictionary_is_learned_when_somebody_says_so(serving: Serving) -> None:
    def filled() -> None:
        came(serving.hub, orders(1, MESSAGES_MIN))
        given_up(serving.hub)

    serving.writer.alone(filled).result()
    way = connected(Running(0, f"http://127.0.0.1:{serving.port}", serving.keys["operator"]))
    assert way is not None
    with way as there:
        none, one = there.train(["poslog", "shopify"])
    assert none == Learned("poslog")
    assert one.used
    assert one.gain is not None
    assert one.gain > 0.15
    [row] = serving.call("operator", "GET", "/journal").json()
    assert (row["source"], row["gain"]) == ("shopify", one.gain)
    with serving.app.state.served.readers.begin() as connection:
        assert connection.scalar(select(dictionary.c.source)) == "shopify"
    unknown = serving.call("operator", "POST", "/journal/train", json={"source": "none"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "LP-HUB-001")


def test_what_is_over_is_swept_over_http_too(serving: Serving) -> None:
    def old() -> None:
        came(serving.hub, orders(1, 3))
        given_up(serving.hub)
        with serving.hub.engine.begin() as connection:
            connection.execute(update(record).values(received_at="2020-01-01T00:00:00.000000Z"))

    serving.writer.alone(old).result()
    way = connected(Running(0, f"http://127.0.0.1:{serving.port}", serving.keys["operator"]))
    assert way is not None
    heard: list[int] = []
    with way as there:
        assert (there.sweep(heard.append), heard) == (3, [3])
    [row] = serving.call("operator", "GET", "/journal").json()
    assert (row["messages"], row["removed"], row["expires_at"]) == (3, 3, None)
    shown = serving.call("operator", "GET", "/messages/1").json()
    assert shown["removed_at"] is not None
    revealed = serving.call("operator", "POST", "/messages/1/reveal", json={"reason": "a test"})
    assert (revealed.status_code, revealed.json()["code"]) == (409, "LP-HUB-025")


def test_a_person_is_redacted_over_http_too(serving: Serving) -> None:
    def sent() -> None:
        test_waiting.send(serving.hub, test_waiting.order(1))

    serving.writer.alone(sent).result()
    way = connected(Running(0, f"http://127.0.0.1:{serving.port}", serving.keys["operator"]))
    assert way is not None
    with way as there:
        done = there.redact(message=None, person=test_waiting.FACT, reason="they asked")
    assert (done.documents, done.rewritten, done.removed) == (1, 1, 0)
    for wrong in ({}, {"message": 1, "person": "x"}, {"message": 0}):
        body = {**wrong, "reason": "a test"}
        assert serving.call("operator", "POST", "/journal/redact", json=body).status_code == 422
    unknown = {"message": 99, "reason": "a test"}
    assert serving.call("operator", "POST", "/journal/redact", json=unknown).status_code == 404
