"""Everything that the hub knows, in one answer of any length."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from hub import export as exporting
from hub.api.errors import answers
from hub.api.messages import Operator
from hub.api.served import ServedHere

__all__ = ["router"]

router = APIRouter(tags=["documents"])

_LINES_AT_ONCE = 100


def _own_connection(served: ServedHere, key: Operator) -> Iterator[Connection]:
    """Whoever reads slowly must not keep others from reading; it is given back whether they have
    read all of it or not.
    """
    engine = served.hub.reader()
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


OwnConnection = Annotated[Connection, Depends(_own_connection)]


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        **answers(),
        200: {
            "description": "A line of JSON for each document, ordered by kind and fact.",
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        },
    },
)
async def export_documents(
    served: ServedHere,
    connection: OwnConnection,
    key: Operator,
    kind: Annotated[
        list[str], Query(max_length=20, description="Only these, such as Transaction; else all.")
    ] = [],  # noqa: B006
) -> StreamingResponse:
    """Every canonical document unmasked, as at one moment. Who exports is kept first.

    An answer that is cut off before its end is not whole: then the connection just ends.
    """
    kinds, hub = tuple(kind), served.hub
    line = partial(exporting.note, kinds=kinds, actor=key.actor, now=hub.now())
    await asyncio.wrap_future(served.writer.submit(line))
    return StreamingResponse(_pieces(connection, kinds), media_type="application/x-ndjson")


def _pieces(connection: Connection, kinds: tuple[str, ...]) -> Iterator[bytes]:
    lines = exporting.export(connection, kinds=kinds)
    while some := list(islice(lines, _LINES_AT_ONCE)):
        yield "".join(f"{line}\n" for line in some).encode()
