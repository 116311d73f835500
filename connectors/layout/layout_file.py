"""Reading a layout from its YAML text, of which nobody vouches."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from typing import NoReturn

from connectors.layout.causes import FORBIDDEN, LINE
from connectors.layout.field_rule import Mistake, Place, field
from connectors.layout.layout import Field, Layout, Record
from connectors.scrub.positional import Framing
from mappings.errors import suggestion
from mappings.yaml_text import Map, Node, Scalar, Sequence, parse
from schemas.problem import ConfigError

__all__ = ["read"]

RECORDS_MAX = 100
FIELDS_MAX = 500
RECORD_BYTES_MAX = 64 * 1024

_KEYS = (
    *("layout", "summary", "form", "code_page", "line_end", "record_bytes", "separator", "quote"),
    *(
        "escape",
        "columns",
        "header",
        "skip_lines",
        "told",
        "file",
        "message",
        "kinds",
        "key",
        "content",
    ),
    *("content_version", "constants", "signs", "records"),
)
_ENDS = {"lf": b"\n", "cr": b"\r", "nel": b"\x15"}
_YES = {"yes": True, "true": True, "no": False, "false": False}


def read(text: str, file: str) -> Layout:
    """Read the text of a layout file. Raises ``ConfigError`` naming file and line."""
    try:
        document = parse(text, file)
    except ConfigError as error:
        problem = error.problem
        raise ConfigError(
            FORBIDDEN.at(problem.detail or "", file=file, rule=problem.rule)
        ) from None
    return _Reader(document, file).layout()


class _Reader:
    def __init__(self, document: Map, file: str) -> None:
        self._file, self._document = file, document
        self._top = self._entries(document, _KEYS)

    def layout(self) -> Layout:
        code_page = self._code_page()
        delimited = self._choice(self._top, "form", ("fixed", "delimited")) == "delimited"
        framing = self._framing(delimited=delimited)
        columns = self._texts("columns") if delimited else ()
        if delimited and not 0 < len(set(columns)) == len(columns) <= FIELDS_MAX:
            self._fail(
                self._top.get("columns"), f"`columns` lists 1 to {FIELDS_MAX} names, each once"
            )
        records = self._records(columns if delimited else None, framing.record_bytes)
        file, message = (
            self._part("file", ("begin", "end")),
            self._part("message", ("begin", "end")),
        )
        begin = self._type(message, "begin", records)
        kinds = self._kinds()
        signs = self._part("signs", ("plus", "minus"))
        layout = Layout(
            name=self._text("layout"),
            summary=self._text("summary"),
            code_page=code_page,
            framing=framing,
            records=records,
            told=self._told(columns, delimited=delimited),
            file_begin=self._type(file, "begin", records, optional=True),
            file_end=self._type(file, "end", records, optional=True),
            begin=begin,
            end=self._type(message, "end", records, optional=True),
            kind_field=kinds[0],
            kinds=kinds[1],
            key=self._texts("key"),
            content=self._texts("content"),
            content_version=self._number(self._top, "content_version", 1, most=10_000),
            constants=self._constants(),
            separator=self._character("separator", code_page, ";") if delimited else b"",
            quote=self._character("quote", code_page, '"') if delimited else b"",
            escape=self._character("escape", code_page, "") if delimited else b"",
            columns=columns,
            header=delimited
            and self._choice(self._top, "header", tuple(_YES), "yes") in {"yes", "true"},
            skipped=self._number(self._top, "skip_lines", 0, most=100),
            plus=self._signs(signs, "plus", ("P", "+", "")),
            minus=self._signs(signs, "minus", ("N", "-")),
        )
        self._check(layout)
        return layout

    def _check(self, layout: Layout) -> None:
        """What the parts of a layout must be to each other."""
        starts = layout.header or layout.file_begin or len(layout.records) > 1
        if not starts:
            self._fail(
                self._document,
                "nothing tells the beginning of a file from its middle: it needs a header line, "
                "a record that the file begins with, or types of records",
            )
        if not layout.end and not layout.file_end:
            self._fail(
                self._document,
                "nothing tells that the last message is whole: `message` or `file` needs an `end`",
            )
        for name in (
            *layout.key,
            *layout.content,
            *([layout.kind_field] if layout.kind_field else []),
        ):
            if name not in layout.paths and name not in (layout.constants or {}):
                self._fail(
                    self._top.get("key"), f"no field {name!r}{suggestion(name, layout.paths)}"
                )
        if not layout.key or not layout.content:
            self._fail(self._document, "`key` and `content` each list a field at least")
        for record in layout.records.values():
            if record.under and record.under not in layout.records:
                self._fail(self._top.get("records"), f"{record.type}: no record {record.under!r}")
            for one in record.fields:
                self._check_sign(record, one)
        tags = [record.tag for record in layout.records.values()]
        if len(set(tags)) != len(tags):
            self._fail(self._top.get("records"), "two types of records have the same tag")

    def _check_sign(self, record: Record, one: Field) -> None:
        signs = {f.name for f in record.fields if f.kind == "sign"}
        if one.sign and one.sign not in {"trailing", "overpunch", *signs}:
            detail = (
                f"{record.type}.{one.name}: no sign field {one.sign!r}{suggestion(one.sign, signs)}"
            )
            self._fail(self._top.get("records"), detail)

    # Records and their fields.

    def _records(self, columns: tuple[str, ...] | None, record_bytes: int) -> dict[str, Record]:
        node = self._top.get("records")
        if not isinstance(node, Map) or not 0 < len(node.entries) <= RECORDS_MAX:
            self._fail(node, f"`records` is a map of 1 to {RECORDS_MAX} types of records")
        found = {}
        for key, value in node.entries:
            part = self._entries(value, ("tag", "as", "under", "fields"))
            name = self._text("as", part, optional=True)
            fields = tuple(self._fields(part.get("fields"), columns))
            tag = self._text("tag", part, optional=True)
            if not tag and len(node.entries) > 1:
                self._fail(value, f"{key.value} needs a `tag`, for there are other records")
            size = max((f.start + f.width for f in fields), default=0)
            if size > (record_bytes or RECORD_BYTES_MAX):
                self._fail(value, f"more than {record_bytes or RECORD_BYTES_MAX} bytes in a record")
            many = name.endswith("[]")
            found[key.value] = Record(
                key.value,
                tag,
                fields,
                size=record_bytes or (size if columns is None else len(columns)),
                under=self._text("under", part, optional=True),
                name=name.removesuffix("[]"),
                many=many,
            )
        return found

    def _fields(self, node: Node | None, columns: tuple[str, ...] | None) -> Iterator[Field]:
        if not isinstance(node, Map) or not 0 < len(node.entries) <= FIELDS_MAX:
            self._fail(node, f"`fields` is a map of 1 to {FIELDS_MAX} fields")
        at = self._tag_end() if columns is None else 0
        for key, value in node.entries:
            if not isinstance(value, Scalar):
                self._fail(value, f"the rule of {key.value} is one line of text")
            try:
                made = field(key.value, value.value, Place(at, columns))
            except (Mistake, ValueError) as mistake:
                self._fail(value, f"{key.value}: {mistake}")
            if "." in key.value or not key.value.isprintable():
                self._fail(key, "a name has no dots")
            at = made.start + made.width
            yield made

    def _tag_end(self) -> int:
        """The first field stands behind the tag, where records begin with one."""
        start, end = self._told((), delimited=False)
        return end if start == 0 else 0

    # The other parts.

    def _told(self, columns: tuple[str, ...], *, delimited: bool) -> tuple[int, int]:
        if "told" not in self._top:
            return (0, 0)
        part = self._part("told", ("column",) if delimited else ("at", "width"))
        if delimited:
            column = self._text("column", part)
            if column not in columns:
                self._fail(part["column"], f"no column {column!r}{suggestion(column, columns)}")
            return columns.index(column), 0
        at = self._number(part, "at", 0, most=RECORD_BYTES_MAX)
        return at, at + self._number(part, "width", 0, most=100)

    def _framing(self, *, delimited: bool) -> Framing:
        end = self._choice(self._top, "line_end", (*_ENDS, "none"), "lf")
        if end != "none":
            return Framing(_ENDS[end])
        size = self._number(self._top, "record_bytes", 0, most=RECORD_BYTES_MAX)
        if delimited or not size:
            self._fail(
                self._top["line_end"], "without a line end `record_bytes` says how long each is"
            )
        return Framing(b"", size)

    def _code_page(self) -> str:
        name = self._text("code_page", optional=True) or "utf-8"
        try:
            codec = codecs.lookup(name).name
            fits = codec == "utf-8" or len(bytes(range(256)).decode(codec, "replace")) == 256
        except (LookupError, UnicodeError):
            fits = False
        if not fits:
            self._fail(
                self._top.get("code_page"), "no code page of one byte a character, nor utf-8"
            )
        return codec

    def _kinds(self) -> tuple[str, dict[str, str]]:
        node = self._top.get("kinds")
        if isinstance(node, Scalar) and node.value:
            return "", {"*": node.value}
        part = self._part("kinds", ("by", "of"))
        table = part.get("of")
        if not isinstance(table, Map) or not table.entries:
            self._fail(node, "`kinds` is a kind of message, or says `by` which field and `of` what")
        return self._text("by", part), dict(self._pairs(table))

    def _constants(self) -> dict[str, str]:
        node = self._top.get("constants")
        if node is None:
            return {}
        if not isinstance(node, Map):
            self._fail(node, "`constants` is a map of texts")
        return dict(self._pairs(node))

    def _pairs(self, node: Map) -> Iterator[tuple[str, str]]:
        for key, value in node.entries:
            if not isinstance(value, Scalar):
                self._fail(value, f"{key.value} is one text")
            yield key.value, value.value

    def _signs(
        self, part: Mapping[str, Node], key: str, default: tuple[str, ...]
    ) -> tuple[str, ...]:
        node = part.get(key)
        if node is None:
            return default
        found = node.items if isinstance(node, Sequence) else (node,)
        return tuple(self._scalar(one, key) for one in found)

    def _type(
        self,
        part: Mapping[str, Node],
        key: str,
        records: Mapping[str, Record],
        *,
        optional: bool = False,
    ) -> str:
        name = self._text(key, part, optional=optional)
        if name and name not in records:
            self._fail(part[key], f"no record {name!r}{suggestion(name, records)}")
        return name

    def _character(self, key: str, code_page: str, default: str) -> bytes:
        node = self._top.get(key)
        text = default if node is None else self._scalar(node, key)
        text = {"tab": "\t", "none": ""}.get(text, text)
        if len(text) > 1 or (text and (text.isalnum() or len(text.encode(code_page)) != 1)):
            self._fail(node, f"`{key}` is one character that is no letter and no digit")
        return text.encode(code_page)

    def _choice(
        self, part: Mapping[str, Node], key: str, known: tuple[str, ...], default: str = ""
    ) -> str:
        node = part.get(key)
        text = default if node is None else self._scalar(node, key)
        if text not in known:
            self._fail(node or self._document, f"`{key}` is one of {', '.join(known)}")
        return text

    def _number(self, part: Mapping[str, Node], key: str, default: int, *, most: int) -> int:
        node = part.get(key)
        if node is None:
            return default
        text = self._scalar(node, key)
        if not text.isascii() or not text.isdigit() or len(text) > 6 or int(text) > most:
            self._fail(node, f"`{key}` is a number up to {most}")
        return int(text)

    def _text(
        self, key: str, part: Mapping[str, Node] | None = None, *, optional: bool = False
    ) -> str:
        found = self._top if part is None else part
        node = found.get(key)
        if node is None and not optional:
            self._fail(self._document, f"`{key}` is missing")
        return "" if node is None else self._scalar(node, key)

    def _texts(self, key: str) -> tuple[str, ...]:
        node = self._top.get(key)
        if not isinstance(node, Sequence):
            self._fail(node, f"`{key}` is a list of texts")
        return tuple(self._scalar(one, key) for one in node.items)

    def _part(self, key: str, known: tuple[str, ...]) -> dict[str, Node]:
        node = self._top.get(key)
        return {} if node is None else self._entries(node, known)

    def _entries(self, node: Node, known: tuple[str, ...]) -> dict[str, Node]:
        if not isinstance(node, Map):
            self._fail(node, f"a map with the keys {', '.join(known)}")
        for key, _ in node.entries:
            if key.value not in known:
                self._fail(key, f"no key {key.value!r} here{suggestion(key.value, known)}")
        return {key.value: value for key, value in node.entries}

    def _scalar(self, node: Node, key: str) -> str:
        if not isinstance(node, Scalar):
            self._fail(node, f"`{key}` is one text")
        return node.value

    def _fail(self, node: Node | None, detail: str) -> NoReturn:
        line = (node or self._document).line
        where = f"{self._file}:{line}"
        raise ConfigError(LINE.at(f"line {line}: {detail}", file=self._file, rule=where))
