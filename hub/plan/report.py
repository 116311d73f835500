"""The report of a plan: counts, differences by target, money per currency, and who would move.

It names what it compared, so that nobody can publish one text upon the report of another.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from schemas.money import plain
from schemas.problem import Cause, Refused

__all__ = [
    "BREACH",
    "NO_LIMITS",
    "OTHER_TEXT",
    "SAMPLES_MAX",
    "Change",
    "Counts",
    "Failure",
    "Further",
    "Money",
    "People",
    "Report",
    "Sample",
    "Thresholds",
    "Window",
    "breaches",
    "check",
]

OTHER_TEXT = Cause(
    "LP-PLAN-002",
    "The plan compared something else than what is to be published.",
    "Plan again with `lynchpin map plan FILE`, then publish upon that plan.",
)
BREACH = Cause(
    "LP-PLAN-003",
    "The plan found more than is allowed.",
    "Look at the plan; mend the mapping and plan again, or publish with other limits.",
)

Code = Annotated[str, Field(pattern="^[A-Z]{3}$")]

EXAMINED_MAX = 500
"""Documents whose people are worked out, which takes for one as long as to map a hundred."""
SAMPLES_MAX = 3
"""Of each group of differences, the first few are kept."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Sample(_Part):
    """A document that differs. ``before`` and ``after`` are masked, and absent if nothing is."""

    message: int
    fact: str
    path: str
    before: str | None = None
    after: str | None = None


class Change(_Part):
    """Differences of one kind at one target, ``[]`` standing for any place in a list."""

    path: str
    kind: str
    count: int = 0
    samples: list[Sample] = []


class Failure(_Part):
    """Documents that fail for one reason at one rule."""

    code: str
    path: str | None
    rule: str | None
    new: bool
    """Whether they only fail in the proposed mapping."""
    count: int = 0
    samples: list[Sample] = []


class Counts(_Part):
    """Documents by what became of them. Each is in one of the first five."""

    equal: int = 0
    changed: int = 0
    newly_failing: int = 0
    newly_fixed: int = 0
    still_failing: int = 0
    drifted: int = 0
    """Of all these, those that are stored otherwise than the published mapping makes them."""

    @property
    def documents(self) -> int:
        """How many were compared."""
        return (
            self.equal + self.changed + self.newly_failing + self.newly_fixed + self.still_failing
        )


class Money(_Part):
    """What the documents that differ are worth in one currency, as published and as proposed.

    ``moved`` is the sum of what each differs by, up or down, so that nothing makes up for anything
    else. ``failing`` is what those that newly fail are worth, ``fixed`` what those newly fixed are.
    """

    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    moved: Decimal = Decimal(0)
    failing: Decimal = Decimal(0)
    fixed: Decimal = Decimal(0)


class People(_Part):
    """Documents whose identifiers change, and what that does to profiles.

    Of the first of them, the ``examined``, ``joins`` would come into a profile with documents that
    they have nothing to do with now, and ``leaves`` would go from some. A further document that
    would come is one of them if it names a person, and joins whom the document it lies in is not
    with.
    """

    documents: int = 0
    examined: list[tuple[int, str]] = []
    """Message and fact."""
    joins: int = 0
    leaves: int = 0
    samples: list[Sample] = []

    def moves(self, number: int, fact: str) -> None:
        """Count a document that would claim something else, and examine the first of them."""
        self.documents += 1
        if len(self.examined) < EXAMINED_MAX:
            self.examined.append((number, fact))


class Further(_Part):
    """Further documents of one name, those that are there and those that are not.

    ``come`` are in no document yet; ``go`` are there and would not be made any more, ``left`` are
    not made by the text in force either: both stay as they are. Of the others, ``equal`` are
    stored as the proposed text makes them, ``changed`` are not, and ``failing`` it cannot make.
    """

    come: int = 0
    go: int = 0
    left: int = 0
    equal: int = 0
    changed: int = 0
    failing: int = 0
    samples: list[Sample] = []


class Window(_Part):
    """What was looked at: messages up to ``last``, of one source or all, since a moment or ever."""

    last: int
    source: str | None = None
    since: str | None = None
    """The moment from which on, and how it was asked for."""
    asked: str | None = None
    passed: dict[str, int] = {}
    """Messages that are not looked at, by what became of them: see ``hub.plan.passed``."""


class Report(_Part):
    """What a plan found, or has found so far where it is not ``done``.

    ``cursor`` is where it goes on: what it looks through, and the last message and fact.
    """

    id: str
    connector: str
    kind: str
    file: str
    proposed: str
    published: str
    begun_at: str
    window: Window
    done: bool = False
    cursor: tuple[str, int, str] = ("documents", 0, "")
    counts: Counts = Counts()
    changes: list[Change] = []
    failures: list[Failure] = []
    money: dict[str, Money] = {}
    people: People = People()
    further: dict[str, Further] = {}
    coming: dict[str, str] = {}
    """Further documents that would come, the first of them: digests of name and of content."""
    affected: list[tuple[int, int]] = []
    """Messages whose documents a replay would make otherwise, from the first to the last of each
    run of numbers: a plan that changes everything is as short as one that changes nothing."""

    def affects(self, number: int) -> None:
        """Note a message."""
        runs = self.affected
        at = bisect_right(runs, number, key=lambda run: run[0])
        if at and number <= runs[at - 1][1]:
            return
        before = bool(at) and runs[at - 1][1] == number - 1
        behind = at < len(runs) and runs[at][0] == number + 1
        first = runs[at - 1][0] if before else number
        last = runs[at][1] if behind else number
        runs[at - before : at + behind] = [(first, last)]

    @property
    def name(self) -> str:
        """The mapping, as people call it."""
        return f"{self.connector}.{self.kind}"


_LIMITS: JsonDict = {"failing": 0, "changed_percent": "5", "moved": 0, "money": {"USD": "10.00"}}


class Thresholds(_Part):
    """What a report may say at most for its mapping to be published; what is not said may be."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"example": _LIMITS})

    failing: int | None = Field(default=None, ge=0, description="Documents that newly fail.")
    changed_percent: Decimal | None = Field(
        default=None, ge=0, le=100, description="Documents that change, of all, in percent."
    )
    moved: int | None = Field(default=None, ge=0, description="Documents that change people.")
    money: dict[Code, Annotated[Decimal, Field(ge=0)]] | None = Field(
        default=None,
        max_length=200,
        description="By how much, up or down and added up, the documents that change may be worth "
        "other than before, per currency; one that is not named may not differ at all.",
    )


NO_LIMITS = Thresholds()


def breaches(report: Report, limits: Thresholds) -> list[str]:
    """What a report says beyond these limits, in words."""
    found = []
    counts, people = report.counts, report.people
    if limits.failing is not None and counts.newly_failing > limits.failing:
        found.append(f"{counts.newly_failing} documents newly fail, {limits.failing} may")
    if limits.changed_percent is not None and counts.documents:
        percent = Decimal(100 * counts.changed) / counts.documents
        if percent > limits.changed_percent:
            found.append(f"{percent:.1f} % of the documents change, {limits.changed_percent} % may")
    moved = people.joins + people.leaves
    if limits.moved is not None and moved > limits.moved:
        found.append(f"{moved} documents move between people, {limits.moved} may")
    return found + _beyond(report.money, limits.money)


def _beyond(money: dict[str, Money], limits: dict[str, Decimal] | None) -> list[str]:
    """The currencies in which more money differs than may."""
    if limits is None:
        return []
    found = []
    for currency, worth in sorted(money.items()):
        # A report that was kept before it told what moved has but the two sums.
        difference = max(worth.moved, abs(worth.after - worth.before))
        most = limits.get(currency, Decimal(0))
        if difference > most:
            found.append(f"{currency} differs by {plain(difference)}, {plain(most)} may")
    return found


def check(report: Report, *, proposed: str, published: str, limits: Thresholds) -> None:
    """Raises ``Refused`` unless a finished plan compared these two and stays within the limits."""
    compared = ((report.proposed, proposed), (report.published, published))
    for said, wanted in compared:
        if said != wanted:
            raise Refused(OTHER_TEXT.at(f"it knows {said}, not {wanted}"))
    if not report.done:
        raise Refused(OTHER_TEXT.at("it was cut short; go on with --resume"))
    if found := breaches(report, limits):
        raise Refused(BREACH.at("; ".join(found)))
