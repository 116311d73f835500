"""The way to the hub: one that runs is asked over HTTP, else its home is opened in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from hub import home as homes
from hub import lock, running
from hub.home import Home

if TYPE_CHECKING:
    from hub.authoring.draft import Draft
    from hub.cli.there import There
    from hub.dictionaries import Learned
    from hub.explain import Explained
    from hub.jobs.ask import Ask
    from hub.jobs.record import Act
    from hub.keys import Role
    from hub.original import Original
    from hub.people.document import Document
    from hub.people.view import Found, Person
    from hub.plan.report import Thresholds
    from hub.polling.status import Status
    from hub.publication import Publication, Target
    from hub.receive import Report
    from hub.redaction import Redacted
    from hub.reference import Loaded
    from hub.settle import Settled

__all__ = ["KINDS", "Noun", "Way", "way"]

Noun = Literal["transactions", "orders"]
KINDS: dict[Noun, tuple[str, ...]] = {
    "transactions": ("Transaction", "Control"),
    "orders": ("Order", "Reversal"),
}
"""What the command of each noun shows."""

_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.05


class Way(Protocol):
    """What commands ask of the hub. What is asked of a person is audited before it is answered.

    Both ways answer the same and raise the same; over HTTP every method may also raise
    ``Unavailable`` if the hub ends meanwhile.
    """

    def receive(
        self, source: str, files: Iterable[Path], progress: Callable[[int], None]
    ) -> Report:
        """Take in files; ``progress`` hears how many messages were settled since last time."""

    def release(self, numbers: list[int], *, replace: bool) -> Settled:
        """Send held messages through the mapping again, all of them or none."""

    def discard(self, numbers: list[int], *, reason: str) -> Settled:
        """Give held messages up, all or none; says what became of them and of what waited."""

    def edit(self, number: int, payload: bytes, *, reason: str, dry_run: bool) -> Settled:
        """Put an edit in the place of a held message, and release it; or say what would come."""

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

    def revoke_key(self, number: str) -> None:
        """End a key."""

    def load(self, noun: str, file: Path) -> Loaded:
        """Load a table of locations, workstations or items, or nothing of it."""

    def publish(
        self, draft: Draft, report: dict[str, Any] | None, limits: Thresholds
    ) -> Publication:
        """Put a mapping in force, with the report of its plan; checks both again before that."""

    def rollback(self, target: Target, to: str | None) -> Publication:
        """Put an earlier version of a mapping in force again."""

    def start_job(self, ask: Ask, *, reason: str) -> dict[str, Any]:
        """Have a replay done; gives the job. Whoever looks after jobs begins with it."""

    def decide_job(self, number: int, act: Act, *, reason: str) -> dict[str, Any]:
        """Pause, resume or cancel a job, from its next batch on; gives it as it is then."""

    def follow(self, number: int, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Have a job done, or wait while the hub that is up does it; gives it as it is then.

        ``progress`` hears how many messages it is through with, and of how many.
        """

    def find_people(self, text: str, *, region: str | None) -> Found:
        """People by what somebody has at hand, masked."""

    def person(self, fact: str, *, limit: int, cursor: str | None, reveal: str | None) -> Person:
        """The person of a document and a page of their story; ``reveal`` is the reason, if any."""

    def document(self, noun: Noun, fact: str, *, reveal: str | None) -> Document:
        """A document whole."""

    def origins(self, fact: str, path: str, *, reveal: str | None) -> list[Explained]:
        """Where values of a document came from."""

    def look(self, number: int) -> None:
        """Keep that somebody is about to see what a message says, masked."""

    def payload(self, number: int, *, reveal: str) -> str:
        """The bytes of a message as journalled, as text."""

    def original(self, number: int, *, reveal: str) -> Original:
        """What came in, byte for byte as journalled."""

    def note_backup(self, file: str) -> None:
        """Keep that somebody is about to take a backup, under this name."""

    def reconcile(self, source: str, *, reason: str) -> int:
        """Say that nothing of a source is unverified any more; how many windows that closes."""

    def retry_deliveries(self, numbers: list[int], *, destination: str | None) -> int:
        """Try deliveries again now, or all that is open for a destination; says how many."""

    def discard_deliveries(self, numbers: list[int], *, reason: str) -> int:
        """Give deliveries up, all of them or none; says how many."""

    def resend_deliveries(
        self, numbers: list[int], *, destination: str | None, since: str | None, until: str | None
    ) -> int:
        """Tell again what was told: these, or all of a destination in a window; says how many."""

    def poll_now(self, name: str) -> list[Status]:
        """Poll at once; how the streams of the poll are doing once that has ended."""

    def rewind_poll(self, name: str, *, to: str, stream: str | None) -> list[Status]:
        """Have a poll read again what changed from this moment on; how its streams are doing."""

    def train(self, sources: list[str]) -> list[Learned]:
        """Try dictionaries for sources, and use those that pay."""

    def sweep(self, progress: Callable[[int], None]) -> int:
        """Remove what messages said whose days are over, batch by batch; says how many."""

    def redact(self, *, message: int | None, person: str | None, reason: str) -> Redacted:
        """Redact a message, or all of a person by a document of theirs."""

    def export(self, kinds: tuple[str, ...]) -> Iterator[str]:
        """Canonical documents as lines of JSON, in pieces of any length."""


@contextmanager
def way() -> Iterator[Way]:
    """The way to the hub of LYNCHPIN_HOME, for one command."""
    there = _there(homes.locate())
    if there is None:
        from hub.cli.here import Here

        yield Here()
    else:
        with there:
            yield there


def _there(home: Home) -> There | None:
    """A hub that runs and answers.

    One that is starting has the lock and does not say yet where it is; one that is ending does not
    answer any more. Both are waited for: the one speaks soon, the other lets go of the lock.
    """
    until = time.monotonic() + _PATIENCE_SECONDS
    while (holder := lock.holder(home)) and holder.is_hub and time.monotonic() < until:
        if said := running.find(home):
            from hub.cli.there import connected

            if there := connected(said):
                return there
        time.sleep(_POLL_SECONDS)
    return None
