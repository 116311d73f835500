"""Every form of path, expression, condition and key, and what is said of each wrong one."""

from __future__ import annotations

import pytest

from mappings import grammar, rules
from mappings.grammar import GrammarError
from mappings.rules import Constant, Path, Step, Transform

CHOSEN = Step("a", where=("b", "c d"))
BY_ATTRIBUTE = Step("a", where=("@b", "c"))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (".", Path(())),
        ("/.", Path((), from_top=True)),
        ("a", Path((Step("a"),))),
        ("a.b-c._d2", Path((Step("a"), Step("b-c"), Step("_d2")))),
        ("/a.b", Path((Step("a"), Step("b")), from_top=True)),
        ("a[0].b[12]", Path((Step("a", index=0), Step("b", index=12)))),
        ("a[b=c d]", Path((CHOSEN,))),
        ("a[ b = c d ]", Path((CHOSEN,))),
        ("a[b=1.5=x].c", Path((Step("a", where=("b", "1.5=x")), Step("c")))),
        ("a[@b=c]", Path((BY_ATTRIBUTE,))),
        ("a[b.@c=d]", Path((Step("a", where=("b.@c", "d")),))),
        ("a[x:b.y:c=d]", Path((Step("a", where=("x:b.y:c", "d")),))),
        ("acs:a.acs:b", Path((Step("acs:a"), Step("acs:b")))),
        ("@a", Path((), "a")),
        (".@a", Path((), "a")),
        ("/@a", Path((), "a", from_top=True)),
        ("a.@acs:b", Path((Step("a"),), "acs:b")),
        ("größe", Path((Step("größe"),))),
        ("from", Path((Step("from"),))),
    ],
)
def test_paths(text: str, path: Path) -> None:
    assert grammar.path(text) == path


def test_a_path_of_many_is_only_for_lists() -> None:
    many = Path((Step("a", many=True), Step("b", many=True)))
    assert grammar.path("a[].b[]", many=True) == many
    with pytest.raises(GrammarError, match=r"'a\[\]' stands for many; choose one, as in a\[0\]"):
        grammar.path("a[].b")


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "/", "..", "...", "a.", "a..b", "a b", "a,b", "a.$b", "1a", "-a", "a[", "a]",
        "a[[0]]", "a[-1]", "a[1.5]", "a[²]", "a[٣]", "a[9999999]", "a[b]", "a[=c]", "a[b c=d]",
        "a[@]", "a[.b=c]", "a[@b.c=d]", "a[0][1]", "[0]", "a[0]b", "@", "@1", "@a.b", "a.@b.@c",
        "a.@b[0]", "a:b:c", ":a", "a:", "a;b", "a'b", 'a"b', "a(b)", "a\nb", "__import__('os')",
    ],
)  # fmt: skip
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(GrammarError):
        grammar.path(text)


def test_a_path_has_an_end() -> None:
    assert len(grammar.path(".".join("a" * 24)).steps) == 24
    with pytest.raises(GrammarError, match="too long"):
        grammar.path(".".join("a" * 25))


@pytest.mark.parametrize("text", ["a", "/a.b", "a[0].b", "a[b=c d].e", "a[@b=c]", ".", "a.@b"])
def test_a_path_is_written_as_it_was_read(text: str) -> None:
    assert str(grammar.path(text)) == text


def test_expressions() -> None:
    a, b = Path((Step("a"),)), Path((Step("b"),))
    assert grammar.expression("a").sources == (a,)
    assert grammar.expression("a or b or = c d").sources == (a, b, Constant("c d"))
    found = grammar.expression(" a  or  b | times 100 | split , | lower ")
    assert found.sources == (a, b)
    assert found.transforms == (
        Transform("times", ("100",)),
        Transform("split", (",",)),
        Transform("lower", ()),
    )


@pytest.mark.parametrize("word", ["web", "a b", "01", "=", "= x", "a|b", "null", "[]", "it's"])
def test_a_constant_is_all_that_follows_its_sign(word: str) -> None:
    expression = grammar.expression(f"= {word}")
    assert expression.constant == word
    assert grammar.expression(f"={word}").constant == word


def test_only_a_bare_constant_is_constant() -> None:
    assert grammar.expression("= a | upper").constant is None
    assert grammar.expression("a or = b").constant is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no path"),
        ("a or", "is no step"),
        ("= a or b", "what follows a constant can never be reached"),
        ("=", "say which text"),
        ("a or =  ", "say which text"),
        ("a | Upper", "'Upper' is no name of a transform"),
        ("a | upper()", "no name of a transform"),
        ("a" + " | lower" * 25, "too many transforms"),
    ],
)
def test_what_is_no_expression(text: str, said: str) -> None:
    with pytest.raises(GrammarError, match=said):
        grammar.expression(text)


@pytest.mark.parametrize(
    ("text", "operator", "values"),
    [
        ("a", "exists", ()),
        ("not a", "missing", ()),
        ("a = x", "in", ("x",)),
        ("a=x", "in", ("x",)),
        ("a = x y, z", "in", ("x y", "z")),
        ("a != x, y", "not in", ("x", "y")),
        ("a!=x", "not in", ("x",)),
        ("a = x=y", "in", ("x=y",)),
        ("a < 0", "<", ("0",)),
        ("a > -1.50", ">", ("-1.50",)),
    ],
)
def test_tests(text: str, operator: str, values: tuple[str, ...]) -> None:
    (test,) = grammar.condition(text).tests
    assert test == rules.Test(Path((Step("a"),)), operator, values)  # type: ignore[arg-type]


@pytest.mark.parametrize("operator", ["=", " = ", "!=", " != "])
def test_a_choice_may_stand_in_a_test(operator: str) -> None:
    (test,) = grammar.condition(f"a[b=c d].@e{operator}x").tests
    assert test.path == Path((CHOSEN,), "e")
    assert test.values == ("x",)


def test_all_tests_of_a_condition() -> None:
    tests = grammar.condition("a and not b and c = x, y and d < 3").tests
    assert [test.operator for test in tests] == ["exists", "missing", "in", "<"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no path"),
        ("a =", "say which text"),
        ("a = x,", "say which text"),
        ("a < x", "compare with one number"),
        ("a < 1, 2", "compare with one number"),
        ("a < ٣", "compare with one number"),
        ("a < 1e9", "compare with one number"),
        ("a < " + "9" * 21, "compare with one number"),
        ("a <= 1", "compare with one number"),
        ("a b = x", "is no step"),
        ("not a = b", "is no step"),
        ("a or b", "is no step"),
        (" and ".join("a" * 25), "too many tests"),
    ],
)
def test_what_is_no_condition(text: str, said: str) -> None:
    with pytest.raises(GrammarError, match=said):
        grammar.condition(text)


def test_keys() -> None:
    assert grammar.key("a.b").form == "assign"
    assert grammar.key("a.b").target == ("a", "b")
    assert grammar.key("otherwise").form == "otherwise"
    when = grammar.key("when a = x")
    assert (when.form, when.condition) == ("when", grammar.condition("a = x"))
    within = grammar.key("a.b from c[0].d")
    assert (within.form, within.target) == ("within", ("a", "b"))
    assert within.source == grammar.path("c[0].d")
    each = grammar.key("a[] from b[].c[] where d > 1 and not e")
    assert (each.form, each.target) == ("each", ("a",))
    assert each.source == grammar.path("b[].c[]", many=True)
    assert each.condition == grammar.condition("d > 1 and not e")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no name of a canonical field"),
        ("A", "no name of a canonical field"),
        ("a[]", "no name of a canonical field"),
        ("a b", "no name of a canonical field"),
        ("a[] from b", r"the source 'b' must end in \[\]"),
        ("a[] from b[].c", r"must end in \[\]"),
        ("a[] from b[].@c", r"must end in \[\]"),
        ("a[] from .", r"must end in \[\]"),
        ("a[] from b[].c[].d[].e[].f[]", "more than 4 lists"),
        ("a from b.@c", "not from an attribute"),
        ("a from b[]", "stands for many"),
        ("a[] from b[] where", r"'b\[\] where'"),
        ("otherwise a", "no name of a canonical field"),
    ],
)
def test_what_is_no_key(text: str, said: str) -> None:
    with pytest.raises(GrammarError, match=said):
        grammar.key(text)
