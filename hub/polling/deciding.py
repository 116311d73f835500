"""What a person decides of polls: to poll now, and to read again from an earlier moment on."""

from __future__ import annotations

from sqlalchemy import Connection, update

from hub import audit
from hub.bootstrap import Hub
from hub.polling import progress
from hub.polling.causes import UNKNOWN
from hub.polling.status import Status, polls
from hub.store.tables import poll
from schemas.problem import Rejected

__all__ = ["check", "of", "poll_now", "rewind"]


def check(hub: Hub, name: str, stream: str | None = None) -> list[str]:
    """The streams that are meant. Raises ``Rejected`` if the settings name no such one."""
    chosen = hub.settings.polls.get(name)
    if chosen is None:
        raise Rejected(UNKNOWN.at(f"no poll {name!r}"))
    if stream is not None and stream not in chosen.streams:
        raise Rejected(UNKNOWN.at(f"no stream {stream!r} of {name!r}"))
    return list(chosen.streams) if stream is None else [stream]


def of(connection: Connection, hub: Hub, name: str) -> list[Status]:
    """How the streams of one poll are doing. Raises ``Rejected`` if the settings do not name it."""
    check(hub, name)
    return polls(connection, {name: hub.settings.polls[name]}, hub.now())


def poll_now(connection: Connection, hub: Hub, name: str, *, actor: str) -> None:
    """Have every stream of a poll read at once, whatever was to be waited for.

    Audited before it acts; the caller commits. Raises ``Rejected`` if the settings do not name it.
    """
    streams, now = check(hub, name), hub.now()
    audit.write(connection, actor=actor, act="poll.now", subject=f"poll {name}", now=now)
    progress.begin(connection, name, streams, now)
    mine = (poll.c.name == name) & poll.c.stream.in_(streams)
    connection.execute(update(poll).where(mine).values(due_at=now))


def rewind(
    connection: Connection, hub: Hub, name: str, *, to: str, stream: str | None, actor: str
) -> None:
    """Have a poll, or one stream of it, read again what has changed from this moment on.

    What the journal has as it is costs no message. Audited before it acts; the caller commits.
    Raises ``Rejected`` if the settings name no such one.
    """
    streams, now = check(hub, name, stream), hub.now()
    detail = {"to": to, "streams": streams}
    subject = f"poll {name}"
    audit.write(connection, actor=actor, act="poll.rewind", subject=subject, detail=detail, now=now)
    progress.begin(connection, name, streams, now)
    for each in streams:
        again = hub.settings.polls[name].streams[each].reread
        progress.rewind(connection, name, each, to=to, again=again, now=now)
