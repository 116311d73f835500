"""Layout files that are wrong are refused, naming the line; those of a retailer lie in the home."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.layout import shelf
from connectors.layout.causes import FORBIDDEN, LINE, MISSING
from connectors.layout.connector import LayoutOptions
from connectors.layout.layout_file import read
from schemas.problem import ConfigError
from tests.connectors.layout.taking import SAMPLES, documents, options

GOOD = """\
layout: mine
summary: x
form: fixed
told: {at: 0, width: 1}
message: {begin: a, end: b}
kinds: rtlog
key: [n]
content: [n, b.total]
records:
  a:
    tag: A
    fields:
      n: 3 digits
  b:
    tag: B
    fields:
      total: 6 decimal implied 2 sign s
      s: 1 sign
"""
COLUMNS = """\
layout: mine
summary: x
form: delimited
columns: [Art, Nr, Wert]
told: {column: Art}
message: {begin: a, end: b}
kinds: rtlog
key: [n]
content: [n]
records:
  a: {tag: A, fields: {n: Nr digits}}
  b: {tag: B, fields: {total: Wert decimal comma}}
"""


def test_the_good_ones_are_good() -> None:
    assert documents(b"A007\nB001234N\n", options(read(GOOD, "mine.yaml"))) == [
        {"n": "007", "b": {"total": "-12.34"}}
    ]
    assert documents(b"Art;Nr;Wert\nA;07;\nB;;1,5\n", options(read(COLUMNS, "m.yaml"))) == [
        {"n": "07", "b": {"total": "1.5"}}
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "detail"),
    [
        ("form: fixed", "form: loose", 3, "`form` is one of fixed, delimited"),
        ("form:", "from:", 3, "no key 'from' here; did you mean 'form'?"),
        ("told: {at: 0, width: 1}", "told: {at: x}", 4, "`at` is a number up to 65536"),
        ("begin: a", "begin: c", 5, "no record 'c'"),
        ("key: [n]", "key: [m]", 7, "no field 'm'"),
        ("key: [n]", "key: n", 7, "`key` is a list of texts"),
        ("b.total", "b.totl", 7, "no field 'b.totl'; did you mean 'b.total'?"),
        ("    tag: B\n", "", 15, "b needs a `tag`"),
        ("tag: B", "tag: A", 10, "two types of records have the same tag"),
        ("n: 3 digits", "n: digits", 13, "n: the rule begins with a width in bytes"),
        ("n: 3 digits", "n: 0 digits", 13, "n: the rule begins with a width"),
        ("n: 3 digits", "n: 99999999 digits", 13, "n: the rule begins with a width"),
        ("n: 3 digits", "n: 3", 13, "n: n does not say what it holds"),
        ("n: 3 digits", "n: 3 digit", 13, "there is no kind 'digit'; did you mean 'digits'?"),
        ("n: 3 digits", "n: 3 digits pan", 13, "card data is masked"),
        ("n: 3 digits", "n: 3 digits implied 2", 13, "'digits' does not take 'implied'"),
        ("n: 3 digits", "n: 3 text pad 00", 13, "'pad' takes one character"),
        ("n: 3 digits", "n: 3 text trim up", 13, "`trim` takes both"),
        ("n: 3 digits", "n: 3 date YYYYMM", 13, "neither a day nor a time"),
        ("n: 3 digits", "n: 3 date YYYYMMDDDD", 13, "has a part twice"),
        ("n: 3 digits", "n: 3 date hhss", 13, "lacks what its last part counts from"),
        ("n: 3 digits", "n: 3 is", 13, "'is' does not take these arguments"),
        ("n: 3 digits", "n: [3]", 13, "the rule of n is one line of text"),
        ("n: 3 digits", "n: 3 text " + "x" * 500, 13, "more than 500 characters"),
        ("implied 2", "implied 99", 17, "`implied` takes a number of decimals, at most 12"),
        ("sign s", "sign t", 10, "b.total: no sign field 't'"),
        ("end: b", "end: ''", 1, "nothing tells that the last message is whole"),
        ("kinds: rtlog", "kinds: []", 6, "a map with the keys by, of"),
        ("summary: x", "summary: x\ncode_page: utf-16", 3, "no code page of one byte"),
        ("summary: x", "summary: x\ncode_page: nonsense", 3, "no code page of one byte"),
        ("summary: x", "summary: x\ncode_page: zip", 3, "no code page of one byte"),
        ("summary: x", "summary: x\nline_end: none", 3, "`record_bytes` says how long each is"),
        ("n: 3 digits", "n: 60000 digits\n      m: 9000 text", 11, "more than 65536 bytes"),
        ("key: [n]", "key: []", 1, "`key` and `content` each list a field at least"),
    ],
)
def test_a_line_that_cannot_be_understood(old: str, new: str, line: int, detail: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        read(GOOD.replace(old, new, 1), "mine.yaml")
    problem = caught.value.problem
    assert problem.code == LINE.code
    assert detail in (problem.detail or "")
    assert problem.rule == f"mine.yaml:{line}"


@pytest.mark.parametrize(
    ("old", "new", "detail"),
    [
        ("[Art, Nr, Wert]", "[Art, Nr, Nr]", "each once"),
        ("column: Art", "column: Ar", "no column 'Ar'; did you mean 'Art'?"),
        ("n: Nr digits", "n: Num digits", "no column 'Num'"),
        ("summary: x", "summary: x\nseparator: xx", "one character that is no letter"),
        ("summary: x", "summary: x\nseparator: a", "one character that is no letter"),
        ("summary: x", "summary: x\nheader: perhaps", "`header` is one of"),
    ],
)
def test_columns_that_cannot_be_understood(old: str, new: str, detail: str) -> None:
    assert old in COLUMNS
    with pytest.raises(ConfigError, match="LP-LAY-002") as caught:
        read(COLUMNS.replace(old, new, 1), "mine.yaml")
    assert detail in (caught.value.problem.detail or "")


def test_nothing_tells_the_beginning_of_a_file() -> None:
    rows = "layout: m\nsummary: x\nform: delimited\ncolumns: [A, B]\nheader: no\nkinds: rtlog\n"
    rows += "message: {begin: a, end: a}\nkey: [n]\ncontent: [n]\n"
    rows += "records: {a: {fields: {n: A digits}}}\n"
    with pytest.raises(ConfigError, match="the beginning of a file from its middle"):
        read(rows, "m.yaml")
    assert read(rows.replace("header: no", "header: yes"), "m.yaml").header


@pytest.mark.parametrize(
    "text",
    [
        "a: &x b\nc: *x\n",
        "a: !!python/object:os.system x\n",
        "[" * 100_000,
        "a: b\na: c\n",
        "- a\n",
        "",
        "x" * 300_000,
        "a: " + "{b: " * 30 + "c" + "}" * 30,
    ],
)
def test_hostile_files(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, "mine.yaml")
    assert caught.value.problem.code == FORBIDDEN.code
    assert caught.value.problem.file == "mine.yaml"


def test_too_many_records_and_fields() -> None:
    fields = "".join(f"      f{n}: 1 text\n" for n in range(501))
    with pytest.raises(ConfigError, match="a map of 1 to 500 fields"):
        read(GOOD.replace("      n: 3 digits\n", fields), "mine.yaml")
    records = "".join(f"  r{n}: {{tag: T{n}, fields: {{n: 1 text}}}}\n" for n in range(101))
    with pytest.raises(ConfigError, match="a map of 1 to 100 types"):
        read(GOOD[: GOOD.index("  a:\n")] + records, "mine.yaml")


def test_a_layout_of_ones_own_lies_in_the_home(tmp_path: Path) -> None:
    file = tmp_path / "layouts" / "mine.yaml"
    file.parent.mkdir()
    file.write_text(GOOD, "utf-8")
    where = {"home": tmp_path}
    chosen = LayoutOptions.model_validate({"layout": "layouts/mine.yaml"}, context=where)
    assert documents(b"A007\nB001234N\n", chosen)[0]["n"] == "007"
    same = LayoutOptions.model_validate({"layout": str(file)}, context=where)
    assert same.layout[0] is chosen.layout[0]
    file.write_text(GOOD.replace("n: 3 digits", "n: 4 digits"), "utf-8")
    longer = LayoutOptions.model_validate({"layout": "layouts/mine.yaml"}, context=where)
    assert documents(b"A0071\nB001234N\n", longer)[0]["n"] == "0071"


@pytest.mark.parametrize("name", ["rtlog-12", "missing.yaml", "", "../rtlog-13"])
def test_a_layout_that_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        LayoutOptions.model_validate({"layout": name}, context={"home": tmp_path})
    assert caught.value.problem.code == MISSING.code
    assert caught.value.problem.path == "layout"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"summary: \xe4\n")
    (tmp_path / "large.yaml").write_bytes(b" " * 5_000_000)
    (tmp_path / "kind.yaml").write_text(GOOD.replace("rtlog", "order"), "utf-8")
    for name, code, detail in (
        ("latin", FORBIDDEN, "the file is not UTF-8"),
        ("large", FORBIDDEN, "the file is too large"),
        ("kind", LINE, "no kind of message 'order'"),
    ):
        with pytest.raises(ConfigError) as caught:
            LayoutOptions.model_validate({"layout": f"{name}.yaml"}, context={"home": tmp_path})
        assert caught.value.problem.code == code.code
        assert caught.value.problem.detail == detail


def test_layouts_of_one_source_have_the_same_frame() -> None:
    other = read(GOOD.replace("summary: x", "summary: x\nline_end: cr"), "other.yaml")
    with pytest.raises(ConfigError, match="the same line ends and the same code page"):
        options((shelf.shipped()["rtlog-16"], other))  # type: ignore[arg-type]


def test_an_encoding_of_more_bytes_a_character() -> None:
    with pytest.raises(ConfigError, match="no code page of one byte"):
        options(encoding="utf-16").candidates  # noqa: B018


def test_the_page_shows_a_layout_that_is_one() -> None:
    page = (SAMPLES.parent / "README.md").read_text("utf-8")
    text = page.split("```yaml\n")[1].split("```")[0]
    shown = read(text, "page.yaml")
    assert shown.code_page == "cp500"
    assert {record.size for record in shown.records.values()} == {80}
    for kind in ("text", "digits", "decimal", "date", "is", "sign", "skip"):
        assert f"| `{kind}" in page


def test_shipped_layouts_have_the_same_names() -> None:
    old, new = shelf.shipped()["rtlog-13"], shelf.shipped()["rtlog-16"]
    assert set(new.paths) - set(old.paths) == {"file.origin", "receipt"}
    assert not set(old.paths) - set(new.paths)
    assert old.content == new.content
