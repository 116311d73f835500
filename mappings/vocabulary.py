"""The words that may stand behind a ``|``, and whether what follows one is what it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from mappings import own
from mappings.errors import suggestion
from mappings.grammar import GrammarError
from mappings.own import Function
from mappings.reference import LOOKUPS
from mappings.rules import Expression, Transform
from mappings.texts import as_text
from mappings.transforms import TRANSFORMS, ArgumentError, Transformer

__all__ = ["Vocabulary", "bind_by"]

_BY = {"times": "1", "divide": "1", "zone": "UTC"}
"""The transforms whose first argument may be read from the document, with one that it could be."""
_OF_MOMENTS = ("moment", "zone")
_ARGUMENTS_CACHED = 256


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a mapping may name: the transforms, its own code tables, its connector's functions."""

    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)

    def check(self, expression: Expression, *, kind: str) -> None:
        """Refuse what cannot be done for a target of a kind. Raises ``GrammarError``."""
        for inner in expression.inner:
            for number, transform in enumerate(inner.transforms):
                self._check(transform)
                if transform.name in _OF_MOMENTS:
                    _check_moment(
                        inner.transforms[number:], "text" if inner != expression else kind
                    )

    def _check(self, transform: Transform) -> None:
        name, arguments = transform.name, transform.arguments
        if name == "code":
            table = arguments[0] if len(arguments) == 1 else ""
            if table not in self.codes:
                hint = suggestion(table, self.codes)
                raise GrammarError(f"there is no code table {table!r}{hint}")
            return
        if name == "own" and (function := arguments[0] if arguments else "") not in self.functions:
            hint = suggestion(function, self.functions)
            raise GrammarError(f"the connector has no function {function!r}{hint}")
        if name not in (*TRANSFORMS, *LOOKUPS, "own"):
            hint = suggestion(name, (*TRANSFORMS, *LOOKUPS, "code", "own"))
            raise GrammarError(f"there is no transform {name!r}{hint}")
        if transform.by is not None and name not in _BY:
            raise GrammarError(f"{name!r} takes no place in braces; {', '.join(_BY)} do")
        try:
            self._try(transform)
        except ArgumentError as error:
            raise GrammarError(f"{name!r} does not take these arguments: {error}") from None
        except (TypeError, ValueError):
            raise GrammarError(f"{name!r} does not take these arguments") from None

    def _try(self, transform: Transform) -> None:
        if transform.name in LOOKUPS:
            LOOKUPS[transform.name](*transform.arguments)
        elif transform.by is not None:
            TRANSFORMS[transform.name](_BY[transform.name], *transform.arguments)
        else:
            self.bound(transform)

    def bound(self, transform: Transform) -> Transformer:
        """The function of a transform that needs nothing but the value."""
        if transform.name == "own":
            name, *arguments = transform.arguments
            return own.bound(name, self.functions[name], tuple(arguments))
        return TRANSFORMS[transform.name](*transform.arguments)


def _check_moment(chain: tuple[Transform, ...], kind: str) -> None:
    if any(transform.name != "zone" for transform in chain[1:]):
        raise GrammarError(f"only `zone` can follow {chain[0].name!r}")
    if kind != "moment":
        raise GrammarError(f"{chain[0].name!r} makes a time, and this is none")


def bind_by(transform: Transform) -> Callable[[Any], Transformer]:
    """A function that binds a transform to an argument from the document.

    A zone that is absent leaves the time to the hub; a number that is absent cannot be reckoned
    with.
    """
    make, rest = TRANSFORMS[transform.name], transform.arguments

    @lru_cache(_ARGUMENTS_CACHED)
    def made(text: str) -> Transformer:
        try:
            return make(text, *rest)
        except ArgumentError:
            raise ValueError(f"this is nothing that `{transform.name}` takes") from None

    def bind(argument: Any) -> Transformer:
        if argument is not None:
            return made(as_text(argument))
        if transform.name == "zone":
            return lambda value: value
        raise ValueError(f"`{transform.name}` needs a number here")

    return bind
