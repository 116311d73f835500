"""YAML that nobody vouches for: every scalar is text, and what is hostile is soon refused."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.yaml_text import CHARACTERS_MAX, DEPTH_MAX, Map, Node, Scalar, Sequence, parse
from schemas.problem import ConfigError, Problem


def plain(node: Node) -> object:
    """A node without its lines."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.value: plain(value) for key, value in node.entries}


def problem(text: str) -> Problem:
    with pytest.raises(ConfigError) as caught:
        parse(text, "shop.yaml")
    return caught.value.problem


@pytest.mark.parametrize(
    "scalar",
    [
        "01", "NO", "no", "on", "12:30", "1.10", "null", "~", "true", "0x1F", "1_000", "1e3",
        ".inf", ".nan", "2026-03-01", "2026-03-01T10:00:00Z", "+1", "-0", "0o17", "=", "= web",
        "<<",
    ],
)  # fmt: skip
def test_every_scalar_stays_the_text_it_is(scalar: str) -> None:
    assert plain(parse(f"a: {scalar}\nb: [{scalar}]", "f")) == {"a": scalar, "b": [scalar]}


def test_nothing_is_empty_text() -> None:
    assert plain(parse("a:\nb: ''\nc: []\nd: {}", "f")) == {"a": "", "b": "", "c": [], "d": {}}


def test_each_node_knows_its_line() -> None:
    tree = parse("a: x\n\n# why\nb:\n  - y\n  - {c: z}\n", "f")
    (a, x), (b, items) = tree.entries
    assert [a.line, x.line, b.line] == [1, 1, 4]
    assert isinstance(items, Sequence)
    assert [item.line for item in items.items] == [5, 6]


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=50)))
def test_a_quoted_text_comes_back_as_it_was(values: dict[str, str]) -> None:
    def quoted(text: str) -> str:
        return '"' + "".join(f"\\U{ord(c):08x}" for c in text) + '"'

    text = "\n".join(f"{key}: {quoted(value)}" for key, value in values.items()) or "{}"
    assert plain(parse(text, "f")) == values


@pytest.mark.parametrize(
    ("text", "code", "line", "said"),
    [
        ("a: &x b", "LP-MAP-002", 1, "anchors"),
        ("a: 1\nb: *x", "LP-MAP-002", 2, "anchors and aliases"),
        ("a: 1\n&x b: 2", "LP-MAP-002", 2, "anchors"),
        ("a: 1\nb: &x [1]", "LP-MAP-002", 2, "anchors"),
        ("a: !!python/object/apply:os.getcwd []", "LP-MAP-002", 1, "tags"),
        ("a: !!python/object:os.system x", "LP-MAP-002", 1, "tags"),
        ("a: 1\nb: !!str 2", "LP-MAP-002", 2, "tags"),
        ("a: ! x", "LP-MAP-002", 1, "tags"),
        ("!!map {a: 1}", "LP-MAP-002", 1, "tags"),
        ("%TAG ! tag:x,2000:\n---\na: !y z", "LP-MAP-002", 3, "tags"),
        ("a: 1\nb: 2\na: 3", "LP-MAP-002", 3, "'a' stands here twice"),
        ("a:\n  b: 1\n  'b': 2", "LP-MAP-002", 3, "'b' stands here twice"),
        ("a: {b: 1, b: 2}", "LP-MAP-002", 1, "'b' stands here twice"),
        ("a: 1\n? [b]\n: 2", "LP-MAP-002", 2, "a key must be plain text"),
        ("a: 1\n---\nb: 2", "LP-MAP-002", 2, "second document"),
        ("", "LP-MAP-002", 1, "an empty file"),
        ("# nothing\n", "LP-MAP-002", 2, "an empty file"),
        ("a: 1\nb: [", "LP-MAP-001", 3, "line 3"),
        ("a: 1\n b: 2", "LP-MAP-001", 2, "line 2"),
        ("a: b: c", "LP-MAP-001", 1, "line 1"),
        ("a:\n\t- b", "LP-MAP-001", 2, "line 2"),
        ('a: "\\uD800"', "LP-MAP-001", 1, "line 1"),
    ],
)
def test_what_is_refused_names_its_line(text: str, code: str, line: int, said: str) -> None:
    found = problem(text)
    assert found.code == code
    assert found.rule == f"shop.yaml:{line}"
    assert said in (found.detail or "")


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x80", "\ud800", "\ufffe"])
def test_control_characters_and_half_characters_are_refused(character: str) -> None:
    found = problem(f"a: 1\nb: x{character}y")
    assert (found.code, found.file) == ("LP-MAP-001", "shop.yaml")


@pytest.mark.parametrize("text", ["- a", "a", "[a: b]"])
def test_a_mapping_file_is_a_map(text: str) -> None:
    assert problem(text).file == "shop.yaml"


def test_a_map_may_nest_as_deep_as_said_and_no_deeper() -> None:
    deepest = "{a: " * DEPTH_MAX + "b" + "}" * DEPTH_MAX
    assert isinstance(parse(deepest, "f"), Map)
    assert "too deep" in (problem("{a: " + deepest + "}").detail or "")


def test_a_file_may_be_as_long_as_said_and_no_longer() -> None:
    comment = "a: b #"
    text = comment + "x" * (CHARACTERS_MAX - len(comment))
    assert plain(parse(text, "f")) == {"a": "b"}
    found = problem(text + "x")
    assert (found.code, found.file) == ("LP-MAP-002", "shop.yaml")


# Each is written in the child, which may use little memory and few processor seconds: a loader that
# composed it, or recursed, or squared its length, would not live to say no.
HOSTILE = {
    "deep list": "'a: ' + '[' * 200_000",
    "deep list, whole file": "'[' * 200_000",
    "deep list, closed": "'a: ' + '[' * 120_000 + ']' * 120_000",
    "deep map": "'{' * 200_000",
    "deep map of keys": "'a: ' + '{a: ' * 60_000",
    "deep block list": "'- ' * 100_000",
    "deep complex keys": "'? ' * 100_000",
    "deep block map": "'\\n'.join(' ' * n + 'a:' for n in range(600))",
    "many items": "'a: [' + 'x,' * 1_000_000 + ']'",
    "as many items as fit": "'a: [' + 'x,' * 120_000 + ']'",
    "many keys": "'\\n'.join(f'k{n}:' for n in range(35_000))",
    "ten megabytes": "'a: ' + 'x' * 10_000_000",
    "many lines": "'\\n' * 10_000_000",
    "many laughs": (
        "'a0: &a0 ha\\n' + '\\n'.join("
        "f'a{n}: &a{n} [' + ', '.join([f'*a{n - 1}'] * 9) + ']' for n in range(1, 30))"
    ),
    "merged laughs": "'a: &a {b: c}\\nd: {<<: [' + '*a, ' * 50_000 + '*a]}'",
    "long quotes": "'a: \"' + '\\\\x41' * 60_000",
    "many directives": "'%YAML 1.1\\n' * 20_000",
    "many documents": "'---\\n' * 60_000",
    "a long key": "'? ' + 'x' * 200_000 + '\\n: y\\n? ' + 'x' * 200_000 + '\\n: y'",
}
CHILD = """
import resource, sys
from mappings.mapping import load
from schemas.problem import ConfigError
text = {text}
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
try:
    load(text, "shop.yaml")
except ConfigError as error:
    print(error.problem.code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such limits")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_yaml_is_refused_within_bounds(name: str) -> None:
    program = CHILD.format(text=HOSTILE[name])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() in {"LP-MAP-001", "LP-MAP-002"}, done.stderr[-2000:]
