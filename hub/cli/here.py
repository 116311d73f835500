"""The hub in this process: its home is opened and locked for as long as each call takes."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from hub import audit, backup, edit, holds, journal, keys, reference, relocate, unverified
from hub import export as exporting
from hub import receive as receiving
from hub.authoring import publishing
from hub.authoring.draft import Draft
from hub.bootstrap import Hub
from hub.causes import NOT_FOUND
from hub.cli.journal_here import JournalHere
from hub.cli.open import reading, writing
from hub.cli.way import KINDS, Noun
from hub.delivery import deciding
from hub.explain import Explained, explain
from hub.issue import issue
from hub.jobs import record
from hub.jobs.ask import Ask
from hub.jobs.plan import plan
from hub.jobs.record import Act
from hub.jobs.worker import done
from hub.keys import Role
from hub.original import Original, original
from hub.people import view
from hub.people.document import Document, shown
from hub.people.view import Found, Person
from hub.plan.report import Thresholds
from hub.polling import deciding as polls
from hub.polling.poller import polled_by
from hub.polling.status import Status
from hub.publication import Publication, Target
from hub.receive import Report
from hub.reference import Loaded
from hub.settle import Settled, settle_pending
from schemas.problem import Rejected

__all__ = ["Here"]

_LOADERS: dict[str, Callable[[Connection, Path], Loaded]] = {
    "locations": relocate.load_locations,
    "workstations": reference.load_workstations,
    "items": reference.load_items,
}


class Here(JournalHere):
    """See ``hub.cli.way.Way``. Every method raises ``ConfigError`` if somebody else holds the home.

    The audit names the user of the machine.
    """

    def __init__(self) -> None:
        super().__init__(getpass.getuser())

    def receive(
        self, source: str, files: Iterable[Path], progress: Callable[[int], None]
    ) -> Report:
        """Take in files."""
        with writing() as hub:
            return receiving.receive(hub, source, files, progress)

    def release(self, numbers: list[int], *, replace: bool) -> Settled:
        """Send held messages through the mapping again."""
        with writing() as hub:
            return holds.release(hub, numbers, actor=self._actor, replace=replace)

    def discard(self, numbers: list[int], *, reason: str) -> Settled:
        """Give held messages up."""
        with writing() as hub:
            return holds.discard(hub, numbers, actor=self._actor, reason=reason)

    def edit(self, number: int, payload: bytes, *, reason: str, dry_run: bool) -> Settled:
        """Put an edit in the place of a held message, and release it."""
        with writing() as hub:
            if dry_run:
                return edit.preview(hub, number, payload, actor=self._actor).settled
            return edit.edit(hub, number, payload, actor=self._actor, reason=reason)

    def create_key(
        self,
        name: str,
        role: Role,
        *,
        sources: list[str],
        stores: list[str],
        destinations: list[str],
    ) -> tuple[str, str]:
        """Id and text of a new key."""
        with writing() as hub, hub.engine.begin() as connection:
            made, text = issue(
                hub,
                connection,
                name=name,
                role=role,
                sources=sources,
                stores=stores,
                destinations=destinations,
                actor=self._actor,
            )
        return made.id, text

    def revoke_key(self, number: str) -> None:
        """End a key."""
        with writing() as hub, hub.engine.begin() as connection:
            keys.revoke(connection, number, actor=self._actor, now=hub.now())

    def load(self, noun: str, file: Path) -> Loaded:
        """Load a table."""
        with writing() as hub, hub.engine.begin() as connection:
            return _LOADERS[noun](connection, file)

    def publish(
        self, draft: Draft, report: dict[str, Any] | None, limits: Thresholds
    ) -> Publication:
        """Put a mapping in force."""
        publishing.check(draft)
        with writing() as hub, hub.engine.begin() as connection:
            return publishing.publish(
                connection,
                draft,
                actor=self._actor,
                now=hub.now(),
                report=report,
                limits=limits,
            )

    def rollback(self, target: Target, to: str | None) -> Publication:
        """Put an earlier version of a mapping in force again."""
        with writing() as hub, hub.engine.begin() as connection:
            return publishing.rollback(connection, target, to, actor=self._actor, now=hub.now())

    def start_job(self, ask: Ask, *, reason: str) -> dict[str, Any]:
        """Have a replay done."""
        with writing(make=False) as hub, hub.engine.begin() as connection:
            made = plan(hub, connection, ask)
            now, actor = hub.now(), self._actor
            return record.start(connection, made, actor=actor, reason=reason, now=now).as_json()

    def decide_job(self, number: int, act: Act, *, reason: str) -> dict[str, Any]:
        """Pause, resume or cancel a job."""
        with writing(make=False) as hub, hub.engine.begin() as connection:
            now, actor = hub.now(), self._actor
            decided = record.decide(connection, number, act, actor=actor, reason=reason, now=now)
            return decided.as_json()

    def follow(self, number: int, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Do a job, after those that were asked for before it."""
        with writing(make=False) as hub:
            return done(hub, number, progress).as_json()

    def find_people(self, text: str, *, region: str | None) -> Found:
        """People by what somebody has at hand."""
        with self._shown() as (hub, connection):
            found = view.find(hub, connection, text, region=region)
            self._seen(hub, connection, "customers", detail=found.audited())
        return found

    def person(self, fact: str, *, limit: int, cursor: str | None, reveal: str | None) -> Person:
        """The person of a document."""
        revealed = reveal is not None
        with self._shown() as (hub, connection):
            person = view.person(hub, connection, fact, reveal=revealed, limit=limit, cursor=cursor)
            self._seen(hub, connection, person.person, reason=reveal)
        return person

    def document(self, noun: Noun, fact: str, *, reveal: str | None) -> Document:
        """A document whole."""
        with self._shown() as (hub, connection):
            found = shown(hub, connection, fact, KINDS[noun], reveal=reveal is not None)
            self._seen(hub, connection, found.fact, reason=reveal)
        return found

    def origins(self, fact: str, path: str, *, reveal: str | None) -> list[Explained]:
        """Where values of a document came from."""
        with self._shown() as (hub, connection):
            found = explain(hub, connection, fact, path, reveal=reveal is not None)
            self._seen(hub, connection, fact, reason=reveal)
        return found

    def look(self, number: int) -> None:
        """Keep that somebody is about to see what a message says, masked."""
        self._message(number, reveal=None)

    def payload(self, number: int, *, reveal: str) -> str:
        """The bytes of a message as journalled, as text."""
        return self._message(number, reveal=reveal).decode("utf-8", errors="backslashreplace")

    def original(self, number: int, *, reveal: str) -> Original:
        """What came in, byte for byte as journalled."""
        with self._shown() as (hub, connection):
            found = original(connection, number)
            self._seen(hub, connection, f"message {number}", reason=reveal)
        return found

    def _message(self, number: int, *, reveal: str | None) -> bytes:
        with self._shown() as (hub, connection):
            stored = journal.entry(connection, number)
            if stored is None:
                raise Rejected(NOT_FOUND.at(f"there is no message {number}"))
            said = stored.said if reveal is not None else b""
            self._seen(hub, connection, f"message {number}", reason=reveal)
        return said

    @contextmanager
    def _shown(self) -> Iterator[tuple[Hub, Connection]]:
        """What is read here is shown once the block has ended, and so its audit is kept."""
        with writing(make=False) as hub, hub.engine.begin() as connection:
            yield hub, connection

    def _seen(
        self,
        hub: Hub,
        connection: Connection,
        subject: str,
        *,
        reason: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        act = "read" if reason is None else "reveal"
        detail = detail if reason is None else {"reason": reason}
        audit.write(
            connection, actor=self._actor, act=act, subject=subject, detail=detail, now=hub.now()
        )

    def note_backup(self, file: str) -> None:
        """Keep that somebody is about to take a backup."""
        with writing(make=False) as hub, hub.engine.begin() as connection:
            backup.noted(connection, file=file, actor=self._actor, now=hub.now())

    def reconcile(self, source: str, *, reason: str) -> int:
        """Say that nothing of a source is unverified any more."""
        with writing(make=False) as hub, hub.engine.begin() as connection:
            now = hub.now()
            closed = unverified.reconcile(
                connection, source, reason=reason, actor=self._actor, now=now
            )
        return len(closed)

    def retry_deliveries(self, numbers: list[int], *, destination: str | None) -> int:
        """Try deliveries again now."""
        with writing() as hub, hub.engine.begin() as connection:
            actor, now = self._actor, hub.now()
            return deciding.retry(connection, numbers, to=destination, actor=actor, now=now)

    def discard_deliveries(self, numbers: list[int], *, reason: str) -> int:
        """Give deliveries up."""
        with writing() as hub, hub.engine.begin() as connection:
            actor, now = self._actor, hub.now()
            return deciding.discard(connection, numbers, actor=actor, reason=reason, now=now)

    def resend_deliveries(
        self, numbers: list[int], *, destination: str | None, since: str | None, until: str | None
    ) -> int:
        """Tell again what was told."""
        with writing() as hub, hub.engine.begin() as connection:
            which = deciding.Told(numbers, destination, since, until)
            return deciding.resend(connection, which, actor=self._actor, now=hub.now())

    def poll_now(self, name: str) -> list[Status]:
        """Poll at once, in this process, and settle what came."""
        with writing() as hub:
            with hub.engine.begin() as connection:
                polls.poll_now(connection, hub, name, actor=self._actor)
            with polled_by(hub, name) as poller:
                while poller.round():
                    settle_pending(hub.engine, hub.bus, hub.translator, hub.now)
            with hub.engine.begin() as connection:
                return polls.of(connection, hub, name)

    def rewind_poll(self, name: str, *, to: str, stream: str | None) -> list[Status]:
        """Have a poll read again what changed from this moment on."""
        with writing() as hub, hub.engine.begin() as connection:
            polls.rewind(connection, hub, name, to=to, stream=stream, actor=self._actor)
            return polls.of(connection, hub, name)

    def export(self, kinds: tuple[str, ...]) -> Iterator[str]:
        """Canonical documents, a line at a time. Others may write while it goes on."""
        with writing(make=False) as hub, hub.engine.begin() as connection:
            exporting.note(connection, kinds=kinds, actor=self._actor, now=hub.now())
        with reading() as (_, connection):
            for line in exporting.export(connection, kinds=kinds):
                yield f"{line}\n"
