"""Undoing the right side of a rule: from a canonical value to the one that the source says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mappings import canonical
from mappings.inversion import INVERSES
from mappings.rules import Expression, Path, Template
from mappings.source_tree import WriteError
from mappings.transforms import COERCIONS, TRANSFORMS, as_decimal, as_text

__all__ = ["comes_back", "simple", "spelling", "taken_apart", "undone"]

_UNKNOWN = "unknown:"
Codes = dict[str, dict[str, str]]


def undone(expression: Expression, value: Any, codes: Codes) -> Any:
    """Take back what the transforms of a rule do, the last first. Raises ``ValueError``."""
    for transform in reversed(expression.transforms):
        if transform.name == "code":
            value = _code_of(value, transform.arguments[0], codes)
            continue
        try:
            value = INVERSES[transform.name](*transform.arguments).back(value)
        except (TypeError, AttributeError, ArithmeticError):
            raise WriteError("no value of the source becomes this one") from None
    return value


def _code_of(value: Any, name: str, codes: Codes) -> str:
    """The first code that becomes a word."""
    word = as_text(value)
    for raw, entry in codes[name].items():
        if entry == word and raw != "*":
            return raw
    if word.startswith(_UNKNOWN):
        return word.removeprefix(_UNKNOWN)
    raise WriteError(f"no code of {name} becomes this word")


def simple(template: Template) -> bool:
    """Whether a text put together can be taken apart: places that must be there, texts between."""
    return all(
        not part.optional
        and not part.expression.transforms
        and len(part.expression.sources) == 1
        and isinstance(part.expression.sources[0], Path)
        and (part.before or not number)
        for number, part in enumerate(template.parts)
    )


def taken_apart(template: Template, raw: Any) -> Iterator[tuple[Path, str]]:
    """The places of a simple template and their texts. Raises ``WriteError``."""
    rest = as_text(raw)
    for number, part in enumerate(template.parts):
        last = number + 1 == len(template.parts)
        end = template.after if last else template.parts[number + 1].before
        if not rest.startswith(part.before) or (last and not rest.endswith(end)):
            raise WriteError("it is not put together as the rule does it")
        rest = rest[len(part.before) :]
        cut = len(rest) - len(end) if last else rest.find(end)
        if cut < 1:
            raise WriteError("it is not put together as the rule does it")
        path = part.expression.sources[0]
        assert isinstance(path, Path)
        yield path, rest[:cut]
        rest = rest[cut:]


def comes_back(expression: Expression, raw: Any, value: Any, kind: str, codes: Codes) -> bool:
    """Whether a rule makes the same of what would be written. Raises ``ValueError``."""
    if raw in (None, "", []):
        return False
    made = raw
    for transform in expression.transforms:
        if transform.name == "code":
            table, text = codes[transform.arguments[0]], as_text(made)
            made = table.get(text, table.get("*", f"{_UNKNOWN}{text}")) or None
        else:
            made = TRANSFORMS[transform.name](*transform.arguments)(made)
        if made is None:
            return False
    return canonical.same(kind, COERCIONS[kind](made), value)


def spelling(expression: Expression, kind: str) -> Callable[[Any], Any]:
    """How a rule reads what the source says: two spellings that it reads alike are the same."""
    for transform in expression.transforms[:1]:
        if transform.name in INVERSES:
            return INVERSES[transform.name](*transform.arguments).reads
        return as_text
    # The day at the front of a time is no other spelling of it.
    if kind in ("decimal", "integer"):
        return as_decimal
    return COERCIONS[kind] if kind in ("flag", "moment", "texts") else as_text
