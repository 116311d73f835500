"""Planning: stored documents and held messages through two texts of a mapping, page by page.

Three ways of seeing a document are compared: as it is stored, as the published text makes it, and
as the proposed text would. Nothing is written but the report, which is kept after every few pages:
a plan that was cut short goes on from there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from connectors.api import Document
from hub import library, publication
from hub.authoring.draft import Draft
from hub.bootstrap import Hub
from hub.failure import problem_of
from hub.journal import Stored
from hub.people import masking
from hub.people.claim import Claim
from hub.plan import history, shelf
from hub.plan.comparison import Comparison, Made, decoded
from hub.plan.difference import anywhere, at, differences
from hub.plan.further import Holdings
from hub.plan.moving import moved
from hub.plan.passed import passed_over
from hub.plan.prune import Pair
from hub.plan.prune import pair as paired
from hub.plan.report import (
    SAMPLES_MAX,
    Change,
    Failure,
    Money,
    Report,
    Sample,
    Window,
)
from hub.since import moment
from schemas.problem import Problem

__all__ = ["GROUPS_MAX", "begun", "plan"]

PAGE = 500
_KEEP_SECONDS = 2.0
GROUPS_MAX = 2000
"""Of a mapping for something else altogether nobody reads more differences than these."""
_SHOWN_MAX = 80


def begun(hub: Hub, draft: Draft, *, source: str | None, since: str | None) -> Report:
    """A plan that has not looked at anything yet; ``since`` is as people say it, as in ``7d``."""
    with hub.engine.begin() as connection:
        target = draft.target
        published = library.in_force(connection, target.connector, target.kind)
        last = history.last_message(connection)
        at_ = hub.now()
        window = Window(last=last, source=source, since=since and moment(since, at_), asked=since)
        window.passed = passed_over(connection, window, target.connector)
    stamp = "".join(c for c in at_[:19] if c.isdigit())
    return Report(
        id=f"{stamp[:8]}-{stamp[8:]}-{draft.mapping.version[:6]}",
        connector=target.connector,
        kind=target.kind,
        file=draft.file,
        proposed=draft.mapping.version,
        published=published.version,
        begun_at=at_,
        window=window,
    )


def plan(
    hub: Hub, draft: Draft, report: Report, progress: Callable[[int], None] = lambda count: None
) -> Report:
    """Go on with a plan until it is done; ``progress`` hears of documents as they are compared."""
    with hub.engine.begin() as connection:
        published = library.version(connection, report.published, report.connector)
        pair = paired(published, draft.mapping)
    kept = time.monotonic()
    while not report.done:
        with hub.engine.begin() as connection:
            before = report.counts.documents
            _Page(hub, connection, draft, report, pair).look()
            progress(report.counts.documents - before)
        if time.monotonic() - kept > _KEEP_SECONDS:
            shelf.write(hub.home, report)
            kept = time.monotonic()
    shelf.write(hub.home, report)
    return report


@dataclass(slots=True)
class _Page:
    """A page of what a plan looks through, read in one transaction."""

    hub: Hub
    connection: Connection
    draft: Draft
    report: Report
    pair: Pair
    _comparison: Comparison = field(init=False)
    _kinds: set[str] = field(init=False)
    _holdings: Holdings = field(init=False)

    def __post_init__(self) -> None:
        published = library.version(self.connection, self.report.published, self.report.connector)
        self._comparison = Comparison(
            self.hub, self.connection, published, self.draft.mapping, self.pair
        )
        self._kinds = {target.kind for target in publication.siblings(self.draft.target)}
        self._holdings = Holdings(
            self.connection, self._comparison, self.report, self._kinds, self._group
        )

    @property
    def _canonical(self) -> str:
        return self.draft.mapping.spec.to

    def look(self) -> None:
        """Look at the next page of documents, then of held messages, and at people in the end."""
        phase, number, fact = self.report.cursor
        connector = self.report.connector
        if phase == "documents":
            found = history.documents(
                self.connection,
                self.report.window,
                connector,
                self._canonical,
                (number, fact),
                published=self.report.published,
                limit=PAGE,
            )
            reads = None if self._holdings.any else self.pair.reads
            for made, document in self._decoded(found, reads):
                self._document(made, document)
            last = found[-1] if found else None
            following = ("documents", last.stored.id, last.fact) if last else ("further", 0, "")
        elif phase == "further":
            seen = self._holdings.page((number, fact), PAGE)
            following = (phase, *seen) if seen else ("held", 0, "")
        elif phase == "held":
            waiting = history.held(self.connection, self.report.window, connector, number, PAGE)
            for stored in waiting:
                self._held(stored)
            following = ("held", waiting[-1].id, "") if waiting else ("people", 0, "")
        else:
            self._people()
            self.report.done = True
            following = (phase, number, fact)
        self.report.cursor = following

    def _decoded(
        self, page: list[history.Made], reads: frozenset[str] | None = None
    ) -> Iterator[tuple[history.Made, Document]]:
        """The documents as they were decoded; those of another kind of message are passed over."""
        number, found = 0, dict[str, Document]()
        problem: Problem | None = None
        for made in page:
            if made.stored.id != number:
                number = made.stored.id
                way, problem = self._comparison.way(made.stored), None
                try:
                    found = decoded(way, made.stored, self._kinds, reads)
                except Exception as error:  # noqa: BLE001
                    found, problem = {}, problem_of(error)
            if problem is not None:
                # No text gets as far as to say anything of it.
                self.report.counts.still_failing += 1
                self._failure(made.fact, made.stored, problem, new=False)
            if (document := found.get(made.at)) is not None:
                yield made, document

    def _document(self, made: history.Made, document: Document) -> None:
        counts, comparison = self.report.counts, self._comparison
        same = comparison.agree(made.stored, document)
        problem = None
        if self._holdings.any:
            problem = self._holdings.comes(made.stored, document)
        if problem is None and same and made.mapping == self.report.published:
            counts.equal += 1
            return
        for _, whole in self._decoded([made]):
            document = whole
        before = comparison.made(made.stored, document, comparison.published)
        stored = None if made.body is None else json.loads(made.body)
        # What stands in the hub is the truth of today, whatever made it.
        drifted = isinstance(before, Problem) or (stored is not None and before.values != stored)
        counts.drifted += drifted
        after = before if same else comparison.made(made.stored, document, comparison.proposed)
        if problem is not None:
            fails = self._holdings.fails(comparison.published, made.stored, document)
            before, after = fails or before, problem
        self._compared(made.fact, made.stored, before, after)
        if before != after or (drifted and isinstance(after, Made)):
            self.report.affects(made.stored.id)

    def _held(self, stored: Stored) -> None:
        """A held message whose documents fail in the mapping, or would."""
        comparison = self._comparison
        try:
            found = decoded(comparison.way(stored), stored, self._kinds)
        except Exception as error:  # noqa: BLE001
            # It is on hold for that, whatever a mapping says.
            problem_of(error)
            return
        for document in found.values():
            before, after = (
                self._holdings.fails(text, stored, document)
                or comparison.made(stored, document, text)
                for text in (comparison.published, comparison.proposed)
            )
            if isinstance(before, Problem) or isinstance(after, Problem):
                self._compared(document.at or "held", stored, before, after)

    def _compared(
        self, fact: str, stored: Stored, before: Made | Problem, after: Made | Problem
    ) -> None:
        report, counts = self.report, self.report.counts
        if isinstance(after, Problem):
            new = not isinstance(before, Problem)
            counts.newly_failing += new
            counts.still_failing += not new
            self._failure(fact, stored, after, new=new)
            if isinstance(before, Made) and before.money:
                _money(report, before.money[0]).failing += before.money[1]
        elif isinstance(before, Problem):
            counts.newly_fixed += 1
            if after.money:
                _money(report, after.money[0]).fixed += after.money[1]
        elif before == after:
            counts.equal += 1
        else:
            counts.changed += 1
            self._changed(fact, stored, before, after)

    def _failure(self, fact: str, stored: Stored, problem: Problem, *, new: bool) -> None:
        path = anywhere(problem.path) if problem.path else None
        for group in self.report.failures:
            if (group.code, group.path, group.rule, group.new) == (
                problem.code,
                path,
                problem.rule,
                new,
            ):
                break
        else:
            if len(self.report.failures) == GROUPS_MAX:
                return
            group = Failure(code=problem.code, path=path, rule=problem.rule, new=new, samples=[])
            self.report.failures.append(group)
        group.count += 1
        if len(group.samples) < SAMPLES_MAX:
            where = problem.path or ""
            sample = Sample(message=stored.id, fact=fact, path=where, before=problem.value)
            group.samples.append(sample)

    def _changed(self, fact: str, stored: Stored, before: Made, after: Made) -> None:
        shown: list[Any] = []
        seen = set()
        for difference in differences(before.values, after.values):
            key = (anywhere(difference.path), difference.kind)
            if (group := self._group(*key)) is None:
                continue
            group.count += key not in seen
            if key not in seen and len(group.samples) < SAMPLES_MAX:
                # Most documents come after all samples are taken, and masking takes its time.
                shown = shown or [masking.body(self._canonical, v.values) for v in (before, after)]
                was, now = (_shown(at(each, difference.path)) for each in shown)
                group.samples.append(
                    Sample(
                        message=stored.id, fact=fact, path=difference.path, before=was, after=now
                    )
                )
            seen.add(key)
        for word, flags in (
            ("flag goes", before.flags - after.flags),
            ("flag comes", after.flags - before.flags),
        ):
            for code, path in sorted(flags):
                if (group := self._group(anywhere(path), f"{word}: {code}")) is not None:
                    group.count += 1
        _worth(self.report, before, after)
        if before.claims != after.claims:
            self.report.people.moves(stored.id, fact)

    def _group(self, path: str, kind: str) -> Change | None:
        for group in self.report.changes:
            if (group.path, group.kind) == (path, kind):
                return group
        if len(self.report.changes) == GROUPS_MAX:
            return None
        group = Change(path=path, kind=kind, samples=[])
        self.report.changes.append(group)
        return group

    def _people(self) -> None:
        """Whose documents would move; identifiers are read again, for a report keeps none."""
        people = self.report.people
        messages = {fact: number for number, fact in people.examined}
        nobody = self.hub.nobody(self.connection)
        for each in moved(self.connection, *self._said(), nobody=nobody):
            people.joins += bool(each.come)
            people.leaves += bool(each.go)
            if len(people.samples) < SAMPLES_MAX:
                sample = Sample(
                    message=messages[each.fact],
                    fact=each.fact,
                    path="",
                    before=f"leaves {len(each.go)} documents",
                    after=f"joins {len(each.come)} documents",
                )
                people.samples.append(sample)

    def _said(self) -> tuple[dict[str, frozenset[Claim]], dict[str, str]]:
        """What the documents that are examined would claim, and in which those lie that come."""
        found: dict[str, frozenset[Claim]] = {}
        coming: dict[str, str] = {}
        for number, fact in self.report.people.examined:
            there = history.of_message(self.connection, number, fact)
            if not there or there[0].further is not None:
                if (of := self._holdings.claimed(number, fact)) is not None:
                    found[fact] = of[0]
                    if not there:
                        coming[fact] = history.principal(self.connection, number, of[1]) or fact
                continue
            for made, document in self._decoded(there):
                after = self._comparison.made(made.stored, document, self._comparison.proposed)
                if isinstance(after, Made):
                    found[fact] = after.claims
        return found, coming


def _worth(report: Report, before: Made, after: Made) -> None:
    if before.money:
        _money(report, before.money[0]).before += before.money[1]
    if after.money:
        _money(report, after.money[0]).after += after.money[1]
    one, other = before.money, after.money
    if one and other and one[0] == other[0]:
        _money(report, one[0]).moved += abs(one[1] - other[1])
    else:
        for currency, amount in filter(None, (one, other)):
            _money(report, currency).moved += abs(amount)


def _money(report: Report, currency: str) -> Money:
    return report.money.setdefault(currency, Money())


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
