"""Putting a text together of several places and constants."""

from __future__ import annotations

from collections.abc import Callable

from mappings.rules import Template

__all__ = ["joined"]

LENGTH_MAX = 1_000_000


def joined(template: Template) -> Callable[..., str | None]:
    """A function from the values of the parts, ``None`` where one is absent, to the whole text.

    The text in front of a part goes with it. Where nothing stands before a part, the text that
    would join it to the part before is left out, too.
    """
    parts = tuple((part.before, part.optional) for part in template.parts)
    after = template.after

    def join(*values: str | None) -> str | None:
        whole = ""
        for number, (value, (before, optional)) in enumerate(zip(values, parts, strict=True)):
            if value is None:
                if not optional:
                    return None
                continue
            whole += before + value if whole or not number else value
            if len(whole) > LENGTH_MAX:
                raise ValueError("the text put together here is too long")
        return whole + after if whole else None

    return join
