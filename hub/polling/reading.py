"""A reading: from one moment on, page by page to the end; how far it has come is a row's text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import msgspec

from hub import journal
from hub.polling.causes import LEADS_AWAY
from hub.polling.chosen import Poll, Reread, Stream
from hub.polling.page import Element
from schemas.problem import Refused

__all__ = ["Reading", "begun", "following", "onward", "recent", "target"]

_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_RELATION = re.compile(r';\s*rel\s*=\s*"?([^";,]*)', re.IGNORECASE)

_TURNS_MAX = 5
"""By then whatever moved has been seen, unless the system gives out something else each time."""

Kind = Literal["changes", "reread"]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How far a reading has come. ``since`` is the moment it began from, ``None`` for everything;
    ``next`` the next page: a number, or path and query.
    """

    kind: Kind
    since: str | None
    next: str | None = None
    begun_at: str | None = None
    """When its first page was answered, by the clock of the system that was asked."""
    latest: str | None = None
    """The latest change that it has read of."""
    last: str = ""
    """What identifies the page before."""
    pages: int = 0
    missed: bool = False
    """Whether something turned up that an earlier turn should have had."""
    turn: int = 1

    @property
    def anew(self) -> Reading:
        """The same from its start."""
        return Reading(kind=self.kind, since=self.since)

    def with_page(self, elements: tuple[Element, ...], at: str) -> Reading:
        """After a page that was answered at this time, by the clock of who answered."""
        changes = [element.changed for element in elements if element.changed is not None]
        latest = max([*changes, *([self.latest] if self.latest else [])], default=None)
        return msgspec.structs.replace(self, latest=latest, begun_at=self.begun_at or at)


def begun(poll: Poll, stream: Stream, *, cursor: str | None, rounds: int, now: str) -> Reading:
    """The reading that is next: what has changed, or once in a while the recent again."""
    if stream.reread is not None and rounds >= stream.reread.every:
        return recent(stream.reread, now)
    if cursor is None:
        start = None if poll.start_at is None else _text(poll.start_at)
        return Reading(kind="changes", since=start)
    return Reading(kind="changes", since=_before(cursor, poll.overlap_seconds))


def recent(again: Reread, at: str) -> Reading:
    """The reading of what no change says anything of, as it would have begun at this moment."""
    since = _before(at, again.window_seconds) if again.since else None
    return Reading(kind="reread", since=since)


def target(poll: Poll, stream: Stream, reading: Reading) -> str:
    """The address of its next page."""
    if stream.pages == "link" and reading.next is not None:
        return urljoin(poll.url, reading.next)
    query = dict(stream.query)
    since = stream.since
    if reading.kind == "reread" and stream.reread is not None:
        query |= stream.reread.query
        since = stream.reread.since or ""
    if reading.since is not None and since:
        query[since] = datetime.fromisoformat(reading.since).strftime(poll.time_format)
    if stream.pages == "number":
        query[stream.page] = reading.next or "1"
    address = poll.url.rstrip("/") + stream.path
    return f"{address}?{urlencode(query)}" if query else address


def onward(
    stream: Stream,
    reading: Reading,
    elements: tuple[Element, ...],
    fresh: list[Element],
    link: str | None,
) -> Reading | None:
    """How a reading goes on after a page of which this much was new; ``None`` at its end.

    Pages of numbers end with one that is empty, or that is the one before once more: how many a
    system puts on a page, it may decide by itself. While they are read, what changes leaves its
    page and what follows moves up, over the border to a page that was read already. So several
    pages are read once more, until nothing turns up that should have been there before.
    """
    if stream.pages == "link":
        return None if link is None else msgspec.structs.replace(reading, next=link)
    since = reading.begun_at or ""
    shifted = any(each.changed is not None and each.changed < since for each in fresh)
    missed = reading.missed or (reading.turn > 1 and shifted)
    here = _identity(elements)
    if elements and here != reading.last:
        number = str(int(reading.next or "1") + 1)
        pages = reading.pages + 1
        return msgspec.structs.replace(reading, next=number, last=here, pages=pages, missed=missed)
    again = missed if reading.turn > 1 else reading.pages > 1
    if not again or reading.turn >= _TURNS_MAX:
        return None
    turn = reading.turn + 1
    return msgspec.structs.replace(reading, next=None, last="", pages=0, missed=False, turn=turn)


def _identity(elements: tuple[Element, ...]) -> str:
    return journal.digest("\n".join(f"{e.key} {e.digest}" for e in elements).encode())


def following(url: str, header: str | None) -> str | None:
    """Path and query of the next page, as a ``Link`` header names it; ``None`` at the end.

    Raises ``Refused`` where it leads to another system, which must not be shown the secret, or to
    the page that it stands on, which would never end.
    """
    found = _next_link(header or "")
    if found is None:
        return None
    there, here = urlsplit(urljoin(url, found)), urlsplit(url)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise Refused(LEADS_AWAY.at("another system"))
    if (there.path, _query(there.query)) == (here.path, _query(here.query)):
        raise Refused(LEADS_AWAY.at("the same page"))
    return there.path + (f"?{there.query}" if there.query else "")


def _query(text: str) -> list[tuple[str, str]]:
    return sorted(parse_qsl(text, keep_blank_values=True))


def _next_link(header: str) -> str | None:
    """The target with the relation ``next``, of RFC 8288's header with any number of links."""
    for target, parameters in _LINK.findall(header):
        relation = _RELATION.search(parameters)
        if relation and "next" in relation[1].lower().split():
            return str(target)
    return None


def _before(moment: str, seconds: float) -> str:
    return _text(datetime.fromisoformat(moment) - timedelta(seconds=seconds))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
