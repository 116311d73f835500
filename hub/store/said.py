"""What a JSON text says at a path, asked of the database so that the text need not be fetched."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["Said"]


class Said(ColumnElement[Any]):
    """A text at a path of names, none of which has a quote in it; NULL where there is none."""

    inherit_cache = False
    type = Text()

    def __init__(self, json: ColumnElement[Any], *path: str) -> None:
        self.json = json
        self.path = path

    @property
    def _from_objects(self) -> list[Any]:
        return list(self.json._from_objects)  # noqa: SLF001


@compiles(Said, "sqlite")
def _in_sqlite(element: Said, compiler: SQLCompiler, **more: Any) -> str:
    names = "".join(f'."{name}"' for name in element.path)
    return f"json_extract({compiler.process(element.json, **more)}, '${names}')"


@compiles(Said, "postgresql")
def _in_postgresql(element: Said, compiler: SQLCompiler, **more: Any) -> str:
    """PostgreSQL refuses a JSON text whole that has a NUL anywhere, so that is another one here."""
    text = f"replace({compiler.process(element.json, **more)}, '\\u0000', '\\u2400')"
    return f"(CAST({text} AS json) #>> '{{{','.join(element.path)}}}')"
