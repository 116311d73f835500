"""Exporting: every canonical document as one line of JSON, the same for the same facts.

No number of the hub's own and no clock of the hub goes into it, so two hubs that took in the same
documents, in any order and however often, export the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import Connection, select

from hub import audit
from hub.store.tables import document
from schemas.envelope import DOCUMENTS

__all__ = ["export", "note"]

_ROWS_AT_ONCE = 200


def note(connection: Connection, *, kinds: tuple[str, ...] = (), actor: str, now: str) -> None:
    """Keep who exports, before anything is given out."""
    detail = {"kinds": sorted(kinds)}
    audit.write(connection, actor=actor, act="export", subject="documents", detail=detail, now=now)


def export(connection: Connection, *, kinds: tuple[str, ...] = ()) -> Iterator[str]:
    """Envelopes as JSON lines, ordered by kind and fact id, in memory that does not grow."""
    # One kind after the other: the index on facts has their order, and sorting by kind as well
    # would keep every body in memory.
    for kind in sorted(DOCUMENTS):
        if not kinds or kind in kinds:
            yield from _of_kind(connection, kind)


def _of_kind(connection: Connection, kind: str) -> Iterator[str]:
    columns = (
        document.c.model,
        document.c.fact,
        document.c.version,
        document.c.flags,
        document.c.body,
    )
    found = select(*columns).where(document.c.kind == kind).order_by(document.c.fact)
    for row in connection.execute(found.execution_options(yield_per=_ROWS_AT_ONCE)):
        model, fact, version, flags, body = row
        head = {"kind": kind, "model": model, "fact": fact}
        if version is not None:
            head["version"] = version
        if flags is not None:
            head["flags"] = json.loads(flags)
        text = json.dumps(head, ensure_ascii=False, separators=(",", ":"))
        # The body is JSON already, written once when the document was applied.
        yield f'{text[:-1]},"document":{body}}}'
