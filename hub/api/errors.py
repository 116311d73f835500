"""Errors as HTTP says them: problem+json with the code, what happened, and what to do next."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ConfigDict
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from connectors.api import OVERSIZED
from connectors.scrub import scrub_text
from connectors.signature import UNSIGNED
from hub import log
from hub.api.body import CUT, ENCODED, FULL, INVALID, LARGE, SLOW
from hub.api.rate import LIMITED, Limited
from hub.causes import NOT_FOUND, NOT_HELD, SEVERAL, UNKNOWN_SOURCE
from hub.delivery.deciding import NOT_OPEN, UNKNOWN_DESTINATION
from hub.failure import place_of
from hub.jobs.record import NO_JOB, NOT_SO
from hub.keys import FORBIDDEN, NO_KEY, UNKNOWN_KEY
from hub.paging import CURSOR
from hub.plan.shelf import NO_PLAN
from hub.polling.causes import UNKNOWN as UNKNOWN_POLL
from hub.publication import NO_MAPPING, NO_VERSION, NOTHING_BEFORE
from hub.writer import CLOSING, DATABASE_TROUBLE
from schemas.problem import (
    Cause,
    ConfigError,
    Conflict,
    Denied,
    LynchpinError,
    Problem,
    Refused,
    Rejected,
    Unavailable,
)

__all__ = ["ProblemAnswer", "answer", "answers", "install", "unforeseen"]

UNFORESEEN = Cause(
    "LP-API-007",
    "Lynchpin itself failed on this call.",
    "Report it with the line that the hub wrote about it.",
)
NO_ROUTE = Cause(
    "LP-API-008",
    "There is nothing to call here, or not in this way.",
    "Look the routes up in /openapi.json.",
)

_RETRY_SECONDS = 2
_MEDIA_TYPE = "application/problem+json"

_BY_STATUS: dict[int, tuple[Cause, ...]] = {
    400: (CUT,),
    401: (UNKNOWN_KEY,),
    403: (FORBIDDEN, UNSIGNED),
    404: (
        *(NOT_FOUND, UNKNOWN_SOURCE, NO_KEY, NO_MAPPING, NO_PLAN, NO_VERSION, NO_JOB),
        *(UNKNOWN_DESTINATION, UNKNOWN_POLL),
    ),
    408: (SLOW,),
    409: (NOT_HELD, SEVERAL, NOTHING_BEFORE, NOT_OPEN, NOT_SO),
    413: (LARGE, OVERSIZED),
    415: (ENCODED,),
    422: (INVALID, CURSOR),
    429: (LIMITED,),
    500: (UNFORESEEN,),
    503: (FULL, CLOSING, DATABASE_TROUBLE),
}
_BY_CODE = {cause.code: status for status, causes in _BY_STATUS.items() for cause in causes}
_BY_CLASS: tuple[tuple[type[LynchpinError], int], ...] = (
    (Denied, 403),
    (Refused, 400),
    (Rejected, 409),
    (Conflict, 409),
    (Unavailable, 503),
    (ConfigError, 503),
)

_log = logging.getLogger("lynchpin.api")


class ProblemAnswer(Problem):
    """A problem as RFC 9457 wants it, with what ours says beside that."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": UNKNOWN_KEY.summary,
                "status": 401,
                "code": UNKNOWN_KEY.code,
                "summary": UNKNOWN_KEY.summary,
                "next_step": UNKNOWN_KEY.next_step,
                "correlation": "5c1f0e9a7b3d2846",
            }
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    correlation: str | None = None
    """Finds this call in the log of the hub."""


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document these errors of a route, and those that any route may give."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {
                _MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/ProblemAnswer"},
                    "examples": {c.code: _example(c, status) for c in _BY_STATUS.get(status, ())},
                },
            },
        }
        for status in sorted({*statuses, 401, 403, 422, 429, 500, 503})
    }


def _example(cause: Cause, status: int) -> dict[str, Any]:
    said = ProblemAnswer(**dict(cause.at()), title=cause.summary, status=status)
    return {"summary": cause.summary, "value": said.model_dump(mode="json", exclude_none=True)}


def install(app: FastAPI) -> None:
    """Answer every error of the app as a problem."""
    app.add_exception_handler(LynchpinError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(PoolTimeout, _busy)
    app.add_exception_handler(OperationalError, _busy)


def _status(error: LynchpinError) -> int:
    by_class = next((status for kind, status in _BY_CLASS if isinstance(error, kind)), 500)
    return _BY_CODE.get(error.problem.code, by_class)


def answer(
    problem: Problem,
    status: int,
    headers: dict[str, str] | None = None,
    *,
    correlation: str | None = None,
) -> JSONResponse:
    """A problem as it is answered, under the correlation id of the call at hand or this one.

    Names that the caller sent may come back in it, so it is scrubbed like all else.
    """
    said: dict[str, Any] = {k: scrub_text(v) if isinstance(v, str) else v for k, v in problem}
    number = correlation or log.correlation()
    body = ProblemAnswer(**said, title=problem.summary, status=status, correlation=number)
    headers = dict(headers or {})
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        headers.setdefault("Retry-After", str(_RETRY_SECONDS))
    if status in {408, 413}:
        # What is left of the body is not worth reading.
        headers["Connection"] = "close"
    content = body.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, headers, media_type=_MEDIA_TYPE)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LynchpinError)
    headers = {"Retry-After": str(error.seconds)} if isinstance(error, Limited) else None
    return answer(error.problem, _status(error), headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    path = ".".join(map(str, first["loc"]))
    return answer(INVALID.at(str(first["type"]).replace("_", " "), path=path), 422)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return answer(NO_ROUTE.at(), error.status_code, headers)


async def _busy(request: Request, error: Exception) -> JSONResponse:
    _log.error("the database is busy", extra={"code": FULL.code, "failure": place_of(error)})
    return answer(FULL.at(), 503)


def unforeseen(error: Exception) -> JSONResponse:
    """What is answered to a call on which Lynchpin itself failed; where it did is in the log."""
    extra = {"code": UNFORESEEN.code, "failure": place_of(error)}
    _log.error("Lynchpin failed on a call", extra=extra)
    return answer(UNFORESEEN.at(), 500)
