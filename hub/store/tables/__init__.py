"""The tables of the hub.

Columns that say nothing else hold text. A time is UTC text of fixed width
(``2026-03-01T17:05:09.123456Z``), which sorts as it stands in every database; a business date is
``2026-03-01``. Amounts are decimal text, because SQLite would turn a number into a float. JSON is
text too, so that what comes out is byte for byte what went in.
"""

from __future__ import annotations

from hub.store.tables.access import api_key, audit
from hub.store.tables.deliveries import DELIVERY_STATES, delivery, destination
from hub.store.tables.documents import (
    claim,
    control_index,
    document,
    link,
    order_index,
    transaction_index,
)
from hub.store.tables.jobs import JOB_STATES, job
from hub.store.tables.journal import (
    MESSAGE_STATES,
    capture,
    dictionary,
    edit,
    hold,
    message,
    record,
)
from hub.store.tables.lease import lease
from hub.store.tables.mappings import PUBLICATION_ACTS, mapping_publication, mapping_version
from hub.store.tables.polls import poll, polled
from hub.store.tables.reference import item, item_identifier, location, workstation
from hub.store.tables.restores import restore, unverified
from hub.store.tables.schema import metadata

__all__ = [
    "DELIVERY_STATES",
    "JOB_STATES",
    "MESSAGE_STATES",
    "PUBLICATION_ACTS",
    "api_key",
    "audit",
    "capture",
    "claim",
    "control_index",
    "delivery",
    "destination",
    "dictionary",
    "document",
    "edit",
    "hold",
    "item",
    "item_identifier",
    "job",
    "lease",
    "link",
    "location",
    "mapping_publication",
    "mapping_version",
    "message",
    "metadata",
    "order_index",
    "poll",
    "polled",
    "record",
    "restore",
    "transaction_index",
    "unverified",
    "workstation",
]
