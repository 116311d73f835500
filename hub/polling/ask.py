"""Asking for one page: what comes of it is the page, or a problem in our own words."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse

from hub.delivery import schedule
from hub.delivery.address import Forbidden, Resolve, resolved
from hub.delivery.exchange import Asked, exchange
from hub.delivery.post import Answer
from hub.egress import USUAL, Egress
from hub.polling.causes import (
    FAILED,
    FORBIDDEN,
    MALFORMED,
    SLOW_DOWN,
    TOO_LONG,
    TURNED_AWAY,
    UNANSWERED,
)
from hub.polling.chosen import Poll
from schemas.problem import Problem

__all__ = ["Ask", "Failed", "Got", "ask"]

_CLOCK_STEP = timedelta(seconds=1)
"""A ``Date`` header has whole seconds: what it says was at the latest so much later."""
_PATIENT = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class Got:
    """A page as it came. ``at`` is from when on it was so, and ``until`` by when, both by the clock
    of the system that gave it, if it says what that shows.
    """

    body: bytes
    link: str | None
    at: str
    until: str


class Failed(Exception):
    """There is no page. ``asked_seconds`` is for how long the system wants to be left alone;
    ``refused`` says that it does not know the page, so that asking for it again is no use.
    """

    def __init__(
        self, problem: Problem, *, asked_seconds: float = 0, refused: bool = False
    ) -> None:
        super().__init__(problem.line())
        self.problem, self.asked_seconds, self.refused = problem, asked_seconds, refused


Ask = Callable[[Poll, str, Callable[[], str]], Got]


def ask(
    poll: Poll,
    url: str,
    now: Callable[[], str],
    resolve: Resolve = resolved,
    egress: Egress = USUAL,
) -> Got:
    """Get a page, in the time and of the size that the poll allows. Raises ``Failed``."""
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "Lynchpin",
    }
    if poll.secret is not None:
        headers[poll.header] = _shown(poll)
    seconds = poll.timeout_seconds
    asked = Asked("GET", url, headers, None, poll.allow_private, seconds, egress)
    begun = now()
    try:
        with exchange(asked, resolve) as response:
            if response.status != 200:
                raise _failed(response, now())
            body = _whole(response, poll.page_bytes_max)
            at, until = _moments(response, begun, now())
            return Got(body, ", ".join(response.headers.get_all("Link") or ()) or None, at, until)
    except Forbidden:
        raise Failed(FORBIDDEN.at()) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        # Its text may hold what the other side chose to say.
        raise Failed(UNANSWERED.at(type(error).__name__)) from None


def _shown(poll: Poll) -> str:
    assert poll.secret is not None
    text = poll.secret.get_secret_value()
    bearer = poll.header.lower() == "authorization" and " " not in text
    return f"Bearer {text}" if bearer else text


def _failed(response: HTTPResponse, now: str) -> Failed:
    status = response.status
    asked = schedule.asked(Answer(status, response.headers.get("Retry-After")), now)
    cause = {401: TURNED_AWAY, 403: TURNED_AWAY, 429: SLOW_DOWN}.get(status, FAILED)
    refused = 400 <= status < 500 and cause is FAILED and status not in _PATIENT
    return Failed(cause.at(f"it answered {status}"), asked_seconds=asked, refused=refused)


def _whole(response: HTTPResponse, most: int) -> bytes:
    """The body. Raises ``Failed`` if it is too long, packed, or has not come whole."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise Failed(MALFORMED.at("it is packed although that was not asked for"))
    body = response.read(most + 1)
    if len(body) > most:
        raise Failed(TOO_LONG.at(f"more than {most} bytes"))
    # Told how much to read, `read` does not say that less came than was announced.
    if response.length:
        raise Failed(UNANSWERED.at("the page was cut off"))
    return body


def _moments(response: HTTPResponse, begun: str, now: str) -> tuple[str, str]:
    try:
        said = parsedate_to_datetime(response.headers.get("Date", ""))
    except (ValueError, TypeError):
        return begun, now
    said = said.replace(tzinfo=said.tzinfo or UTC)
    return _text(said), _text(said + _CLOCK_STEP)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
