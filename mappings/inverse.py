"""The way back: a canonical document becomes a document of the source, by the same mapping.

>>> written = write(mapping, order)                                         # doctest: +SKIP
>>> written.findings     # what the channel cannot express; look here before sending
()
>>> written.body         # a dict for JSON, an lxml element with canonical prefixes for XML

What was written is mapped forward again and compared, so whatever would come back different is
found here, for whatever reason.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mappings import canonical
from mappings.backward import Backward
from mappings.canonical import Place
from mappings.direction import alone
from mappings.errors import DIRECTION, INEXPRESSIBLE
from mappings.mapping import Mapping
from mappings.source_tree import Names, Node, written_json, written_xml
from mappings.trial import Flaw, Trial
from schemas.model import Canonical
from schemas.problem import ConfigError, Problem, Rejected

__all__ = ["Finding", "Written", "cannot_express", "write"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A canonical value that does not arrive as it is; ``declared`` where the mapping says so.

    The problem names the canonical path, the rule's line, the reason and the shape of the value.
    """

    problem: Problem
    declared: bool


@dataclass(frozen=True, slots=True)
class Written:
    """A source document made of a canonical one, and what of that one it cannot express.

    The body is fit to be sent only if every finding is declared.
    """

    body: Any
    findings: tuple[Finding, ...]


def cannot_express(mapping: Mapping, document: Canonical | dict[str, Any]) -> tuple[Finding, ...]:
    """What of a canonical document the channel of a mapping cannot express, by path.

    Raises ``ConfigError`` for a mapping that is not of both directions.
    """
    return write(mapping, document).findings


def write(mapping: Mapping, document: Canonical | dict[str, Any]) -> Written:
    """Write a canonical document as one of the source. Raises ``ConfigError`` as above."""
    spec = mapping.spec
    if not spec.declared.both:
        detail = f"{spec.name} has no way back: it does not say `direction: both`"
        raise ConfigError(DIRECTION.at(detail, file=spec.file))
    plain = canonical.plain(document)
    trial = Trial()
    root = Node()
    single = _single(mapping)
    Backward(spec, plain, single).write(root, trial)
    if spec.reads == "xml":
        body = written_xml(root, spec.declared.root or "")
    else:
        body = written_json(root, single)
    return Written(body, tuple(_findings(mapping, plain, body, trial)))


@lru_cache(maxsize=64)
def _single(mapping: Mapping) -> frozenset[Names]:
    return alone(mapping.spec)


def _findings(
    mapping: Mapping, document: dict[str, Any], body: Any, trial: Trial
) -> Iterator[Finding]:
    """What was not written, or would come back different, in the order of the document."""
    model = mapping.spec.model
    try:
        again = mapping.run(body)[0]
    except Rejected as rejection:
        again = {}
        detail = f"what is written cannot be read again: {rejection.problem.detail}"
        yield _finding(mapping, (), None, Flaw(detail, None))
    for place, flaw in trial.dropped.items():
        yield _finding(mapping, place, None, flaw)
    before = _moved_up(canonical.leaves(model, document), set(trial.dropped))
    after = canonical.leaves(model, again)
    for place, (came_from, kind, value) in before.items():
        if place in after and canonical.same(kind, after[place][1], value):
            continue
        if place in after or not canonical.is_default(model, place, value):
            yield _finding(mapping, came_from, value, _reason(trial, came_from))
    for place, (_, value) in after.items():
        if place not in before and not canonical.is_default(model, place, value):
            flaw = trial.flaws.get(place) or Flaw("it comes back though it is not there", None)
            yield _finding(mapping, place, None, flaw)


def _finding(mapping: Mapping, place: Place, value: Any, flaw: Flaw) -> Finding:
    spec = mapping.spec
    why = spec.declared.why_one_way(canonical.names(place))
    problem = INEXPRESSIBLE.at(
        why or flaw.reason,
        target=canonical.path(place) or None,
        rule=f"{spec.file}:{flaw.line}" if flaw.line else None,
        value=None if isinstance(value, (dict, list)) else value,
    )
    return Finding(problem, why is not None)


def _moved_up(
    leaves: dict[Place, tuple[str, Any]], dropped: set[Place]
) -> dict[Place, tuple[Place, str, Any]]:
    """The values by the place where they arrive once elements in front of them are left out."""
    found: dict[Place, tuple[Place, str, Any]] = {}
    gone: dict[Place, list[int]] = {}
    for *above, index in dropped:
        if isinstance(index, int):
            insort(gone.setdefault(tuple(above), []), index)
    for place, (kind, value) in leaves.items():
        arrives: list[str | int] = []
        for depth, part in enumerate(place):
            if place[: depth + 1] in dropped:
                break
            before = bisect(gone.get(place[:depth], []), part) if isinstance(part, int) else 0
            arrives.append(part - before if isinstance(part, int) else part)
        else:
            found[tuple(arrives)] = place, kind, value
    return found


def _reason(trial: Trial, place: Place) -> Flaw:
    """Why a value does not arrive."""
    if place in trial.flaws:
        return trial.flaws[place]
    if place in trial.covered:
        return Flaw("it comes back as something else", None)
    for length in range(len(place), 0, -1):
        for known in (trial.flaws, trial.hints):
            if place[:length] in known:
                return known[place[:length]]
    return Flaw("no rule writes it", None)
