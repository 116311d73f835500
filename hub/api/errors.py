"""Errors as HTTP says them: problem+json with the code, what happened, and what to do next."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from connectors.api import OVERSIZED
from connectors.scrub import scrub_text
from hub.api.body import ENCODED, FULL, INVALID, LARGE, SLOW
from hub.causes import NOT_FOUND, NOT_HELD, SEVERAL, UNKNOWN_SOURCE
from hub.failure import place_of
from hub.keys import NO_KEY, UNKNOWN_KEY
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

__all__ = ["ProblemAnswer", "answers", "install"]

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

_BY_CODE = {
    UNKNOWN_KEY.code: 401,
    UNKNOWN_SOURCE.code: 404,
    NOT_FOUND.code: 404,
    NO_KEY.code: 404,
    SLOW.code: 408,
    NOT_HELD.code: 409,
    SEVERAL.code: 409,
    LARGE.code: 413,
    OVERSIZED.code: 413,
    ENCODED.code: 415,
    INVALID.code: 422,
}
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

    type: str = "about:blank"
    title: str
    status: int


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document these errors of a route, and those that any route may give."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {
                _MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}},
            },
        }
        for status in sorted({*statuses, 401, 403, 422, 500, 503})
    }


def install(app: FastAPI) -> None:
    """Answer every error of the app as a problem."""
    app.add_exception_handler(LynchpinError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(PoolTimeout, _busy)
    app.add_exception_handler(OperationalError, _busy)
    app.add_exception_handler(Exception, _unforeseen)


def _status(error: LynchpinError) -> int:
    by_class = next((status for kind, status in _BY_CLASS if isinstance(error, kind)), 500)
    return _BY_CODE.get(error.problem.code, by_class)


def _answer(problem: Problem, status: int, headers: dict[str, str] | None = None) -> JSONResponse:
    """Names that the caller sent may come back in it, so it is scrubbed like all else."""
    said: dict[str, Any] = {k: scrub_text(v) if isinstance(v, str) else v for k, v in problem}
    body = ProblemAnswer(**said, title=problem.summary, status=status)
    headers = dict(headers or {})
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        headers["Retry-After"] = str(_RETRY_SECONDS)
    if status in {408, 413}:
        # What is left of the body is not worth reading.
        headers["Connection"] = "close"
    content = body.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, headers, media_type=_MEDIA_TYPE)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LynchpinError)
    return _answer(error.problem, _status(error))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    path = ".".join(map(str, first["loc"]))
    return _answer(INVALID.at(str(first["type"]).replace("_", " "), path=path), 422)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return _answer(NO_ROUTE.at(), error.status_code, headers)


async def _busy(request: Request, error: Exception) -> JSONResponse:
    _log.error("%s %s", FULL.code, place_of(error))
    return _answer(FULL.at(), 503)


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    _log.error("%s %s", UNFORESEEN.code, place_of(error))
    return _answer(UNFORESEEN.at(), 500)
