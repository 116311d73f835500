"""What two mappings say otherwise, as a pair of smaller mappings: what they share need not run.

Rules of one document do not read what other rules have filled, so the part of a document below one
of its top fields is made by the rules that fill below it and by nothing else. Where these are the
same in both texts, and with them the code tables that they name, that part is the same, and so is
whatever fails in it. The same holds of the elements of a list that both texts make from the same
places of the source.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from mappings.compiler import Unknown, compile_fast
from mappings.coverage import looked_at
from mappings.mapping import Mapping
from mappings.reference import Reference
from mappings.rules import (
    Assign,
    Choice,
    Constant,
    Each,
    Expression,
    Gather,
    Rule,
    Rules,
    skips,
)
from mappings.spec import Spec

__all__ = ["Pair", "pair"]

Fast = Callable[[Any, Unknown, Reference], dict[str, Any]]

_COMPARED = {"rules", "codes", "model"}
_TELLS_NOTHING = {"name", "ignore", "unset", "examples", "text", "file", "version", "declared"}
_TELLS_NOTHING |= {"further", "part"}
"""What of a mapping does not change what it makes of a document."""
_PLACE = {"line", "text"}
_FEW = 3
_PRESENT = Gather(("",), (Expression((Constant("1"),), (), "= 1"),), 0)
"""Filled in every element, because one that has nothing would be left out of its list."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Fast forms of what two mappings do not share; ``same`` if that is nothing at all."""

    old: Fast
    new: Fast
    same: bool
    rules: int
    """How many of the top rules of the new one are left."""
    reads: frozenset[str] | None
    """The top fields of the source that are read; ``None`` if that is the whole of it."""


def pair(old: Mapping, new: Mapping) -> Pair:
    """The parts of two mappings for the same documents in which they differ."""
    then, now = old.spec, new.spec
    same = False
    if _alike(then, now):
        left = _left(then.rules, now.rules, _differing(then.codes, now.codes))
        then, now = replace(then, rules=left[0]), replace(now, rules=left[1])
        same = not any(left)
    old_form, new_form = (
        compile_fast(spec, sparse=len(spec.rules) <= _FEW) for spec in (then, now)
    )
    return Pair(old_form, new_form, same=same, rules=len(now.rules), reads=_reads(then, now))


def _reads(*specs: Spec) -> frozenset[str] | None:
    """The top fields of the source that these rules read; ``None`` if one takes the whole of it."""
    paths = [names for spec in specs for names in looked_at(spec.rules)]
    return frozenset(names[0] for names in paths) if all(paths) else None


def _alike(old: Spec, new: Spec) -> bool:
    """Whether they differ at most in rules and code tables."""
    names = [field.name for field in fields(Spec) if field.name not in _COMPARED | _TELLS_NOTHING]
    return old.model is new.model and all(getattr(old, n) == getattr(new, n) for n in names)


def _differing(old: dict[str, dict[str, str]], new: dict[str, dict[str, str]]) -> set[str]:
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def _left(old: Rules, new: Rules, changed: set[str]) -> tuple[Rules, Rules]:
    """The rules of both sides whose results may differ; none on either side where none may."""
    groups = _grouped((*old, *new))
    olds, news = _by_group(old, groups), _by_group(new, groups)
    then: list[Rule] = []
    now: list[Rule] = []
    for group in {**olds, **news}:
        if _same(olds[group], news[group], changed):
            continue
        lists = _lists_left(olds[group], news[group], changed)
        then += olds[group] if lists is None else lists[0]
        now += news[group] if lists is None else lists[1]
    return tuple(then), tuple(now)


def _same(old: list[Rule], new: list[Rule], changed: set[str]) -> bool:
    plain = [_plain(rule) for rule in old]
    return plain == [_plain(rule) for rule in new] and not changed & set(_texts(plain))


def _lists_left(
    old: list[Rule], new: list[Rule], changed: set[str]
) -> tuple[list[Rule], list[Rule]] | None:
    """Loops over the same elements on both sides, with only what differs of each element.

    ``None`` where the elements need not be the same, or where leaving rules out would tell less:
    a constant is filled only beside something else.
    """
    pairs = list(zip(old, new, strict=False))
    if len(old) != len(new) or not all(_one_loop(*both) for both in pairs):
        return None
    then: list[Rule] = []
    now: list[Rule] = []
    for was, will in pairs:
        if not isinstance(was, Each) or not isinstance(will, Each):
            raise TypeError(was)
        left = _left(was.rules, will.rules, changed)
        if any(_is_constant(rule) for rule in (*left[0], *left[1])):
            return None
        then.append(replace(was, rules=(*left[0], _PRESENT)))
        now.append(replace(will, rules=(*left[1], _PRESENT)))
    return then, now


def _one_loop(old: Rule, new: Rule) -> bool:
    """Whether both make one element for each of the same places."""
    if not isinstance(old, Each) or not isinstance(new, Each):
        return False
    if old.put_together or skips(old.rules) or skips(new.rules):
        return False
    heads = [_plain(replace(rule, rules=())) for rule in (old, new)]
    return bool(heads[0] == heads[1])


def _is_constant(rule: Rule) -> bool:
    return isinstance(rule, Assign) and rule.expression.constant is not None


def _by_group(rules: Rules, groups: dict[str, str]) -> defaultdict[str, list[Rule]]:
    found: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        found[groups[_tops(rule)[0]]].append(rule)
    return found


def _grouped(rules: Rules) -> dict[str, str]:
    """For each top field, the first of those that rules of both texts fill together with it."""
    above: dict[str, str] = {}

    def root(name: str) -> str:
        while above.setdefault(name, name) != name:
            name = above[name]
        return name

    for rule in rules:
        first, *others = _tops(rule)
        for name in others:
            above[root(name)] = root(first)
    return {name: root(name) for name in tuple(above) + tuple(t for r in rules for t in _tops(r))}


def _tops(rule: Rule) -> list[str]:
    """The top fields that a rule fills; at least one, if it is empty for a choice of nothing."""
    if not isinstance(rule, Choice):
        return [rule.target[0] if rule.target else ""]
    inner = [top for branch in rule.branches for each in branch.rules or () for top in _tops(each)]
    return inner or [""]


def _plain(value: Any) -> Any:
    """A rule as plain values, without the line it stands on and how it is written."""
    if is_dataclass(value) and not isinstance(value, type):
        inner = {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        kept = {name: each for name, each in inner.items() if name not in _PLACE}
        return (type(value).__name__, kept)
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
