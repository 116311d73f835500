"""The link to the hub: how a batch of records is written, and what the hub's answers mean."""

from __future__ import annotations

import gzip
import io
import json
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.problem import Conflict, Denied, Problem, Refused, Unavailable
from store_agent.causes import HUB_AWAY, HUB_FORGOT, HUB_REFUSES, KEY_REFUSED
from store_agent.clock import Clock
from store_agent.settings import Settings
from store_agent.spool import Batch

__all__ = ["Answer", "Away", "Forked", "Gap", "Link", "TooLarge", "body"]

_MEDIA_TYPE = "application/vnd.lynchpin.batch"
_TIMEOUT_SECONDS = 60
_CONNECT_SECONDS = 10
_BEAT_TIMEOUT_SECONDS = 5
"""A batch of nothing and its answer are some hundred bytes, and records wait while it is sent."""
_FORK = "LP-STORE-002"
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_SHUT = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_GZIP_LEVEL = 6


class Away(Unavailable):
    """No answer that a hub would give, or one that says later: ``retry_after`` seconds, if told."""

    def __init__(self, problem: Problem, retry_after: float = 0) -> None:
        super().__init__(problem)
        self.retry_after = retry_after


class Gap(Conflict):
    """Records are missing at the hub before those that were sent; it has up to ``committed``."""

    def __init__(self, committed: int) -> None:
        super().__init__(HUB_FORGOT.at(f"it has up to {committed}"))
        self.committed = committed


class Forked(Conflict):
    """The hub has other content under the number of a record: someone else counts in this epoch."""


class TooLarge(Refused):
    """The batch is larger than the hub takes at once."""


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Refusal(_Told):
    seq: int
    problem: dict[str, Any]


class Answer(_Told):
    """What the hub has on its disk of this capture and epoch: all records up to ``committed``.

    ``life`` is another one after the hub was restored from a backup.
    """

    capture: str
    epoch: str
    committed: int
    life: str = ""
    refused: tuple[_Refusal, ...] = ()

    def problems(self) -> dict[int, Problem]:
        """Why the hub refused a record for good, by its number."""
        return {one.seq: _problem(one.problem, HUB_REFUSES.at()) for one in self.refused}


class Link:
    """The hub as the agent sees it. Every method raises ``Away``, ``Denied`` or ``Refused``."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        timeout_seconds: float = _TIMEOUT_SECONDS,
        beat_timeout_seconds: float = _BEAT_TIMEOUT_SECONDS,
    ) -> None:
        """A batch without records, a beat, is given up sooner than one with some."""
        self._settings, self._clock = settings, clock
        key = settings.key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}", "User-Agent": "lynchpin-agent"}
        timeout = httpx2.Timeout(timeout_seconds, connect=_CONNECT_SECONDS)
        self._client = httpx2.Client(headers=headers, timeout=timeout)
        self._beat_timeout = httpx2.Timeout(min(timeout_seconds, beat_timeout_seconds))

    def address(self, capture: str) -> str:
        """Where the records of a capture go."""
        hub, source = self._settings.hub.rstrip("/"), self._settings.captures[capture].source
        return f"{hub}/sources/{source}/captures/{self._settings.name}.{capture}"

    def send(self, capture: str, batch: Batch) -> Answer:
        """Ship a batch. Also raises ``Gap``, ``Forked`` and ``TooLarge``."""
        headers = {"Content-Type": _MEDIA_TYPE, "Content-Encoding": "gzip"}
        url = f"{self.address(capture)}/batches"
        timeout = self._client.timeout if batch.records else self._beat_timeout
        request = self._client.build_request(
            "POST", url, content=body(batch), headers=headers, timeout=timeout
        )
        answer = self._answer(request, capture, batch.epoch)
        if batch.records and answer.committed < batch.records[0].seq - 1:
            raise Gap(answer.committed)
        return answer

    def ask(self, capture: str, epoch: str) -> Answer:
        """What the hub has of this epoch."""
        url = self.address(capture)
        request = self._client.build_request("GET", url, params={"epoch": epoch})
        return self._answer(request, capture, epoch)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _answer(self, request: httpx2.Request, capture: str, epoch: str) -> Answer:
        try:
            response = self._client.send(request)
        except httpx2.HTTPError as error:
            raise Away(HUB_AWAY.at(type(error).__name__)) from error
        if response.status_code != HTTPStatus.OK:
            raise self._failure(response)
        try:
            answer = Answer.model_validate_json(response.content)
        except ValidationError:
            # The page of a captive portal is no acknowledgement.
            raise Away(HUB_AWAY.at("200, but not with a hub's answer")) from None
        if (answer.capture, answer.epoch) != (f"{self._settings.name}.{capture}", epoch):
            raise Away(HUB_AWAY.at("200, but about another capture or epoch"))
        return answer

    def _failure(self, response: httpx2.Response) -> Exception:
        status, told = response.status_code, _told(response)
        at_all = f"the hub answered {status}"
        if status == HTTPStatus.CONFLICT and told.get("code") == _FORK:
            return Forked(_problem(told, HUB_REFUSES.at(at_all)))
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return TooLarge(_problem(told, HUB_REFUSES.at(at_all)))
        if status in _SHUT:
            return Denied(_problem(told, KEY_REFUSED.at(at_all)))
        if status in _LATER or not 400 <= status < 500:
            return Away(_problem(told, HUB_AWAY.at(at_all)), self._retry_after(response))
        return Refused(_problem(told, HUB_REFUSES.at(at_all)))

    def _retry_after(self, response: httpx2.Response) -> float:
        told = response.headers.get("retry-after", "")
        if told.isdigit():
            return float(told)
        try:
            return (parsedate_to_datetime(told) - self._clock.wall()).total_seconds()
        except (TypeError, ValueError):
            return 0


def body(batch: Batch) -> bytes:
    """A batch as it is sent: a line of JSON, then of each record a line of JSON and its bytes.

    ``pending`` tells the hub how much is still to come, ``oldest_at`` since when at the latest.
    """
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0) as out:
        head = {"epoch": batch.epoch, "records": len(batch.records), "pending": batch.pending}
        since = {"oldest_at": batch.records[-1].captured_at} if batch.pending else {}
        out.write(_line({**head, **since}))
        for record in batch.records:
            told = {
                "seq": record.seq,
                "name": record.name,
                "length": record.length,
                "sha256": record.sha256,
                "captured_at": record.captured_at,
            }
            out.write(_line(told))
            out.write(record.payload)
            out.write(b"\n")
    return packed.getvalue()


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _told(response: httpx2.Response) -> dict[str, Any]:
    """The problem that came with an answer, as far as it is one."""
    try:
        told = json.loads(response.content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _problem(told: dict[str, Any], otherwise: Problem) -> Problem:
    known = {name: told[name] for name in Problem.model_fields if name in told}
    try:
        return Problem.model_validate(known)
    except ValidationError:
        return otherwise
