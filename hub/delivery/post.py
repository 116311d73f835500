"""One attempt: a body is posted, and what comes of it is a status or a failure in our own words.

What the receiver answers beside its status is read, so that it is let finish, and thrown away: it
could say anything.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from hub.delivery.address import Forbidden, Resolve, resolved
from hub.delivery.exchange import Asked, exchange
from hub.egress import USUAL, Egress
from hub.settings import Destination

__all__ = ["FORBIDDEN", "Answer", "post"]

_ANSWER_BYTES = 64 * 1024

FORBIDDEN = "its address or port is one that the hub does not send to"


@dataclass(frozen=True, slots=True)
class Answer:
    """The status that was answered, or why there was none."""

    status: int | None = None
    retry_after: str | None = None
    failure: str | None = None


def post(
    to: Destination,
    headers: Mapping[str, str],
    body: bytes,
    resolve: Resolve = resolved,
    egress: Egress = USUAL,
) -> Answer:
    """Post a body to a destination. It is over within the seconds that the destination has, beside
    what looking its name up takes.
    """
    seconds = to.timeout_seconds
    asked = Asked("POST", to.url, headers, body, to.allow_private, seconds, egress)
    try:
        with exchange(asked, resolve) as response:
            status, retry_after = response.status, response.headers.get("Retry-After")
            with suppress(OSError, http.client.HTTPException, ValueError):
                response.read(_ANSWER_BYTES)
            return Answer(status, retry_after)
    except Forbidden:
        return Answer(failure=FORBIDDEN)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # Its text may hold what the other side chose to say.
        return Answer(failure=f"no answer ({type(error).__name__})")
