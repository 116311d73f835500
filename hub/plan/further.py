"""What a plan says of further documents: which would come, and what becomes of those there are.

Documents are looked at for what they hold by the proposed text and the hub has not; the further
documents that are stored, for what either text makes of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from connectors.api import Document
from hub import journal
from hub.apply import CONFLICT
from hub.failure import problem_of
from hub.journal import Stored
from hub.naming import further_kind
from hub.people import masking
from hub.people.claim import Claim
from hub.plan import history
from hub.plan.comparison import NAME, Comparison, Made, decoded
from hub.plan.difference import anywhere, at, differences
from hub.plan.report import SAMPLES_MAX, Change, Further, Report, Sample
from hub.store.tables import document
from hub.translate import Named, further
from mappings.mapping import Mapping
from schemas.problem import Problem

__all__ = ["Holdings"]

COMING_MAX = 20_000
"""Of so many that would come it is kept what they say, to see whether others contradict them."""

Group = Callable[[str, str], Change | None]


@dataclass(slots=True)
class Holdings:
    """The further documents of one page of a plan."""

    connection: Connection
    comparison: Comparison
    report: Report
    kinds: set[str]
    group: Group

    @property
    def any(self) -> bool:
        """Whether either text makes further documents."""
        return bool(self.comparison.published.further or self.comparison.proposed.further)

    def fails(self, mapping: Mapping, stored: Stored, principal: Document) -> Problem | None:
        """Why a further document of a message would hold it, if one would."""
        made = self._made(mapping, stored, principal)
        return made if isinstance(made, Problem) else None

    def comes(self, stored: Stored, principal: Document) -> Problem | None:
        """Count what a document holds by the proposed text and nobody has yet.

        Gives the reason instead if its message would be held for one of them.
        """
        made = self._made(self.comparison.proposed, stored, principal)
        if isinstance(made, Problem):
            return made
        known = self._known(named.fact for named, _ in made)
        for named, _ in made:
            if named.name.kind == "fact" and self._contradicts(known, named, stored.id):
                return CONFLICT.at(path=named.fact)
        coming = self.report.coming
        for named, values in made:
            if named.fact in known or _digest(named.fact) in coming:
                continue
            if len(coming) < COMING_MAX:
                coming[_digest(named.fact)] = _digest(named.business_hash)
            counts = self._counts(named.further)
            counts.come += 1
            self.report.affects(stored.id)
            if values.claims:
                self.report.people.moves(stored.id, named.fact)
            if len(counts.samples) < SAMPLES_MAX:
                canonical = self.comparison.proposed.further[named.further].spec.to
                shown = json.dumps(masking.body(canonical, values.values), ensure_ascii=False)
                sample = Sample(
                    message=stored.id, fact=named.fact, path=named.document.at, after=shown
                )
                counts.samples.append(sample)
        return None

    def _contradicts(self, known: dict[str, tuple[str, int]], named: Named, number: int) -> bool:
        """Whether one is there, or would come before it, that says something else."""
        content, of = known.get(named.fact, (None, None))
        if content is not None:
            return content != named.business_hash and of != number
        first = self.report.coming.get(_digest(named.fact))
        return first is not None and first != _digest(named.business_hash)

    def claimed(self, number: int, fact: str) -> tuple[frozenset[Claim], str] | None:
        """What a further document would claim, and where in its message it is found."""
        stored = journal.entry(self.connection, number)
        documents = stored and self._decoded(stored)
        if stored is None or not documents:
            return None
        for principal in documents.values():
            made = self._one(self.comparison.proposed, stored, fact, [principal])
            if isinstance(made, Made):
                return made.claims, principal.at
        return None

    def page(self, after: tuple[int, str], limit: int) -> tuple[int, str] | None:
        """Look at the next stored ones; gives the last, or ``None`` where there is none."""
        report = self.report
        found = history.further(
            self.connection, report.window, report.connector, after, limit=limit
        )
        number = 0
        documents: dict[str, Document] | None = None
        for made in found:
            if made.stored.id != number:
                number = made.stored.id
                documents = self._decoded(made.stored)
            if documents is None:
                self._counts(made.further or "").failing += 1
            else:
                self._stored(made, documents.values())
        return (found[-1].stored.id, found[-1].fact) if found else None

    def _decoded(self, stored: Stored) -> dict[str, Document] | None:
        """The documents of a message; ``None`` where no text gets as far as to see them."""
        try:
            return decoded(self.comparison.way(stored), stored, self.kinds)
        except Exception as error:  # noqa: BLE001
            problem_of(error)
            return None

    def _stored(self, made: history.Made, documents: Iterable[Document]) -> None:
        name = made.further or ""
        kind = made.fact.removeprefix(f"{made.stored.system}:").partition("/")[0]
        mine = [each for each in documents if kind == further_kind(each.kind, name)]
        if not mine:
            # It is of another mapping.
            return
        texts = (self.comparison.published, self.comparison.proposed)
        before, after = (self._one(text, made.stored, made.fact, mine) for text in texts)
        counts = self._counts(name)
        stored = json.loads(made.body or "{}")
        if after is None:
            gone = before is not None
            counts.go += gone
            counts.left += not gone
            if gone and len(counts.samples) < SAMPLES_MAX:
                sample = Sample(message=made.stored.id, fact=made.fact, path=made.at)
                counts.samples.append(sample)
        elif isinstance(after, Problem):
            counts.failing += 1
            return
        elif after.values == stored:
            counts.equal += 1
        else:
            counts.changed += 1
            self.report.affects(made.stored.id)
            self._changed(made, name, stored, after.values)
            if isinstance(before, Made) and before.claims != after.claims:
                self.report.people.moves(made.stored.id, made.fact)

    def _one(
        self, mapping: Mapping, stored: Stored, fact: str, principals: Iterable[Document]
    ) -> Made | Problem | None:
        """What a text makes of one further document; ``None`` where it does not find it."""
        for principal in principals:
            try:
                for named in self._named(mapping, stored, principal):
                    if named.fact == fact:
                        inner = mapping.further[named.further]
                        return self.comparison.made(stored, named.document, inner)
            except Exception as error:  # noqa: BLE001
                return problem_of(error)
        return None

    def _made(
        self, mapping: Mapping, stored: Stored, principal: Document
    ) -> list[tuple[Named, Made]] | Problem:
        try:
            found = list(self._named(mapping, stored, principal))
        except Exception as error:  # noqa: BLE001
            return problem_of(error)
        all_made: list[tuple[Named, Made]] = []
        for named in found:
            made = self.comparison.made(stored, named.document, mapping.further[named.further])
            if isinstance(made, Problem):
                return made
            all_made.append((named, made))
        return all_made

    @staticmethod
    def _named(mapping: Mapping, stored: Stored, principal: Document) -> Iterator[Named]:
        return further(stored.system, Named(principal, NAME, "", ""), mapping)

    def _known(self, facts: Iterable[str]) -> dict[str, tuple[str, int]]:
        columns = (document.c.fact, document.c.business_hash, document.c.message_id)
        chosen = select(*columns).where(document.c.fact.in_(list(facts)))
        return {
            fact: (content, number) for fact, content, number in self.connection.execute(chosen)
        }

    def _counts(self, name: str) -> Further:
        return self.report.further.setdefault(name, Further())

    def _changed(self, made: history.Made, name: str, before: Any, after: Any) -> None:
        """Add what changes in one to all changes, each under the name of its entry."""
        canonical = self.comparison.proposed.further[name].spec.to
        shown = [masking.body(canonical, each) for each in (before, after)]
        seen = set()
        for difference in differences(before, after):
            path = f"{name}: {anywhere(difference.path)}"
            group = self.group(path, difference.kind)
            if group is None or (path, difference.kind) in seen:
                continue
            seen.add((path, difference.kind))
            group.count += 1
            if len(group.samples) < SAMPLES_MAX:
                was, now = (_text(at(each, difference.path)) for each in shown)
                sample = Sample(
                    message=made.stored.id,
                    fact=made.fact,
                    path=difference.path,
                    before=was,
                    after=now,
                )
                group.samples.append(sample)


def _digest(text: str) -> str:
    """Short, for many of them are kept; long enough that no two of these meet."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
