"""Examples of a draft: run as written, and told apart from what merely fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors import registry
from hub import library
from hub.authoring import draft as drafts
from hub.authoring import examples
from hub.authoring.draft import Draft
from hub.home import Home
from schemas.problem import ConfigError

SAMPLES = registry.folder("poslog") / "samples"
SHIPPED, _ = library.shipped_text("poslog", "retail")
SAMPLE = "v2-cash-sale-with-change"
OWN = "\nexamples:\n  - {from: sale.xml, expect: sale.json}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sale.xml").write_bytes((SAMPLES / f"{SAMPLE}.xml").read_bytes())
    wanted = (SAMPLES / f"{SAMPLE}.canonical.json").read_bytes()
    (tmp_path / "sale.json").write_bytes(wanted)
    return tmp_path


def draft(folder: Path, text: str) -> Draft:
    file = folder / "retail.yaml"
    file.write_text(text, "utf-8")
    return drafts.read(file, Home(folder / "home"))


def own(folder: Path) -> Draft:
    return draft(folder, SHIPPED.partition("\nexamples:")[0] + OWN)


def test_what_is_shipped_comes_out_as_written(folder: Path) -> None:
    made = draft(folder, SHIPPED)
    ran = list(examples.of_mapping(made))
    assert len(ran) == len(made.mapping.spec.examples) > 0
    assert all(each.well for each in ran)
    assert examples.first_failure(made) is None
    named = {each.source for each in ran}
    others = [each.source for each in examples.of_samples(made)]
    assert others
    assert named.isdisjoint(others)


def test_files_beside_the_mapping_are_found(folder: Path) -> None:
    assert examples.first_failure(own(folder)) is None


def test_the_first_difference_is_told_by_its_path_and_shape(folder: Path) -> None:
    entries = json.loads((folder / "sale.json").read_text("utf-8"))
    (entry,) = (e for e in entries if e["message"] == "retail")
    entry["document"]["workstation"] = "Ann 12"
    entry["document"]["lines"][0]["number"] = "999"
    (folder / "sale.json").write_text(json.dumps(entries), "utf-8")
    made = own(folder)
    problem = examples.first_failure(made)
    assert problem is not None
    assert (problem.code, problem.target) == ("LP-MAP-005", "[0].workstation")
    assert "'aaa 99'" in (problem.detail or "")
    assert "Ann" not in problem.model_dump_json()
    assert "and 1 more" in (problem.detail or "")
    line = made.mapping.spec.examples[0].line
    assert problem.rule == f"retail.yaml:{line}"
    (ran,) = examples.of_mapping(made)
    assert [each.path for each in ran.differences] == ["[0].workstation", "[0].lines[0].number"]


def test_an_example_that_would_be_held_says_why(folder: Path) -> None:
    text = SHIPPED.replace("BusinessDayDate", "NoSuchDay", 1)
    problem = examples.first_failure(draft(folder, text))
    assert problem is not None
    assert (problem.code, problem.target, problem.path) == (
        "LP-MAP-005",
        "business_date",
        "NoSuchDay",
    )
    assert "would be held: LP-MAP-102" in (problem.detail or "")


@pytest.mark.parametrize(
    ("name", "content", "detail"),
    [
        ("sale.xml", None, "there is no such file"),
        ("sale.json", None, "there is no such file"),
        ("sale.json", b"{", "no list of"),
        ("sale.json", b"[" * 100_000, "no list of"),
        ("sale.json", b'[{"message": "retail"}]', "no list of"),
        ("sale.json", b"[]", "expects no message of the kind retail"),
    ],
)
def test_an_example_whose_files_are_not_right_says_which(
    folder: Path, name: str, content: bytes | None, detail: str
) -> None:
    made = own(folder)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    problem = examples.first_failure(made)
    assert problem is not None
    assert (problem.code, problem.file) == ("LP-MAP-005", name)
    assert detail in (problem.detail or "")


@pytest.mark.parametrize("name", ["../secret.xml", "/etc/hostname", "link.xml"])
def test_files_elsewhere_are_never_read(folder: Path, name: str) -> None:
    (folder.parent / "secret.xml").write_text("x", "utf-8")
    (folder / "link.xml").symlink_to(folder.parent / "secret.xml")
    assert drafts.beside(folder)(name) is None


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("mapping: poslog.retail", "mapping: poslog.nothing", "LP-PUB-003"),
        ("mapping: poslog.retail", "mapping: shopify.order", "LP-PUB-011"),
        ("mapping: poslog.retail", "mapping: poslog.control", "LP-PUB-011"),
        ("rules:", "rules_:", "LP-MAP-003"),
    ],
)
def test_a_draft_is_for_a_kind_of_message_that_there_is(
    folder: Path, old: str, new: str, code: str
) -> None:
    assert old in SHIPPED
    with pytest.raises(ConfigError, match=code):
        draft(folder, SHIPPED.replace(old, new, 1))


@pytest.mark.parametrize("content", [b"\xff", b"a" * 3_000_000])
def test_a_file_that_is_no_text_or_too_large_is_not_taken(folder: Path, content: bytes) -> None:
    file = folder / "wrong.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError):
        drafts.read(file, Home(folder))


DIFFERENCES = """
# Ours.
extends: poslog.retail
rules:
  operator: {operator}
examples:
  - {{from: sale.xml, expect: sale.json}}
"""


def test_what_is_wrong_with_differences_is_told_by_their_own_lines(folder: Path) -> None:
    text = DIFFERENCES.format(operator="OperatorID | prefix x")
    made = draft(folder, text)
    problem = examples.first_failure(made)
    assert problem is not None
    assert (problem.target, problem.rule) == ("[0].operator", "retail.yaml:7")
    (ran,) = examples.of_mapping(made)
    assert ran.rule == "retail.yaml:7"


def test_a_rule_of_differences_that_holds_an_example_is_told_by_its_own_line(folder: Path) -> None:
    text = DIFFERENCES.format(operator="OperatorID").replace("operator: ", "began_at: ")
    problem = examples.first_failure(draft(folder, text))
    assert problem is not None
    assert (problem.target, problem.rule) == ("began_at", "retail.yaml:5")


def test_a_line_that_is_extended_is_told_by_the_file_that_is_shipped(folder: Path) -> None:
    content = (folder / "sale.xml").read_text("utf-8")
    assert "<BusinessDayDate>" in content
    broken = content.replace("<BusinessDayDate>", "<BusinessDayDate>x", 1)
    (folder / "sale.xml").write_text(broken, "utf-8")
    made = draft(folder, DIFFERENCES.format(operator="OperatorID"))
    problem = examples.first_failure(made)
    assert problem is not None
    line = 1 + SHIPPED.splitlines().index("  business_date:            BusinessDayDate")
    assert problem.rule == f"poslog/retail.yaml:{line}"
    assert made.place(line) != problem.rule
