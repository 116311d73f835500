"""Documents as somebody may see them: masked unless revealed, and limited to their stores."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlalchemy import Connection

from hub import finding, returns
from hub.bootstrap import Hub
from hub.finding import Link
from hub.people import masking
from hub.returns import Returned
from hub.whereabouts import at_stores
from schemas.envelope import Flag

__all__ = ["Document", "shown"]

_EXAMPLE: JsonDict = {
    "fact": "tills:0042/03/2031-05-06/114",
    "kind": "Transaction",
    "version": "2031-05-06T10:00:00Z",
    "message_id": 41,
    "flags": [],
    "voided_by": "tills:0042/03/2031-05-06/115",
    "to": [
        {
            "kind": "return",
            "other": "tills:0042/03/2031-05-02/87",
            "arrived": True,
            "line": "1",
        }
    ],
    "by": [],
    "returned": [
        {"number": "1", "sale": "tills:0042/03/2031-05-02/87", "arrived": True, "line": "2"}
    ],
    "masked": True,
    "body": {
        "system": "tills",
        "store": "0042",
        "workstation": "03",
        "business_date": "2031-05-06",
        "sequence": "114",
        "occurred_at": {"local": "2031-05-06T12:00:00", "utc": "2031-05-06T10:00:00Z"},
        "currency": "EUR",
        "total": "-19.90",
        "customers": [{"kind": "loyalty", "value": "***0123"}],
    },
}


class Document(BaseModel):
    """A canonical document whole, what it names (``to``) and what names it (``by``)."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _EXAMPLE})

    fact: str
    kind: str
    version: str | None = Field(description="Orders the snapshots of one thing.")
    message_id: int = Field(description="The message that it was made from.")
    flags: list[Flag]
    voided_by: str | None
    to: list[Link]
    by: list[Link]
    returned: list[Returned] = Field(description="Return lines and the sale lines they undo.")
    masked: bool
    body: dict[str, Any]


def shown(
    hub: Hub,
    connection: Connection,
    name: str,
    kinds: tuple[str, ...],
    *,
    reveal: bool = False,
    stores: Collection[str] = (),
) -> Document:
    """The document of one of these kinds that goes by a name; see ``finding.resolve``.

    ``stores`` limit it to documents of these and of none. Raises ``Rejected`` if nothing or more
    than one thing goes by the name.
    """
    systems = hub.systems
    fact = finding.resolve(connection, name, systems=systems, kinds=kinds, stores=stores)
    found = finding.show(connection, fact)
    open_ones = set(at_stores(connection, [link.other for link in found.by], stores))
    return Document(
        fact=fact,
        kind=found.kind,
        version=found.version,
        message_id=found.message_id,
        flags=[Flag.model_validate(flag) for flag in found.flags],
        voided_by=found.voided_by,
        to=found.to,
        by=[link for link in found.by if link.other in open_ones],
        returned=returns.returned(connection, fact),
        masked=not reveal,
        body=found.body if reveal else masking.body(found.kind, found.body),
    )
