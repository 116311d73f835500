"""Mapping files that mean harm: refused with their line, or bounded in memory and time.

Each runs in a process of its own that may take a gigabyte and some seconds of CPU; what takes more
is killed, and the test sees no answer.
"""

from __future__ import annotations

import ast
import json
import resource
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mappings.mapping import Mapping, load
from schemas.problem import ConfigError, Rejected

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((ROOT / "mappings").glob("*/*.yaml"))
MEMORY_BYTES = 1024**3
CPU_SECONDS = 30
CHILD = """
import json, sys
from mappings.mapping import load
from schemas.problem import ConfigError, Rejected
text = open(sys.argv[1], encoding="utf-8", errors="surrogatepass").read()
try:
    mapping = load(text, "bad.yaml")
except ConfigError as error:
    print("refused", error.problem.code, error.problem.rule or error.problem.file)
    sys.exit()
for body in json.loads(sys.argv[2]):
    for make in (mapping.run, mapping.trace):
        try:
            make(body)
        except Rejected as error:
            # What a document does not have is told of its own place, and of no other document.
            assert error.problem.code in ("LP-MAP-101", "LP-MAP-102"), error
print("made")
"""
HEAD = "mapping: a.b\nreads: json\nto: Order\n"
HOSTILE = "refused LP-MAP-002"
RULE = "refused LP-MAP-003"
SYNTAX = "refused LP-MAP-001"


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def _outcome(tmp_path: Path, text: str, bodies: Any = ({}, {"a": 1})) -> str:
    file = tmp_path / "bad.yaml"
    file.write_text(text, "utf-8", errors="surrogatepass")
    return _said(CHILD, str(file), json.dumps(bodies))


def _said(program: str, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        preexec_fn=_limited,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-500:]
    return run.stdout.strip()


def _nested(levels: int) -> str:
    """List rules inside each other are not possible so deep, but branches are."""
    lines = [f"{'  ' * (n + 1)}when a{n}:" for n in range(levels)]
    return "\n".join([*lines, f"{'  ' * (levels + 1)}note: a"])


def _choices(levels: int, branches: int) -> str:
    """Every branch opens a block of code inside the one before."""
    lines = []
    for level in range(levels):
        pad = "  " * (level + 1)
        lines += [f"{pad}when a{n} = x:\n{pad}  note: b{n}" for n in range(branches)]
        lines.append(f"{pad}otherwise:")
    return "\n".join([*lines, f"{'  ' * (levels + 1)}note: c"])


REFUSED = {
    "lists 100,000 deep": (HEAD + "rules: " + "[" * 100_000, HOSTILE),
    "maps 100,000 deep": (HEAD + "rules: " + "{a: " * 50_000, HOSTILE),
    "maps 21 deep": (HEAD + "rules:\n" + _nested(21), HOSTILE),
    "ten megabytes": (HEAD + "rules: {note: a}\n#" + "x" * 10_000_000, HOSTILE),
    "a million items": (HEAD + f"ignore: [{'a,' * 1_000_000}]\n", HOSTILE),
    "50,000 keys": (HEAD + "rules:\n" + "".join(f" {n:x}:\n" for n in range(26_000)), HOSTILE),
    "a bomb of aliases": (HEAD + "codes: &a {x: &b [*a, *a]}\nrules: *b\n", HOSTILE),
    "a tag that makes objects": (HEAD + "rules: !!python/object/apply:os.system [id]\n", HOSTILE),
    "a line too long": (HEAD + f"rules: {{note: {'a' * 2001}}}\n", RULE),
    "a path too long": (HEAD + f"rules: {{note: {'.'.join('a' * 25)}}}\n", RULE),
    "too many or": (HEAD + f"rules: {{note: {' or '.join('a' * 1000)}}}\n", RULE),
    "too many transforms": (HEAD + f"rules: {{note: a{' | trim' * 25}}}\n", RULE),
    "too many tests": (HEAD + f"rules: {{when a{' and a' * 24}: {{note: a}}}}\n", RULE),
    "lists five deep": (
        HEAD + "rules:\n  lines[] from a[].b[].c[].d[].e[]:\n    id: x\n",
        RULE,
    ),
    "too many branches": (HEAD + "rules:\n" + _choices(1, 40), RULE),
    "blocks beyond Python's": (HEAD + "rules:\n" + _choices(12, 35), RULE),
    "a huge index": (HEAD + "rules: {note: 'a[99999999999999999999]'}\n", RULE),
    "an index of other digits": (HEAD + "rules: {note: 'a[١]'}\n", RULE),
    "a zero byte": (HEAD + "rules: {note: 'a\0b'}\n", SYNTAX),
    "half a character": (HEAD + "rules: {note: 'a\ud800'}\n", SYNTAX),
    "text turned round": (HEAD + "rules: {\u202enote: a}\n", RULE),
    "a letter of another alphabet": (HEAD + "rules: {n\u043ete: a}\n", RULE),
    "a program for a field": (HEAD + "rules: {note: __import__('os').system('id')}\n", RULE),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_hostile_file_is_refused_with_its_place(what: str, tmp_path: Path) -> None:
    text, expected = REFUSED[what]
    said = _outcome(tmp_path, text)
    assert said.startswith(expected), said
    assert "bad.yaml" in said


def _wide(rules: int) -> str:
    lists = "".join(f"  lines[] from a{n:x}[]:\n    id: b\n" for n in range(rules))
    return f"{HEAD}rules:\n{lists}"


BOUNDED: dict[str, tuple[str, Any]] = {
    "thousands of lists": (_wide(3000), [{}, {"a1": [{"b": 1}] * 3}]),
    "thousands of fields": (
        HEAD + "rules:\n" + "".join(f"  tags: [{', '.join(['a'] * 20_000)}]\n"),
        [{"a": "x"}],
    ),
    "thousands of codes": (
        HEAD
        + "rules: {note: a | code t}\ncodes:\n  t:\n"
        + "".join(f"    k{n}: v\n" for n in range(15_000)),
        [{"a": "k14999"}, {"a": "k"}],
    ),
    "lists four deep": (
        HEAD + "rules:\n  lines[] from a[].b[].c[].d[]:\n    id: x\n",
        [{"a": [{"b": [{"c": [{"d": [{"x": 1}] * 9}] * 9}] * 9}] * 9}],
    ),
    "nineteen conditions deep": (
        HEAD + "rules:\n" + _nested(17),
        [{f"a{n}": 1 for n in range(17)}],
    ),
    "a lookup that no pattern explodes on": (
        HEAD + "rules: {note: 'a[b=(x+x+)+y].c | code t'}\ncodes: {t: {'(x+x+)+y': z}}\n",
        [{"a": [{"b": "x" * 5000, "c": "x" * 5000}]}],
    ),
    "nearly a path": (HEAD + f"rules: {{note: 'a{'[b' * 600}'}}\n", [{}]),
    "nearly a condition": (HEAD + f"rules: {{'when a{' = x' * 200}': {{note: a}}}}\n", [{}]),
    "nearly a comparison": (HEAD + f"rules: {{'when {'a' * 900}': {{note: a}}}}\n", [{}]),
    "nearly a comparison with choices": (
        HEAD + f"rules: {{'when {'a[b=c]' * 150}': {{note: a}}}}\n",
        [{}],
    ),
    "nearly a list rule": (HEAD + f"rules: {{'a[] from {'b from ' * 120}': {{note: a}}}}\n", [{}]),
    "blanks without end": (HEAD + f"rules: {{note: 'a{' ' * 1900}| trim'}}\n", [{"a": "b"}]),
}


@pytest.mark.parametrize("what", BOUNDED)
def test_a_large_file_stays_within_memory_and_time(what: str, tmp_path: Path) -> None:
    said = _outcome(tmp_path, *BOUNDED[what])
    assert said == "made" or said.startswith(RULE), said


TABLE = """
import sys
from pathlib import Path
from mappings.tables import beside
from schemas.problem import ConfigError
try:
    beside(Path(sys.argv[1]))("huge.csv")
except ConfigError as error:
    print(error.problem.code, error.problem.detail)
"""


def test_a_table_larger_than_memory_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(4 * MEMORY_BYTES)
    assert _said(TABLE, str(tmp_path)) == "LP-MAP-012 more than 524288 characters"


MADE_OF_ESCAPED = {"numbers.py", "times.py"}
"""A decimal mark, and a pattern of a date: fixed pieces, with what stands between them escaped."""


def test_no_text_of_a_mapping_becomes_a_pattern() -> None:
    """Patterns are written by us; those of a mark or a date escape whatever is not theirs."""
    calls = [
        f"{file.name}: {ast.unparse(node)}"
        for file in sorted((ROOT / "mappings").glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if file.name not in MADE_OF_ESCAPED
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and not _is_ours(node.args[0])
    ]
    assert calls == []


@pytest.mark.parametrize("file", sorted(MADE_OF_ESCAPED))
def test_what_stands_between_the_pieces_of_a_pattern_is_escaped(file: str) -> None:
    assert "re.escape(" in (ROOT / "mappings" / file).read_text("utf-8")


def _is_ours(pattern: ast.expr) -> bool:
    """A literal, a constant of the module, or one made of these."""
    if isinstance(pattern, ast.JoinedStr):
        inside = [part.value for part in pattern.values if isinstance(part, ast.FormattedValue)]
        return all(isinstance(name, ast.Name) and name.id.isupper() for name in inside)
    named = isinstance(pattern, ast.Name) and pattern.id.isupper()
    return named or isinstance(pattern, ast.Constant)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just("2031-01-01"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*"abc", "id", "items", "customer", "lines"]), inner)
    ),
    max_leaves=20,
)
PIECES = [
    "[]",
    "[0]",
    " from ",
    " where ",
    "when ",
    "otherwise",
    " | ",
    " or ",
    "= ",
    "/",
    ".",
    "@",
]
PIECES += ["|", ">", "&a", "*a", "!!x", "{", "}", "'", '"', "\t", "\0", "\u202e", ": ", "\n", "  "]


def _mutated(text: str, seed: int) -> str:
    random = Random(seed)
    for _ in range(random.randint(1, 4)):
        start, size = random.randrange(len(text)), random.randint(0, 30)
        other = random.randrange(len(text))
        new = random.choice([random.choice(PIECES), text[other : other + size], ""])
        text = text[:start] + new + text[start + random.choice([0, size, 1]) :]
    return text


def _run(mapping: Mapping, body: Any) -> None:
    for form in (mapping.run, mapping.trace):
        try:
            form(body)
        except Rejected:
            continue


@given(
    file=st.sampled_from(SHIPPED), seed=st.integers(0, 2**32), bodies=st.lists(ANY_JSON, max_size=3)
)
def test_whatever_is_written_is_a_mapping_or_a_typed_error(
    file: Path, seed: int, bodies: list[Any]
) -> None:
    try:
        mapping = load(_mutated(file.read_text("utf-8"), seed), "fuzz.yaml")
    except ConfigError:
        return
    if mapping.spec.reads == "json":
        for body in bodies:
            _run(mapping, body)
    else:
        for text in ("<t/>", "<t><LineItem><Sale><Quantity>Ann</Quantity></Sale></LineItem></t>"):
            _run(mapping, etree.fromstring(text))
