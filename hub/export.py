"""Exporting: every canonical document as one line of JSON, the same for the same facts.

No number of the hub's own and no clock of the hub goes into it, so two hubs that took in the same
documents, in any order and however often, export the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import Connection, select

from hub.store.tables import document

__all__ = ["export"]


def export(connection: Connection, *, kinds: tuple[str, ...] = ()) -> Iterator[str]:
    """Envelopes as JSON lines, ordered by kind and fact id."""
    columns = (
        document.c.kind,
        document.c.model,
        document.c.fact,
        document.c.version,
        document.c.flags,
        document.c.body,
    )
    found = select(*columns).order_by(document.c.kind, document.c.fact)
    if kinds:
        found = found.where(document.c.kind.in_(kinds))
    for row in connection.execute(found.execution_options(yield_per=1000)):
        kind, model, fact, version, flags, body = row
        head = {"kind": kind, "model": model, "fact": fact}
        if version is not None:
            head["version"] = version
        if flags is not None:
            head["flags"] = json.loads(flags)
        text = json.dumps(head, ensure_ascii=False, separators=(",", ":"))
        # The body is JSON already, written once when the document was applied.
        yield f'{text[:-1]},"document":{body}}}'
