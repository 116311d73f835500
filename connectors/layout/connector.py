"""The layout connector: files of fixed width or of columns, read as a layout says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo

from connectors.api import FOREIGN, NAMELESS, Connector, Document, Name, Options, Rest, Slice
from connectors.layout import content, shelf
from connectors.layout import split as splitting
from connectors.layout.causes import CURRENT, LINE
from connectors.layout.document import document
from connectors.layout.layout import Layout
from connectors.layout.scrub_profile import profile
from connectors.manifest import read
from connectors.scrub.positional import lines
from mappings.errors import suggestion
from schemas.problem import ConfigError, Rejected

__all__ = ["LayoutOptions", "connector"]

_Constant = Annotated[str, StringConstraints(max_length=200)]


def _load(value: Any, info: ValidationInfo) -> tuple[Layout, ...]:
    """The layouts of these names; a file of a retailer's own is looked for in the home."""
    if value is None:
        return tuple(shelf.shipped().values())
    names = value if isinstance(value, list | tuple) else [value]
    found = tuple(_named(name, info) for name in names)
    if len({(one.framing, one.code_page, one.skipped) for one in found}) != 1:
        detail = "the layouts of one source have the same line ends and the same code page"
        raise ConfigError(LINE.at(detail, path="layout"))
    return found


def _named(value: Any, info: ValidationInfo) -> Layout:
    if isinstance(value, Layout):
        return value
    home = (info.context or {}).get("home")
    layout = shelf.named(str(value), home)
    known = connector.manifest.messages
    for kind in layout.kinds.values():
        if kind not in known:
            detail = f"no kind of message {kind!r}{suggestion(kind, known)}"
            raise ConfigError(LINE.at(detail, file=str(value), path="kinds"))
    return layout


class LayoutOptions(Options):
    """``layout`` is a shipped layout, or a file in the home that ends in ``.yaml``.

    Where it is a list, or absent and the shipped ones are meant, the first record of a file tells
    which of them it has.
    ``constants`` are values that the files lack, such as the currency of the stores.
    """

    layout: Annotated[Any, BeforeValidator(_load)] = Field(default=None, validate_default=True)
    constants: dict[str, _Constant] = Field(default_factory=dict)

    @property
    def candidates(self) -> tuple[Layout, ...]:
        """The layouts that a file may have: the chosen one, or those that are shipped."""
        return _candidates(self.layout, self.encoding)


@lru_cache(maxsize=64)
def _candidates(layouts: tuple[Layout, ...], encoding: str | None) -> tuple[Layout, ...]:
    if encoding is None:
        return layouts
    return tuple(shelf.in_code_page(one, encoding) for one in layouts)


def split(
    chunks: Iterable[bytes], options: LayoutOptions, rest: Rest | None = None
) -> Iterator[Slice | Rest]:
    """Cut a file into messages; see ``layout.split``."""
    return splitting.split_file(chunks, options.candidates, rest)


def decode(payload: bytes, context: bytes, options: LayoutOptions) -> tuple[Document, ...]:
    """Give the message as a document, of the kind that its layout says. Raises ``Rejected``."""
    head = splitting.head_of(context)
    layout = _layout_of(payload, head, options)
    body = {**document(layout, payload, head), **options.constants}
    kind = layout.kinds.get(str(body.get(layout.kind_field, "")), layout.kinds.get("*", ""))
    if not kind:
        detail = "no kind of message that the layout names"
        value = body.get(layout.kind_field)
        raise Rejected(FOREIGN.at(detail, path=layout.kind_field, value=value))
    return (Document(kind, _Body(body, layout)),)


class _Body(dict[str, Any]):
    """A document that knows its layout, for whoever names it."""

    def __init__(self, values: dict[str, Any], layout: Layout) -> None:
        super().__init__(values)
        self.layout = layout


def _layout_of(payload: bytes, head: bytes, options: LayoutOptions) -> Layout:
    candidates = options.candidates
    if len(candidates) == 1:
        return candidates[0]
    framing = candidates[0].framing
    begin, end, _ = next(lines(payload, framing), (0, 0, True))
    fitting = shelf.of_record(head or payload[begin:end], candidates)
    if len(fitting) != 1:
        names = ", ".join(layout.name for layout in fitting) or "none"
        raise Rejected(CURRENT.at(f"the layouts that fit: {names}", byte=0))
    return fitting[0]


def name(document: Document, options: LayoutOptions) -> Name:
    """Name a message by the key of its layout. Raises ``Rejected`` with the field it lacks."""
    body: _Body = document.body
    layout = body.layout
    key = []
    for path in layout.key:
        value: Any = body
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if not isinstance(value, str) or not value:
            raise Rejected(NAMELESS.at(f"the message has no {path}", path=path))
        key.append(value)
    return Name("fact", tuple(key), content.written(layout, body), layout.content_version)


@lru_cache(maxsize=64)
def _bound(layouts: tuple[Layout, ...]) -> Connector:
    return replace(
        connector,
        scrub=profile(layouts),
        continues=partial(splitting.continues, layouts=layouts),
        bind=None,
    )


def bind(options: LayoutOptions) -> Connector:
    """The connector for files of these layouts only: where their card data lie."""
    return _bound(options.candidates)


def continues(head: bytes) -> bool:
    """Whether a record starts in the middle of a file of a shipped layout."""
    return splitting.continues(head, LayoutOptions().candidates)


connector = Connector(
    manifest=read(Path(__file__).with_name("manifest.toml")),
    scrub=profile(tuple(shelf.shipped().values())),
    split=split,
    continues=continues,
    decode=decode,
    name=name,
    options=LayoutOptions,
    bind=bind,
)
"""What the entry point ``layout`` names."""
