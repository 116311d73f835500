"""The way back: a canonical document becomes a document of the source, by the same mapping.

>>> written = write(mapping, order)                                         # doctest: +SKIP
>>> written.findings     # what the channel cannot express; look here before sending
()
>>> written.body         # a dict for JSON, an lxml element with canonical prefixes for XML

What was written is mapped forward again and compared, so whatever would come back different is
found here, for whatever reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mappings import canonical
from mappings.backward import Backward, Flaw, Trial
from mappings.canonical import Place
from mappings.direction import alone
from mappings.errors import DIRECTION, INEXPRESSIBLE
from mappings.mapping import Mapping
from mappings.source_tree import Node, written_json, written_xml
from schemas.model import Canonical
from schemas.problem import ConfigError, Problem, Rejected

__all__ = ["Finding", "Written", "cannot_express", "write"]

_DEFERRED = "it comes back as something else"


@dataclass(frozen=True, slots=True)
class Finding:
    """A canonical value that does not arrive as it is; ``declared`` where the mapping says so.

    The problem names the canonical path, the rule's line, the reason and the shape of the value.
    """

    problem: Problem
    declared: bool


@dataclass(frozen=True, slots=True)
class Written:
    """A source document made of a canonical one, and what of that one it cannot express."""

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
    Backward(spec, plain).write(root, trial)
    if spec.reads == "xml":
        body = written_xml(root, spec.declared.root or "")
    else:
        body = written_json(root, alone(spec))
    return Written(body, _findings(mapping, plain, body, trial))


def _findings(
    mapping: Mapping, document: dict[str, Any], body: Any, trial: Trial
) -> tuple[Finding, ...]:
    """What was not written, or would come back different, in the order of the document."""
    spec = mapping.spec
    found: dict[Place, Finding] = {}

    def add(place: Place, value: Any, flaw: Flaw) -> None:
        why = spec.declared.why_one_way(canonical.names(place))
        shown = value if isinstance(value, (dict, list)) is False else None
        problem = INEXPRESSIBLE.at(
            why or flaw.reason,
            target=canonical.path(place),
            rule=f"{spec.file}:{flaw.line}" if flaw.line else None,
            value=shown,
        )
        found.setdefault(place, Finding(problem, why is not None))

    try:
        again = mapping.run(body)[0]
    except Rejected as rejection:
        again = {}
        problem = rejection.problem
        add((), None, Flaw(f"it cannot be read again: {problem.detail}", None))
    before = canonical.leaves(spec.model, document)
    after = canonical.leaves(spec.model, again)
    for place, (kind, value) in before.items():
        if place in after and canonical.same(kind, after[place][1], value):
            continue
        if place not in after and canonical.is_default(spec.model, place, value):
            continue
        flaw = trial.flaws.get(place)
        if flaw is None and place not in trial.covered:
            flaw = _hint(trial, place) or Flaw("no rule writes it", None)
        add(place, value, flaw or Flaw(_DEFERRED, None))
    for place, (_, value) in after.items():
        if place not in before and not canonical.is_default(spec.model, place, value):
            flaw = trial.flaws.get(place) or Flaw("it comes back though it is not there", None)
            add(place, None, flaw)
    return tuple(found.values())


def _hint(trial: Trial, place: Place) -> Flaw | None:
    """Why nothing wrote a value or the nearest object around it."""
    for length in range(len(place), 0, -1):
        for known in (trial.flaws, trial.hints):
            if place[:length] in known:
                return known[place[:length]]
    return None
