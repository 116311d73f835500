"""The published schemas are those of the models, and say what the models say."""

from __future__ import annotations

import json
import re
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas import publish
from schemas.envelope import DOCUMENTS, model_name
from schemas.money import Money


def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((publish.FOLDER / f"{name}.json").read_text("utf-8"))
    return Draft202012Validator(schema)


def test_the_checked_in_files_are_those_of_the_models() -> None:
    present = {path.name: path.read_bytes() for path in publish.FOLDER.iterdir()}
    wanted = {name: text.encode() for name, text in publish.texts().items()}
    assert present == wanted, "run: make generate"


def test_every_document_that_leaves_the_hub_has_a_schema() -> None:
    assert {model_name(kind) for kind in DOCUMENTS} <= publish.PUBLISHED.keys()
    assert model_name("Transaction") == "transaction.v1"


@pytest.mark.parametrize("name", publish.PUBLISHED)
def test_each_file_is_a_schema_that_ends_its_last_line(name: str) -> None:
    text = (publish.FOLDER / f"{name}.json").read_text("utf-8")
    schema = json.loads(text)
    Draft202012Validator.check_schema(schema)
    assert text.endswith("}\n")
    assert schema["$id"].endswith(f":{name}")
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("name", publish.PUBLISHED)
def test_no_number_of_a_schema_is_a_float(name: str) -> None:
    def types(part: Any) -> set[str]:
        if isinstance(part, list):
            return {name for each in part for name in types(each)}
        if not isinstance(part, dict):
            return set()
        own = {part["type"]} if isinstance(part.get("type"), str) else set()
        return own | {name for each in part.values() for name in types(each)}

    assert "number" not in types(json.loads((publish.FOLDER / f"{name}.json").read_text("utf-8")))


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=8))
def test_what_the_models_write_the_schema_accepts(amount: Decimal) -> None:
    money = json.loads(Money(amount=amount, currency="EUR").model_dump_json())
    assert _validator("money.v1").is_valid(money)


@pytest.mark.parametrize(
    "amount", [1.1, 1, "1e2", "1,50", "NaN", "", "1.", ".5", "0.123456789", "1" * 17]
)
def test_what_the_models_never_write_the_schema_refuses(amount: object) -> None:
    assert not _validator("money.v1").is_valid({"amount": amount, "currency": "EUR"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the published schemas that a test may spoil."""
    return Path(shutil.copytree(publish.FOLDER, tmp_path / "json"))


def test_check_passes_on_what_write_wrote(tmp_path: Path) -> None:
    assert publish.main([], folder=tmp_path / "json") == 0
    assert publish.main(["--check"], folder=tmp_path / "json") == 0


@pytest.mark.parametrize("change", ["edited", "missing", "left over"])
def test_check_names_the_file_and_the_command_and_write_mends_it(
    change: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "gone.v1.json" if change == "left over" else "order.v1.json"
    path = folder / name
    if change == "missing":
        path.unlink()
    else:
        path.write_text('{"type": "object"}\n', "utf-8")
    assert publish.main(["--check"], folder=folder) == 1
    assert re.search(rf"{re.escape(name)} .*make generate", capsys.readouterr().out)
    assert path.exists() is (change != "missing"), "checking writes nothing"
    assert publish.main([], folder=folder) == 0
    assert publish.main(["--check"], folder=folder) == 0
