"""The canonical language as JSON Schema, one file a model, checked in beside the code.

``python -m schemas.publish`` writes the files; with ``--check`` it compares them and writes
nothing. Whoever changes a model sees in the diff of these files what the change does to everyone
who reads canonical documents: what breaks a reader needs a new version, never a new meaning.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.envelope import DOCUMENTS, Envelope, model_name
from schemas.item import Item
from schemas.location import Location
from schemas.model import Canonical
from schemas.money import Money
from schemas.problem import Problem
from schemas.workstation import Workstation

__all__ = ["FOLDER", "PUBLISHED", "texts"]

FOLDER = Path(__file__).parent / "json"
"""Where the schemas lie, in the checkout and in the wheel."""


_MODELS: tuple[type[Canonical], ...] = (
    *DOCUMENTS.values(),
    *(Envelope, Item, Location, Money, Problem, Workstation),
)

PUBLISHED: dict[str, type[Canonical]] = {model_name(model.__name__): model for model in _MODELS}
"""Every published model by the name of its schema."""


class _Exact(GenerateJsonSchema):
    """Decimals are text in canonical JSON: a JSON number loses digits in most readers."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        places = schema["decimal_places"]
        whole = schema["max_digits"] - places
        return {"type": "string", "pattern": rf"^-?[0-9]{{1,{whole}}}(\.[0-9]{{1,{places}}})?$"}


def texts() -> dict[str, str]:
    """The content that each file in ``FOLDER`` must have, by file name."""
    return {f"{name}.json": _text(name, model) for name, model in sorted(PUBLISHED.items())}


def _text(name: str, model: type[Canonical]) -> str:
    schema = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:lynchpin:{name}",
        **model.model_json_schema(schema_generator=_Exact),
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _differing(wanted: dict[str, str], folder: Path) -> list[str]:
    present = {path.name: path.read_text("utf-8") for path in folder.glob("*.json")}
    return sorted(
        name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)
    )


def _write(wanted: dict[str, str], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in _differing(wanted, folder):
        if name in wanted:
            (folder / name).write_text(wanted[name], "utf-8")
        else:
            (folder / name).unlink()


def main(arguments: list[str] | None = None, *, folder: Path = FOLDER) -> int:
    """Write the schema files, or with ``--check`` name those that differ and return 1."""
    parser = argparse.ArgumentParser(prog="python -m schemas.publish", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    if not parser.parse_args(arguments).check:
        _write(texts(), folder)
        return 0
    stale = _differing(texts(), folder)
    for name in stale:
        print(f"{folder.name}/{name} does not match the models. Run: make generate")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
