"""Erasing who a person is from a document, and from the text that it was made of.

What tells who somebody is, is whatever is masked in ``hub.people.masking``. In the text of a
message it is found by where the masked values came from; and what no open value came from goes as
well, as far as that makes no difference.
"""

from __future__ import annotations

import dataclasses
import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

from hub.journal import Stored
from hub.people import masking
from hub.translate import Named, Translator
from schemas.problem import LynchpinError

__all__ = ["erased", "rewritten", "shaped"]

_TELLING = 2
"""One letter or digit alone tells nothing, and stands everywhere."""
_WORD = re.compile(r"\w{3,}")
_ESCAPE = re.compile(rb"\\u[0-9a-fA-F]{4}|\\.|&#?\w{1,8};|%[0-9a-fA-F]{2}")
_UPPER, _LOWER, _DIGIT = re.compile(rb"[A-Z]"), re.compile(rb"[a-z\x80-\xff]"), re.compile(rb"\d")


def shaped(text: str) -> str:
    """A text of the same length of which only the shape is left: ``Ann 12`` is ``Xxx 11``."""
    return "".join(
        "1" if char.isdigit() else "X" if char.isupper() else "x" if char.isalpha() else char
        for char in text
    )


def _spelt(found: re.Match[bytes]) -> bytes:
    """The same of a text as it is spelt in a message, which keeps its length in bytes."""
    text = _ESCAPE.sub(lambda escape: b"x" * len(escape[0]), found[0])
    return _DIGIT.sub(b"1", _LOWER.sub(b"x", _UPPER.sub(b"X", text)))


def erased(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """A canonical document that is of nobody; what names no person stays as it is."""
    shown: dict[str, Any] = _erased(body, masking.body(kind, body))
    return shown


def _erased(value: Any, masked: Any) -> Any:
    if isinstance(value, dict) and isinstance(masked, dict):
        return {name: _erased(each, masked[name]) for name, each in value.items()}
    if isinstance(value, list) and isinstance(masked, list):
        return [_erased(each, other) for each, other in zip(value, masked, strict=True)]
    return value if value == masked else _hidden(value)


def _hidden(value: Any) -> Any:
    """Whatever a field holds that is hidden whole, in the same form."""
    if isinstance(value, dict):
        return {name: _hidden(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_hidden(each) for each in value]
    return shaped(value) if isinstance(value, str) else value


@dataclass(slots=True)
class _Texts:
    """What a message says: of a person, of nobody, and what nothing was made of."""

    personal: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Made:
    """The documents of a message by name: what is open of them, and what is not, by path."""

    open: dict[tuple[str, str | None], dict[str, Any]]
    personal: dict[tuple[str, str | None], dict[str, Any]]


def rewritten(translator: Translator, stored: Stored) -> bytes | None:
    """A message without who the person is, which comes to the same in everything else.

    ``None`` where none was found that does.
    """
    try:
        texts, made = _read(translator, stored)
    except LynchpinError:
        return None
    said = "\n".join(sorted(texts.open)).lower()
    words = {word for text in texts.personal for word in _WORD.findall(text.lower())}
    words -= {*_WORD.findall(said)}
    unread = {text for text in texts.unread if text.lower() not in said}
    for wanted in (texts.personal | words | unread, texts.personal | words):
        payload = _without(stored.payload, wanted)
        if _holds(translator, dataclasses.replace(stored, payload=payload), made):
            return payload
    return None


def _read(translator: Translator, stored: Stored) -> tuple[_Texts, _Made]:
    """Raises ``LynchpinError`` for a message that cannot be read any more."""
    texts, made = _Texts(), _Made({}, {})
    for named in translator.named(stored):
        name = (named.fact, named.name.version)
        made.open[name], made.personal[name] = {}, {}
        origins = _origins(translator, named)
        for path, value, is_open in _values(translator, stored, named):
            (made.open if is_open else made.personal)[name][path] = value
            came = origins.get(path) or origins.get(path.rpartition(".")[0])
            found = {*_strings(value), *(_strings(came.value) if came else ())}
            (texts.open if is_open else texts.personal).update(found)
        texts.unread.update(_strings(named.document.body))
    texts.unread -= texts.personal
    return texts, made


def _origins(translator: Translator, named: Named) -> dict[str, Any]:
    mapping = translator.mapping(named.document.kind)
    if named.further:
        mapping = mapping.further[named.further]
    return dict(mapping.trace(named.document.body, translator.reference).origins)


def _values(
    translator: Translator, stored: Stored, named: Named
) -> Iterator[tuple[str, Any, bool]]:
    """Path and value of all that a document says, and whether it may be seen by everybody."""
    translated = translator.translated(stored, named)
    values = translated.model.model_dump(mode="json", exclude_none=True)
    yield from _compared(values, masking.body(translated.kind, values), "")


def _compared(value: Any, masked: Any, path: str) -> Iterator[tuple[str, Any, bool]]:
    if isinstance(value, dict) and isinstance(masked, dict):
        for name, each in value.items():
            yield from _compared(each, masked[name], f"{path}.{name}" if path else name)
    elif isinstance(value, list) and isinstance(masked, list):
        for at, (each, other) in enumerate(zip(value, masked, strict=True)):
            yield from _compared(each, other, f"{path}[{at}]")
    else:
        yield path, value, value == masked


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, str) and len(value.strip()) >= _TELLING:
        yield value.strip()


def _without(payload: bytes, texts: Iterable[str]) -> bytes:
    """The text with none of these in it, wherever one stands alone."""
    spelt = {each for text in texts if len(text) >= _TELLING for each in _spellings(text)}
    if not spelt:
        return payload
    longest_first = sorted(spelt, key=lambda each: (-len(each), each))
    either = b"|".join(re.escape(each) for each in longest_first)
    pattern = re.compile(rb"(?<![0-9A-Za-z])(?:" + either + rb")(?![0-9A-Za-z])", re.IGNORECASE)
    return pattern.sub(_spelt, payload)


def _spellings(text: str) -> set[bytes]:
    """How JSON, XML, forms and plain text may write it."""
    escaped, raw = json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]
    written = {text, escaped, raw, escaped.replace("/", "\\/"), raw.replace("/", "\\/")}
    written |= {html.escape(text), html.escape(text, quote=False), quote(text), quote_plus(text)}
    references = "".join(char if char.isascii() else f"&#{ord(char)};" for char in text)
    found = {each.encode() for each in (*written, references)}
    if not text.isascii():
        found.add(text.encode("latin-1", "replace"))
    return found


def _holds(translator: Translator, stored: Stored, made: _Made) -> bool:
    """Whether a rewritten message comes to the same, and says nothing of the person any more."""
    try:
        _, again = _read(translator, stored)
    except LynchpinError:
        return False
    if again.open != made.open:
        return False
    for name, before in made.personal.items():
        after = again.personal[name]
        if any(after.get(path) == value != _hidden(value) for path, value in before.items()):
            return False
    return True
