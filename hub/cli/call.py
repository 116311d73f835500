"""Calls to the hub that runs, each asked again while the hub is full."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

import httpx2

from hub.cli.told import error_of
from schemas.problem import Cause, Unavailable

__all__ = ["GONE", "Caller"]

GONE = Cause(
    "LP-CLI-002",
    "The hub ended, or stopped answering, before it was done.",
    "Do it again: what it has taken in is kept, and counts once however often it comes.",
)
_FULL_CODE = "LP-API-005"
_FULL_SECONDS = 60.0


class Caller:
    """Calls one hub over one client, which the block closes."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()

    def _answer(self, method: str, path: str, **options: Any) -> Any:
        """The JSON that the hub answers. A hub that is full for the moment is asked again."""
        until = time.monotonic() + _FULL_SECONDS
        while True:
            response = self._call(method, path, **options)
            if response.is_success:
                return response.json()
            error = error_of(response)
            if error.problem.code != _FULL_CODE or time.monotonic() > until:
                raise error
            time.sleep(float(response.headers.get("Retry-After", "1")))

    def _call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        try:
            return self._client.request(method, path, **options)
        except httpx2.TransportError as error:
            raise Unavailable(GONE.at(type(error).__name__)) from None
