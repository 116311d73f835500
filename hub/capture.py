"""Captures: what store agents ship, each record under the number that its agent gave it.

An agent numbers the records of a capture without a gap, within an epoch that it makes up when its
spool begins. So the hub can tell what it has, what is missing, and that a spool was copied: then
the same number comes with other content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy import Connection, func, insert, select, update

from connectors.scrub import scrub_text
from hub import paging
from hub.door import Door, Origin, refuse, take_in
from hub.store.tables import capture as captures
from hub.store.tables import record, restore
from schemas.problem import Cause, Conflict, Problem, Refused

__all__ = [
    "FORK",
    "Batch",
    "Progress",
    "RefusedRecord",
    "Shipped",
    "commit",
    "listed",
    "progress",
    "read_batch",
]

BATCH = Cause(
    "LP-STORE-001",
    "The batch is not written as batches are.",
    "Update the agent; its version and the hub's do not go together.",
)
FORK = Cause(
    "LP-STORE-002",
    "The same record number came before with other content.",
    "Nothing to do: the agent goes on under a new epoch. Look whether its disk was copied.",
)
OTHER_SOURCE = Cause(
    "LP-STORE-003",
    "The capture ships to another source than before.",
    "Give the capture another name in agent.toml, or its old source.",
)

RECORDS_MAX = 10_000
_LINE_BYTES_MAX = 4096

Count = Annotated[int, Field(ge=0, lt=2**63)]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Head(_Line):
    epoch: Text
    records: Annotated[int, Field(ge=0, le=RECORDS_MAX)]
    pending: Count = 0
    oldest_at: Text | None = None


class _RecordHead(_Line):
    seq: Annotated[int, Field(ge=1, lt=2**63)]
    name: Text
    length: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    captured_at: Text


@dataclass(frozen=True, slots=True)
class Shipped:
    """A record as the agent captured and scrubbed it. ``captured_at`` is by the agent's clock."""

    seq: int
    name: str
    sha256: str
    captured_at: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Records in order. ``pending`` counts what the agent still has, ``oldest_at`` since when."""

    epoch: str
    records: tuple[Shipped, ...]
    pending: int = 0
    oldest_at: str | None = None


class RefusedRecord(BaseModel):
    """A record of which nothing was kept but its number, and why."""

    model_config = ConfigDict(frozen=True)

    seq: int
    problem: Problem


class Progress(BaseModel):
    """Everything of this epoch up to ``committed`` is on the hub's disk, or refused for good."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "capture": "store-7001.day_files",
                "epoch": "6f1d",
                "committed": 123,
                "life": "",
                "refused": [],
            }
        },
    )

    capture: str
    epoch: str
    committed: int
    life: str = ""
    """Another one than before says that the hub was restored: it may lack what it acknowledged."""
    refused: tuple[RefusedRecord, ...] = ()


def read_batch(pieces: Iterable[bytes]) -> Batch:
    """Read a batch: a line of JSON, then for each record a line of JSON, its bytes, a line end.

    Raises ``Refused`` for anything else, and for bytes that are not what their hash says.
    """
    content = b"".join(pieces)
    head, at = _line(content, 0, _Head)
    found: list[Shipped] = []
    for _ in range(head.records):
        line, at = _line(content, at, _RecordHead)
        payload = content[at : at + line.length]
        at += line.length + 1
        if len(payload) != line.length or content[at - 1 : at] != b"\n":
            raise Refused(BATCH.at("a record is cut off", byte=at))
        if hashlib.sha256(payload).hexdigest() != line.sha256:
            raise Refused(BATCH.at("the bytes of a record are not those of its hash", byte=at))
        found.append(Shipped(line.seq, line.name, line.sha256, line.captured_at, payload))
    if at != len(content):
        raise Refused(BATCH.at("something follows the last record", byte=at))
    return Batch(head.epoch, tuple(found), head.pending, head.oldest_at)


def _line(content: bytes, at: int, model: type[Any]) -> tuple[Any, int]:
    end = content.find(b"\n", at, at + _LINE_BYTES_MAX)
    try:
        return TypeAdapter(model).validate_json(content[at : max(end, 0)]), end + 1
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(map(str, first["loc"]))
        raise Refused(BATCH.at(first["type"].replace("_", " "), byte=at, path=path)) from None


def progress(connection: Connection, capture: str, epoch: str) -> Progress:
    """What the hub has of an epoch; nothing of one that it has not heard of."""
    row = _row(connection, capture, epoch)
    committed = row["committed"] if row else 0
    return Progress(capture=capture, epoch=epoch, committed=committed, life=_life(connection))


def commit(
    connection: Connection,
    door: Door,
    capture: str,
    batch: Batch,
    *,
    now: str,
    stores: Collection[str] = (),
) -> Progress:
    """Journal what is new of a batch; the rest is what an answer that got lost was about.

    Nothing after a gap is taken: the agent goes on after ``committed``. Raises ``Conflict`` for a
    fork, and for a capture of another source; the caller then rolls back.
    """
    row = _row(connection, capture, batch.epoch)
    if row is not None and row["source"] != door.source:
        raise Conflict(OTHER_SOURCE.at())
    committed = row["committed"] if row else 0
    _check_fork(connection, capture, batch, committed)
    refused: list[RefusedRecord] = []
    for shipped in batch.records:
        if shipped.seq > committed + 1:
            break
        if shipped.seq == committed + 1:
            origin = Origin(capture, batch.epoch, shipped.seq, shipped.captured_at)
            problem = _journal(connection, door, shipped, origin, now=now, stores=stores)
            if problem is not None:
                refused.append(RefusedRecord(seq=shipped.seq, problem=problem))
            committed = shipped.seq
    seen = {
        "committed": committed,
        "seen_at": now,
        "pending": batch.pending,
        "oldest_at": batch.oldest_at,
    }
    if row is None:
        first = {"capture": capture, "epoch": batch.epoch, "source": door.source, "began_at": now}
        connection.execute(insert(captures).values({**first, **seen}))
    else:
        mine = (captures.c.capture == capture) & (captures.c.epoch == batch.epoch)
        connection.execute(update(captures).where(mine).values(seen))
    return Progress(
        capture=capture,
        epoch=batch.epoch,
        committed=committed,
        life=_life(connection),
        refused=tuple(refused),
    )


def listed(
    connection: Connection, *, limit: int | None = None, after: str | None = None
) -> list[dict[str, Any]]:
    """Captures by name, each with its latest epoch; ``after`` is a cursor.

    ``epochs`` counts all it ever had: more than one says that an agent was set up anew, or a spool
    copied. ``refused`` counts records of which nothing was kept. Raises ``Refused`` for a cursor of
    another list.
    """
    each = captures.c
    latest = select(
        captures,
        func.count().over(partition_by=each.capture).label("epochs"),
        func.row_number()
        .over(partition_by=each.capture, order_by=(each.seen_at.desc(), each.began_at.desc()))
        .label("age"),
    ).subquery()
    refused = (
        select(func.count())
        .where(record.c.capture == latest.c.capture, record.c.refused.is_not(None))
        .scalar_subquery()
    )
    found = select(latest, refused.label("refused")).where(latest.c.age == 1)
    if key := paging.key_of(after, str):
        found = found.where(latest.c.capture > key[0])
    rows = connection.execute(found.order_by(latest.c.capture).limit(limit)).mappings()
    return [{name: value for name, value in row.items() if name != "age"} for row in rows]


def _life(connection: Connection) -> str:
    """Which life of the hub this is: each restore begins another one."""
    last = select(restore.c.life).order_by(restore.c.id.desc()).limit(1)
    return connection.scalar(last) or ""


def _row(connection: Connection, capture: str, epoch: str) -> Any:
    mine = (captures.c.capture == capture) & (captures.c.epoch == epoch)
    return connection.execute(select(captures).where(mine)).mappings().first()


def _check_fork(connection: Connection, capture: str, batch: Batch, committed: int) -> None:
    again = {each.seq: each.sha256 for each in batch.records if each.seq <= committed}
    mine = (record.c.capture == capture) & (record.c.epoch == batch.epoch)
    columns = select(record.c.seq, record.c.sha256).where(mine)
    known = connection.execute(columns.where(record.c.seq.in_(sorted(again))))
    if any(again[seq] != sha256 for seq, sha256 in known):
        raise Conflict(FORK.at())


def _journal(
    connection: Connection,
    door: Door,
    shipped: Shipped,
    origin: Origin,
    *,
    now: str,
    stores: Collection[str],
) -> Problem | None:
    """Take a record in; of one that is refused its number and the reason are kept."""
    name = shipped.name
    try:
        with connection.begin_nested():
            take_in(
                connection,
                door,
                [shipped.payload],
                name=name,
                now=now,
                stores=stores,
                origin=origin,
            )
    except Refused as refusal:
        problem = refusal.problem.model_copy(update={"file": scrub_text(name)})
        refuse(
            connection,
            door,
            problem,
            size=len(shipped.payload),
            now=now,
            origin=origin,
            sha256=shipped.sha256,
        )
        return problem
    return None
