"""What is counted, document by document, while a mapping goes over traffic; bounded in memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, get_args

from mappings.coverage import ignores, left
from mappings.fields import Field, fields
from mappings.mapping import Mapping
from mappings.reference import NOTHING, Reference
from mappings.rules import Assign, Choice, Each, Gather, Rules
from mappings.spec import SET_BY_HUB
from mappings.target import inner_models
from schemas.model import Canonical
from schemas.problem import Rejected, shape

__all__ = ["Idle", "Seen", "Share", "Tally"]

DIFFERENT_MAX = 1000
"""So many paths and so many codes are told apart; of more it is only counted that there were."""
_CODE = re.compile(r"[A-Za-z0-9_.:/-]{1,20}")
_LONG_NUMBER = re.compile(r"[0-9]{7}")


@dataclass(slots=True)
class Seen:
    """In how many messages something was, how it looked first, the first and the last of them."""

    value: str
    messages: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Idle:
    """A rule that did nothing: its line, its text, and whether it is a condition."""

    line: int
    rule: str
    condition: bool


@dataclass(frozen=True, slots=True)
class Share:
    """How often a target was filled, of how many documents or objects that could have it."""

    target: str
    required: bool
    filled: int
    of: int


@dataclass
class Tally:
    """What a mapping read, left and filled of the documents so far."""

    mapping: Mapping
    documents: int = 0
    failed: dict[str, Seen] = field(default_factory=dict)
    unread: dict[str, Seen] = field(default_factory=dict)
    codes: dict[tuple[str, str], Seen] = field(default_factory=dict)
    more: int = 0
    """How often a path or code came that was too many to be told apart."""
    _lines: set[int] = field(default_factory=set)
    _ignored: set[str] = field(default_factory=set)
    _of: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _filled: Counter[tuple[str, ...]] = field(default_factory=Counter)
    further: dict[str, Tally] = field(init=False)
    """The same of its further documents, by name. What is unread is only told of the whole."""

    def __post_init__(self) -> None:
        self.further = {name: Tally(made) for name, made in self.mapping.further.items()}

    def add(self, body: Any, message: int, reference: Reference = NOTHING) -> None:
        """Count one document of a message; what rules look up is looked up in ``reference``."""
        unread, under = left(self.mapping, body)
        self._ignored |= under
        for path, value in unread.items():
            self._see(self.unread, path, shape(value), message)
        self.count(body, message, reference)
        try:
            found = self.mapping.found(body)
        except Rejected as rejection:
            self.fail(rejection, message)
            return
        for each in found:
            self.further[each.name].count(each.part, message, reference)

    def count(self, body: Any, message: int, reference: Reference) -> None:
        """Count what is made of one document, whatever it says beside that."""
        self.documents += 1
        try:
            trace = self.mapping.trace(body, reference)
        except Rejected as rejection:
            self.fail(rejection, message)
            return
        for _, table, raw in trace.unknown:
            self._see(self.codes, (table, shown(raw)), shown(raw), message)
        self._lines |= trace.taken
        self._lines.update(note[2] for note in trace.notes)
        self._lines.update(rule.line for _, rule in trace.entered)
        self._count(trace.document, ())

    def fail(self, rejection: Rejected, message: int) -> None:
        """Count a message or document of which nothing can be told, and why not."""
        problem = rejection.problem
        self._see(self.failed, problem.code, problem.rule or problem.summary, message)

    def _see(self, among: dict[Any, Seen], key: Any, value: str, message: int) -> None:
        if (seen := among.get(key)) is None:
            if len(among) == DIFFERENT_MAX:
                self.more += 1
                return
            among[key] = Seen(value, 1, message, message)
        elif seen.last != message:
            seen.messages += 1
            seen.last = message

    def _count(self, made: dict[str, Any], above: tuple[str, ...]) -> None:
        for name in _possible(inner_models(self.mapping.spec.model, above), made):
            target = (*above, name)
            if target in SET_BY_HUB:
                continue
            self._of[target] += 1
            if (value := made.get(name)) is None:
                continue
            self._filled[target] += 1
            for inner in value if isinstance(value, list) else (value,):
                if isinstance(inner, dict) and inner_models(self.mapping.spec.model, target):
                    self._count(inner, target)

    @property
    def shares(self) -> tuple[Share, ...]:
        """How often each target was filled, the required ones first; of absent objects no parts."""
        found = [f for f in fields(self.mapping.spec.model) if self._of[f.target]]
        return tuple(self._share(each) for each in sorted(found, key=lambda f: not f.required))

    def _share(self, each: Field) -> Share:
        return Share(str(each), each.required, self._filled[each.target], self._of[each.target])

    @property
    def idle(self) -> tuple[Idle, ...]:
        """The rules that did nothing in any document; of a branch never taken only the branch."""
        return tuple(self._idle(self.mapping.spec.rules))

    @property
    def idle_ignores(self) -> tuple[str, ...]:
        """The entries of ``ignore`` under which nothing arrived that no rule reads."""
        if self.mapping.spec.part is not None:
            # What is unread, and so what is ignored, is only told of the whole.
            return ()
        return tuple(path for path in ignores(self.mapping) if path not in self._ignored)

    def _idle(self, rules: Rules) -> Iterator[Idle]:
        for rule in rules:
            if isinstance(rule, Choice):
                for branch in rule.branches:
                    if branch.line not in self._lines:
                        yield Idle(branch.line, self.mapping.rule(branch.line), condition=True)
                    else:
                        yield from self._idle(branch.rules or ())
            elif rule.line not in self._lines:
                where = isinstance(rule, Each) and rule.where is not None
                yield Idle(rule.line, self.mapping.rule(rule.line), condition=where)
            elif not isinstance(rule, (Assign, Gather)):
                yield from self._idle(rule.rules)


def shown(raw: str) -> str:
    """A code as it may be shown to anyone: as it is where it can be nothing else, else its shape.

    A code has no blanks, at most 20 plain characters, and no more than six digits in a row: names,
    addresses, and numbers of cards, phones and people are none.
    """
    return raw if _CODE.fullmatch(raw) and not _LONG_NUMBER.search(raw) else shape(raw)


def _possible(models: tuple[type[Canonical], ...], made: dict[str, Any]) -> dict[str, None]:
    """The fields that an object of this kind may have."""
    kind = made.get("kind")
    fitting = [m for m in models if len(models) == 1 or kind in _kinds(m)] or models
    return dict.fromkeys(name for model in fitting for name in model.model_fields)


def _kinds(model: type[Canonical]) -> tuple[Any, ...]:
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()
