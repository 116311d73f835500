"""Whether the hub lives, whether it can take anything in, and its figures."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, func, select

from hub import unverified
from hub.api.errors import answers
from hub.api.rule import anyone, only
from hub.api.served import Reading, Served, ServedHere
from hub.delivery import status
from hub.jobs import record
from hub.keys import Key
from hub.polling.status import polls
from hub.store.tables import MESSAGE_STATES, message
from hub.watchdog import STALLED, is_stalled
from hub.writer import DATABASE_TROUBLE
from schemas.problem import Unavailable

__all__ = ["router"]

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """All is well."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"status": "ok"}})

    status: Literal["ok"] = "ok"


@router.get("/health/live", dependencies=[anyone], responses=answers())
async def live() -> Health:
    """The process answers."""
    return Health()


@router.get("/health/ready", dependencies=[anyone], responses=answers())
def ready(served: ServedHere, reading: Reading) -> Health:
    """The database can be read, what was last written was kept, and what waits gets on."""
    reading.execute(select(1))
    if is_stalled(served.writer):
        raise Unavailable(STALLED.at())
    if served.writer.trouble:
        raise Unavailable(DATABASE_TROUBLE.at())
    return Health()


@router.get(
    "/metrics",
    response_class=Response,
    responses={**answers(), 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(
    served: ServedHere, reading: Reading, key: Annotated[Key, Depends(only("reader", "operator"))]
) -> Response:
    """Figures in the words of Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Figures(served, reading))
    figures = generate_latest(served.traffic.registry) + generate_latest(registry)
    return Response(figures, media_type=CONTENT_TYPE_LATEST)


class _Figures(Collector):
    """The hub at one moment. Counting all messages would read them all, so the settled ones are
    counted as they are settled, since the hub came up; the open ones are few.
    """

    def __init__(self, served: Served, connection: Connection) -> None:
        self._served = served
        self._connection = connection

    def collect(self) -> Iterable[Metric]:
        """Each figure once."""
        settled = CounterMetricFamily(
            "lynchpin_messages_settled", "Messages settled since the hub came up.", labels=["state"]
        )
        for state in MESSAGE_STATES:
            settled.add_metric([state], self._served.writer.settled[state])
        yield settled
        waiting = select(message.c.state, func.count()).where(message.c.settled_at.is_(None))
        waiting = waiting.group_by(message.c.state)
        counts = {row[0]: row[1] for row in self._connection.execute(waiting)}
        for state, text in (("pending", "not settled yet"), ("held", "held for a person")):
            yield GaugeMetricFamily(
                f"lynchpin_messages_{state}", f"Messages {text}.", counts.get(state, 0)
            )
        steps = CounterMetricFamily(
            "lynchpin_step_seconds",
            "Processor time of what the hub has taken in and applied since it came up.",
            labels=["step"],
        )
        for step, seconds in self._served.hub.steps.seconds.items():
            steps.add_metric([step], seconds)
        yield steps
        unsure = GaugeMetricFamily(
            "lynchpin_unverified_windows",
            "Windows since a restore in which what was pushed may be missing.",
            labels=["source"],
        )
        windows = Counter(window.source for window in unverified.open_windows(self._connection))
        for source, count in windows.items():
            unsure.add_metric([source], count)
        yield unsure
        yield from self._deliveries()
        yield from self._polls()
        yield from self._jobs()
        yield GaugeMetricFamily(
            "lynchpin_writer_queue", "Writes that wait.", self._served.writer.waiting
        )
        yield GaugeMetricFamily(
            "lynchpin_writer_stalled_seconds",
            "Seconds for which something has waited while nothing got done.",
            self._served.writer.stalled_for,
        )

    def _jobs(self) -> Iterable[Metric]:
        """Jobs by state, and how far those are that have not ended."""
        states = GaugeMetricFamily("lynchpin_jobs", "Jobs by state.", labels=["state"])
        for state, count in record.counts(self._connection).items():
            states.add_metric([state], count)
        done, total = (
            GaugeMetricFamily(f"lynchpin_job_messages_{name}", text, labels=["job", "kind"])
            for name, text in (
                ("done", "Messages that a job which has not ended is through with."),
                ("total", "Messages that a job which has not ended goes through."),
            )
        )
        for each in record.open_ones(self._connection):
            done.add_metric([str(each.id), each.kind], each.done)
            total.add_metric([str(each.id), each.kind], each.total)
        yield from (states, done, total)

    def _deliveries(self) -> Iterable[Metric]:
        """What is open for each destination, and whether it may be sent to."""
        open_ones = GaugeMetricFamily(
            "lynchpin_deliveries", "Deliveries that are not done.", labels=["destination", "state"]
        )
        oldest = GaugeMetricFamily(
            "lynchpin_deliveries_oldest_seconds",
            "Age of the oldest delivery that is not done.",
            labels=["destination"],
        )
        shut = GaugeMetricFamily(
            "lynchpin_destination_closed",
            "1 where nothing is sent for now, 2 where nothing is until a person says so.",
            labels=["destination"],
        )
        for each in status.destinations(self._connection, self._served.hub):
            for state, count in (("waiting", each.waiting), ("parked", each.parked)):
                open_ones.add_metric([each.name, state], count)
            oldest.add_metric([each.name], each.oldest_seconds)
            shut.add_metric([each.name], 2 if each.paused else 1 if each.closed else 0)
        yield from (open_ones, oldest, shut)

    def _polls(self) -> Iterable[Metric]:
        """How each stream of each poll is doing."""
        hub = self._served.hub
        failures = GaugeMetricFamily(
            "lynchpin_poll_failures",
            "Attempts in a row that failed.",
            labels=["poll", "stream"],
        )
        age = GaugeMetricFamily(
            "lynchpin_poll_age_seconds",
            "Seconds since the stream was last read to its end; none before that.",
            labels=["poll", "stream"],
        )
        taken = CounterMetricFamily(
            "lynchpin_poll_taken",
            "Things that were read and were new or other than before.",
            labels=["poll", "stream"],
        )
        now = hub.now()
        for each in polls(self._connection, hub.settings.polls, now):
            names = [each.name, each.stream]
            failures.add_metric(names, each.failures)
            taken.add_metric(names, each.taken)
            if each.polled_at is not None:
                passed = datetime.fromisoformat(now) - datetime.fromisoformat(each.polled_at)
                age.add_metric(names, max(passed.total_seconds(), 0))
        yield from (failures, age, taken)


@router.get("/openapi.json", dependencies=[anyone], include_in_schema=False)
async def openapi(request: Request) -> JSONResponse:
    """What may be called, and how."""
    # It may have to be made first, while others are answered.
    return JSONResponse(await asyncio.to_thread(request.app.openapi))
