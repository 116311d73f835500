"""Messages on a page: found by whatever they carry, and what came in as a file."""

from __future__ import annotations

import re
from dataclasses import fields
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sqlalchemy import update

from hub.console import messages
from hub.demo import shop_writer
from hub.messages import Sought
from hub.store.tables import transaction_index
from tests.hub.console.conftest import ORDER, RECEIPT, SALE_FACT

if TYPE_CHECKING:
    import pytest
    from sqlalchemy import Connection

    from tests.hub.api.conftest import Serving
    from tests.hub.console.conftest import Visitor

HELD = 2
SOUGHT: dict[str, tuple[str, list[int]]] = {
    "order": (str(ORDER.id), [4]),
    "store": (RECEIPT.key[0], [1]),
    "workstation": (RECEIPT.key[1], [1]),
    "business_date": (RECEIPT.key[2], [1]),
    "sequence": (RECEIPT.key[3], [1]),
    "person": (SALE_FACT, [6, 4, 3, 1]),
    "kind": ("refund", [5]),
    "fact": ("call/", [6]),
    "file": ("file-3", [4]),
    "code": ("LP-MAP-102", [HELD]),
    "state": ("held", [HELD]),
    "source": ("shopify", [5, 4, 3]),
    "since": ("1d", [6, 5, 4, 3, 2, 1]),
    "until": ("1d", []),
    "mapping": ("none", []),
}


def test_messages_are_found_by_what_the_command_and_the_hub_find_them_by(
    full: Serving, visitor: Visitor
) -> None:
    page = visitor.get("/messages").text
    (held,) = full.call("operator", "GET", "/holds").json()["items"]

    def numbered(connection: Connection) -> None:
        connection.execute(update(transaction_index).values(receipt="R 17"))

    full.writer.submit(numbered).result()
    wanted = {
        **SOUGHT,
        "group": (held["fingerprint"], [HELD]),
        "receipt": ("R 17", [1]),
    }
    assert wanted.keys() == {each.name for each in fields(Sought)}
    for name, (value, numbers) in wanted.items():
        assert f'name="{name}"' in page, name
        asked = urlencode({**dict.fromkeys(wanted, ""), name: value})
        shown = visitor.get(f"/messages?{asked}")
        found = re.findall(r'<td class="n"><a href="/console/messages/(\d+)"', shown.text)
        assert [int(number) for number in found] == numbers, name
        if numbers:
            rows = full.call("operator", "GET", f"/messages?{urlencode({name: value})}").json()
            assert [row["id"] for row in rows["items"]] == numbers, name
    assert visitor.get("/messages?since=sometime").status_code == 400


def test_older_ones_are_older_ones_of_what_was_asked_for(
    full: Serving, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "_ROWS", 1)
    page = visitor.get("/messages?source=shopify&order=")
    for number in (5, 4, 3):
        assert re.findall(r'<td class="n"><a href="/console/messages/(\d+)"', page.text) == [
            str(number)
        ]
        (following,) = re.findall(r'href="/console(/messages\?source=[^"]+)', page.text) or [""]
        page = visitor.get(unescape(following)) if following else page
    assert following == ""


def test_what_came_in_is_a_file_for_a_reason(full: Serving, visitor: Visitor) -> None:
    assert visitor.post("/messages/4/original", reason=" ").status_code == 400
    assert full.audited() == []
    shown = visitor.post("/messages/4", reason="a test")
    assert 'action="/console/messages/4/original"' in shown.text
    sent = visitor.post("/messages/4/original", reason="to compare")
    assert sent.content == shop_writer.order(ORDER)
    assert sent.headers["content-disposition"] == 'attachment; filename="message-4"'
    assert sent.headers["content-type"] == "application/octet-stream"
    assert full.audited()[-1][1:] == ("reveal", "message 4", {"reason": "to compare"})
