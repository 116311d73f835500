"""What came in, byte for byte, whatever was made of it since."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from hub import edit, journal, redaction, retention
from hub.bootstrap import Hub
from hub.original import original
from hub.store.tables import message
from schemas.problem import Rejected
from tests.hub.test_edit import said
from tests.hub.test_waiting import broken, order, send

pytestmark = pytest.mark.databases


def test_what_came_in_stays_what_it_was(hub: Hub) -> None:
    came = broken(1)
    send(hub, came, order(2))
    edit.edit(hub, 1, said(broken(1, note="x")), actor="ann", reason="test")
    edit.edit(hub, 1, said(order(1)), actor="ann", reason="test")
    with hub.engine.begin() as connection:
        found, other = original(connection, 1), original(connection, 2)
        assert (found.payload, other.payload) == (said(came), said(order(2)))
        assert (other.edited_at, other.said) == (None, [])
        assert found.said[0].startswith("The message was edited on ")
        with pytest.raises(Rejected, match="LP-HUB-004"):
            original(connection, 3)


def test_what_was_redacted_is_not_brought_back_and_says_so(hub: Hub) -> None:
    send(hub, order(1), broken(2, number=7))
    edit.edit(hub, 2, said(order(2, number=7)), actor="ann", reason="test")
    email = order(1)["email"].encode()
    with hub.engine.begin() as connection:
        assert email in original(connection, 1).payload
        for number in (1, 2):
            redaction.redact_named(
                hub, connection, message=number, person=None, actor="ann", reason="asked"
            )
        found = original(connection, 1)
        assert email not in found.payload
        assert json.loads(found.payload)["id"] == order(1)["id"]
        assert "It was redacted on" in found.said[0]
        # What came in before the edit is gone.
        with pytest.raises(Rejected, match="LP-HUB-025"):
            original(connection, 2)


def test_what_was_removed_is_not_there(hub: Hub) -> None:
    send(hub, order(1))
    with hub.engine.begin() as connection:
        retention.empty(connection, [1], now=hub.now())
        with pytest.raises(Rejected, match="LP-HUB-025"):
            original(connection, 1)


def test_no_byte_is_taken_for_text(hub: Hub) -> None:
    send(hub, order(1))
    content = bytes(range(256)) * 3
    with hub.engine.begin() as connection:
        connection.execute(update(message).values(payload=journal.compress(content)))
        assert original(connection, 1).payload == content
