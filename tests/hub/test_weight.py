"""What the journal weighs is counted source by source, without reading what messages say."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hub import journal
from hub.bootstrap import Hub
from hub.store.tables import message
from hub.weight import weights
from tests.hub.test_waiting import order, refund, send

pytestmark = pytest.mark.databases


def test_each_source_is_weighed_by_what_came_and_what_is_stored(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        assert weights(connection, hub.settings.journal) == []
    send(hub, order(1), order(2), refund())
    with hub.engine.begin() as connection:
        packed = list(connection.scalars(select(message.c.payload)))
        (found,) = weights(connection, hub.settings.journal)
    assert (found.source, found.messages) == ("shopify", 3) == ("shopify", len(packed))
    assert found.stored_bytes == sum(map(len, packed))
    assert found.raw_bytes == sum(len(journal.decompress(each)) for each in packed)
    assert found.ratio == round(found.raw_bytes / found.stored_bytes, 2) > 1
