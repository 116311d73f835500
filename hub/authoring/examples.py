"""Examples: source documents beside a mapping, and what it must make of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from connectors.api import Slice
from connectors.contract import trial
from hub import naming
from hub.authoring.difference import Difference, differences
from hub.authoring.draft import Draft, Files, samples
from mappings.errors import EXAMPLE
from schemas.problem import ConfigError, LynchpinError, Problem, shape

_Documents = dict[str, list[Any]]
"""Documents as plain JSON, in their order, by kind of message: `order`, `order+delivery`."""

__all__ = ["Ran", "first_failure", "of_mapping", "of_samples"]


@dataclass(frozen=True, slots=True)
class Ran:
    """An example that was run: what came out otherwise than written, or why nothing came out.

    ``rule`` is the file and line that it stands in; samples stand in none.
    """

    source: str
    rule: str | None
    differences: tuple[Difference, ...] = ()
    problem: Problem | None = None

    @property
    def well(self) -> bool:
        """Whether it came out as written."""
        return self.problem is None and not self.differences


def of_mapping(draft: Draft) -> Iterator[Ran]:
    """Run the examples that the mapping names; its own files win over the connector's samples."""
    shipped = samples(draft.target.connector)
    for example in draft.mapping.spec.examples:

        def find(name: str) -> bytes | None:
            found = draft.files(name)
            return shipped(name) if found is None else found

        yield _run(draft, example.source, example.expect, find, example.line)


def of_samples(draft: Draft) -> Iterator[Ran]:
    """Run every sample of the connector that has a message of this kind, beside the examples."""
    named = {example.source for example in draft.mapping.spec.examples}
    files = samples(draft.target.connector)
    for sample in trial.samples(draft.target.connector):
        expected = trial.expected(sample)
        if sample.name in named or not expected.exists():
            continue
        if draft.target.kind in {e.get("message") for e in json.loads(expected.read_text("utf-8"))}:
            yield _run(draft, sample.name, expected.name, files, None)


def first_failure(draft: Draft) -> Problem | None:
    """Why the mapping may not be published, as far as its examples tell."""
    for ran in of_mapping(draft):
        if ran.problem is not None:
            return ran.problem
        if ran.differences:
            return _told(ran)
    return None


def _told(ran: Ran) -> Problem:
    first, *more = ran.differences
    others = f", and {len(more)} more" if more else ""
    detail = (
        f"{ran.source}: expected {_shape(first.expected)}, "
        f"found {_shape(first.found)} at {first.path}{others}"
    )
    return EXAMPLE.at(detail, target=first.path, rule=ran.rule)


def _shape(value: Any) -> str:
    """What may be told of a value of an example, which may be a real customer's."""
    return "nothing" if value is None else repr(shape(value))


def _rule(draft: Draft, line: int | None) -> str | None:
    return None if line is None else draft.place(line)


def _run(draft: Draft, source: str, expect: str, find: Files, line: int | None) -> Ran:
    rule = _rule(draft, line)
    try:
        expected = _expected(draft, expect, _content(expect, find))
        made = _made(draft, _content(source, find))
    except LynchpinError as error:
        problem = _held(draft.placed(error.problem), source, rule)
        return Ran(source, rule, problem=problem)
    found = (each for label in expected for each in _otherwise(label, expected, made))
    return Ran(source, rule, tuple(found))


def _otherwise(label: str, expected: _Documents, made: _Documents) -> Iterator[Difference]:
    """What came out otherwise of the documents of one label; further ones are told by theirs."""
    wanted, found = (trial.unplaced(each.get(label, [])) for each in (expected, made))
    for each in differences(wanted, found):
        yield replace(each, path=f"{label}{each.path}") if "+" in label else each


def _held(problem: Problem, source: str, rule: str | None) -> Problem:
    """Why nothing comes out of an example, as something to mend before anything is published."""
    if problem.code == EXAMPLE.code:
        return problem.model_copy(update={"rule": rule})
    detail = f"{source} would be held: {problem.code} {problem.detail or problem.summary}"
    told = EXAMPLE.at(detail, file=source, byte=problem.byte)
    where = {name: getattr(problem, name) for name in ("path", "target", "value")}
    return told.model_copy(update={**where, "rule": problem.rule or rule})


def _content(name: str, find: Files) -> bytes:
    content = find(name)
    if content is None:
        raise ConfigError(EXAMPLE.at("there is no such file", file=name))
    return content


def _expected(draft: Draft, name: str, content: bytes) -> _Documents:
    """The documents of this kind that an example expects, and further ones where it says any.

    Raises ``ConfigError``.
    """
    kind = draft.target.kind
    expected: _Documents = {kind: []}
    try:
        entries = json.loads(content)
        for entry in entries:
            label, document = entry["message"], entry["document"]
            if label == kind or label.startswith(naming.further_kind(kind, "")):
                expected.setdefault(label, []).append(document)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        detail = "this is no list of `message` and `document`"
        raise ConfigError(EXAMPLE.at(detail, file=name)) from None
    if not expected[kind]:
        detail = f"it expects no message of the kind {kind}"
        raise ConfigError(EXAMPLE.at(detail, file=name))
    return expected


def _made(draft: Draft, record: bytes) -> _Documents:
    """What the documents of this kind and their further ones become. Raises ``LynchpinError``."""
    connector, kind = draft.target.connector, draft.target.kind
    made: _Documents = {}
    for piece in trial.pieces(connector, record):
        if not isinstance(piece, Slice) or piece.problem is not None:
            continue
        for document in trial.documents(connector, piece):
            if document.kind != kind:
                continue
            models = [(kind, draft.mapping.build(document.body, system=connector)[0])]
            for found in draft.mapping.found(document.body):
                inner = draft.mapping.further[found.name]
                label = naming.further_kind(kind, found.name)
                models.append((label, inner.build(found.part, system=connector)[0]))
            for label, model in models:
                said = model.model_dump(mode="json", exclude_none=True)
                made.setdefault(label, []).append(said)
    return made
