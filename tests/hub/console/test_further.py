"""Further documents on pages: what stands in their message, what stands by it, and their plan."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from connectors import registry
from hub import bootstrap
from hub.authoring import draft as drafts
from hub.authoring import publishing
from hub.door import take_in
from hub.plan import planning
from tests.hub.console.conftest import visible

if TYPE_CHECKING:
    from hub.authoring.draft import Draft
    from tests.hub.api.conftest import Serving
    from tests.hub.console.conftest import Visitor

SAMPLE = registry.folder("shopify") / "samples" / "order-partly-fulfilled.json"
OWN = """\
extends: shopify.order
further:
  delivery:
    to: Interaction
    from: fulfillments[]
    key: name
    rules:
      id: id
      kind: = visit
      occurred_at: updated_at
"""
FACT = "shopify:order+delivery/#1014.1"


def _received(serving: Serving) -> None:
    work = partial(
        take_in,
        door=serving.hub.door("shopify"),
        chunks=[SAMPLE.read_bytes()],
        name="order.json",
        now=serving.hub.now(),
    )
    serving.writer.submit(work).result()
    assert serving.settled() == {"applied": 1}


def _draft(serving: Serving) -> Draft:
    file = serving.hub.home.mappings / "own.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(OWN)
    return drafts.read(file, serving.hub.home)


def test_a_message_shows_what_lies_in_it_and_a_document_where_it_is_from(
    serving: Serving, visitor: Visitor
) -> None:
    made, now = _draft(serving), serving.hub.now()
    publish = partial(publishing.publish, draft=made, actor="ann", now=now)
    serving.writer.submit(publish).result()
    _received(serving)
    assert FACT in visible(visitor.get("/messages/1"))
    said = visible(visitor.post("/messages/1", reason="look at it"))
    assert "order+delivery" in said
    shown = visible(visitor.get("/origins/shopify:order%2Bdelivery/%231014.1"))
    assert "fulfillments[0].updated_at" in shown


def test_a_plan_shows_what_would_come(serving: Serving, visitor: Visitor) -> None:
    _received(serving)
    made = _draft(serving)
    with bootstrap.open_hub(serving.hub.home, access="read") as hub:
        report = planning.plan(hub, made, planning.begun(hub, made, source=None, since=None))
    said = visible(visitor.get(f"/plans/{report.id}"))
    assert "Further documents of these messages" in said
    assert "delivery 1 0 0 0 0 0" in said
