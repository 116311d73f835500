"""Why a poll comes to nothing for now. None of these loses anything: it is read again."""

from __future__ import annotations

from schemas.problem import Cause

__all__ = [
    "FAILED",
    "FORBIDDEN",
    "LEADS_AWAY",
    "MALFORMED",
    "SLOW_DOWN",
    "TOO_LONG",
    "TURNED_AWAY",
    "UNANSWERED",
    "UNFORESEEN",
    "UNKNOWN",
]

UNANSWERED = Cause(
    "LP-POLL-001",
    "The system that is polled gives no answer.",
    "Check its address and the network; the hub asks again by itself.",
)
TURNED_AWAY = Cause(
    "LP-POLL-002",
    "The system that is polled does not let the hub in.",
    "Renew `secret` of the poll in lynchpin.toml and start the hub again; what it may read is set "
    "over there.",
)
SLOW_DOWN = Cause(
    "LP-POLL-003",
    "The system that is polled has been asked too often.",
    "Wait a while; if it goes on, raise `every_seconds` of the poll or ask for more on a page.",
)
FAILED = Cause(
    "LP-POLL-004",
    "The system that is polled answers with an error.",
    "Check `url`, `path` and `query` of the poll if it goes on; the hub asks again by itself.",
)
MALFORMED = Cause(
    "LP-POLL-005",
    "A page of what is polled is not a whole list.",
    "Check `items` and `path` of the stream if it goes on; nothing of the page was kept.",
)
FORBIDDEN = Cause(
    "LP-POLL-006",
    "What is polled is in a network that the hub does not go to.",
    "Correct `url` of the poll, or set `allow_private` if it is a network of yours.",
)
LEADS_AWAY = Cause(
    "LP-POLL-007",
    "A page of what is polled names another system, or itself, as the next page.",
    "Have the system give the next page under the `url` of the poll; nothing of it was kept.",
)
TOO_LONG = Cause(
    "LP-POLL-008",
    "A page of what is polled is larger than it may be.",
    "Ask for fewer on a page in `query` of the stream, or raise `page_bytes_max` of the poll.",
)
UNKNOWN = Cause(
    "LP-POLL-009",
    "No poll or stream has this name.",
    "Look those of the settings up with `lynchpin poll status`.",
)
UNFORESEEN = Cause(
    "LP-POLL-010",
    "Lynchpin failed on a page of what is polled.",
    "Report it with the code and the detail; the hub asks again by itself.",
)
