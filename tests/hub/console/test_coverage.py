"""The coverage of a mapping as a page: what arrived and nobody reads, and what stays empty."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

import pytest

from hub import library
from hub.console import coverage
from hub.demo import shop_writer
from hub.door import take_in
from tests.hub.console.conftest import ORDER, PRIVATE, visible

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving
    from tests.hub.console.conftest import Visitor

PLACE = "/mappings/shopify/order/coverage"


def sent(serving: Serving, **fields: object) -> None:
    """The order again, later, with something else in it."""
    body = {**json.loads(shop_writer.order(ORDER)), "updated_at": "2099-01-01T00:00:00Z", **fields}
    work = partial(
        take_in,
        door=serving.hub.door("shopify"),
        chunks=[json.dumps(body).encode()],
        name="again",
        now=serving.hub.now(),
    )
    serving.writer.submit(work).result()
    serving.settled()


def test_both_sides_are_told(full: Serving, visitor: Visitor) -> None:
    sent(full, wholly_new={"note": "Quaxmarq 7"}, financial_status="quite_new")
    said = visible(visitor.get(PLACE))
    assert "over 2 documents in 2 messages" in said
    assert re.search(r"wholly_new\.note aaaaaaaa 9 1 message 7 message 7", said)
    assert re.search(r"payment quite_new 1 message 7 message 7", said)
    unset = library.shipped("shopify", "order").spec.unset
    assert unset
    for target, reason in unset.items():
        assert f"{'.'.join(target)} {reason}" in said
    assert not [each for each in PRIVATE if each in said.lower()]


def test_only_the_latest_are_looked_at_and_more_where_asked(
    full: Serving, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(full, wholly_new=1)
    sent(full, another=1, updated_at="2099-01-02T00:00:00Z")
    said = visible(visitor.get(f"{PLACE}?latest=1"))
    assert ("another" in said, "wholly_new" in said) == (True, False)
    assert "of the latest 1 of shopify: look at 10 ." in said
    more = visitor.get(f"{PLACE}?latest=10")
    assert "wholly_new" in visible(more)
    assert "look at" not in visible(more)
    monkeypatch.setattr(coverage, "LATEST_MAX", 2)
    assert "as far as this page looks back" in visible(visitor.get(f"{PLACE}?latest=2"))
    assert f'{PLACE}?latest=2"' in visitor.get(f"{PLACE}?latest=1").text


@pytest.mark.parametrize("latest", ["0", "10001", "all"])
def test_more_than_the_most_is_refused(visitor: Visitor, latest: str) -> None:
    assert visitor.get(f"{PLACE}?latest={latest}").status_code == 422


def test_where_nothing_arrived_only_the_text_tells(visitor: Visitor) -> None:
    said = visible(visitor.get(PLACE))
    assert "No message of this kind arrived lately." in said
    assert "Stays empty" in said


def test_of_what_there_is_not_there_is_no_coverage(visitor: Visitor) -> None:
    page = visitor.get("/mappings/shopify/nothing/coverage")
    assert (page.status_code, "LP-PUB-003" in page.text) == (404, True)
