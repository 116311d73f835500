"""Coverage on traffic: counted over documents, masked, bounded, and the same in any order."""

from __future__ import annotations

from typing import Any

import pytest

from hub.coverage import tally as tallies
from hub.coverage.tally import Idle, Seen, Share, Tally, shown
from mappings.mapping import Mapping, load

RULES = """mapping: a.b
reads: json
to: Interaction
rules:
  id: id
  kind: type | code kind
  occurred_at: at
  when agent:
    agent: agent
    store: shop
  otherwise:
    subject: = nobody
  customers[] from who[] where good = true:
    when bad: skip
    kind: = phone
    value: number
  attribution from page:
    landing: url
  when never: {campaign: = x}
codes:
  kind: {C: call}
ignore: [hidden]
"""
MAPPING = load(RULES, "test.yaml")


def _tally(*bodies: dict[str, Any], mapping: Mapping = MAPPING) -> Tally:
    made = Tally(mapping)
    for number, body in enumerate(bodies, 1):
        made.add({"id": "1", "type": "C", **body}, number)
    return made


def _idle(tally: Tally) -> list[int]:
    return [each.line for each in tally.idle]


def _share(tally: Tally, target: str) -> Share:
    return next(share for share in tally.shares if share.target == target)


def test_what_nobody_reads_is_told_by_path_with_its_shape_and_messages() -> None:
    tally = _tally({"note": "Ann 12"}, {"hidden": 1}, {"note": "Bob", "x": {"y": [1, 2]}})
    assert tally.unread == {"note": Seen("aaa 99", 2, 1, 3), "x.y": Seen("9", 1, 3, 3)}


def test_what_is_ignored_and_never_arrives_is_told() -> None:
    text = RULES.replace("ignore: [hidden]", "ignore: [hidden, gone.by, agent]")
    mapping = load(text, "test.yaml")
    bodies = {"hidden": 1}, {"gone": {"by": {"now": 1}}}, {"agent": "a"}
    assert _tally(bodies[0], mapping=mapping).idle_ignores == ("gone.by", "agent")
    assert _tally(*bodies[:2], mapping=mapping).idle_ignores == ("agent",)
    # A rule reads it, so that it is not left out but mapped.
    assert _tally(*bodies, mapping=mapping).idle_ignores == ("agent",)


def test_two_documents_of_one_message_count_once() -> None:
    tally = Tally(MAPPING)
    for _ in range(2):
        tally.add({"id": "1", "type": "Q", "note": "x"}, 7)
    assert tally.unread == {"note": Seen("a", 1, 7, 7)}
    assert tally.codes == {("kind", "Q"): Seen("Q", 1, 7, 7)}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("TWINT", "TWINT"),
        ("acs:Mobile-2", "acs:Mobile-2"),
        ("123456", "123456"),
        ("1234567", "9999999"),
        ("Ann Example", "aaa aaaaaaa"),
        ("ann@example.org", "aaa@aaaaaaa.aaa"),
        ("Zoë", "aaa"),
        ("a" * 21, "a" * 21),
        ("X" * 21, "a" * 21),
    ],
)
def test_a_code_is_shown_only_where_it_can_be_nothing_else(raw: str, told: str) -> None:
    assert shown(raw) == told


def test_codes_without_an_entry_are_counted() -> None:
    tally = _tally({"type": "Q"}, {"type": "C"}, {"type": "Q"}, {"type": "Ann Example"})
    assert tally.codes == {
        ("kind", "Q"): Seen("Q", 2, 1, 3),
        ("kind", "aaa aaaaaaa"): Seen("aaa aaaaaaa", 1, 4, 4),
    }


def test_rules_that_did_nothing_are_told_the_outermost_only() -> None:
    assert _idle(_tally({})) == [7, 8, 13, 17, 19]
    assert _idle(_tally({"agent": "a"})) == [7, 10, 11, 13, 17, 19]
    assert _idle(_tally({"agent": "a"}, {"agent": "a", "at": "2031-01-01T00:00:00"})) == [
        10,
        11,
        13,
        17,
        19,
    ]


def test_a_condition_is_told_from_a_rule_without_one() -> None:
    idle = {each.line: each for each in _tally({}).idle}
    assert idle[7] == Idle(7, "occurred_at: at", condition=False)
    assert idle[8] == Idle(8, "when agent:", condition=True)
    assert idle[13].condition
    assert not idle[17].condition


def test_a_branch_that_skips_was_taken_and_what_it_dropped_was_not_hit() -> None:
    skipped = {"who": [{"good": True, "bad": 1, "number": "1"}], "page": {"url": "u"}}
    assert 14 not in _idle(_tally(skipped))
    assert {15, 16} <= set(_idle(_tally(skipped)))
    taken = {"who": [{"good": True, "number": "1"}]}
    assert {14} == {14, 15, 16} & set(_idle(_tally(taken)))


def test_shares_are_of_the_objects_that_could_have_the_field() -> None:
    who = [{"good": True, "number": "1"}, {"good": True, "number": "2"}]
    tally = _tally({"who": who, "agent": "a"}, {}, {"at": "2031-01-01T00:00:00"})
    assert _share(tally, "id") == Share("id", required=True, filled=3, of=3)
    assert _share(tally, "agent") == Share("agent", required=False, filled=1, of=3)
    assert _share(tally, "customers").filled == 1
    value = Share("customers.value", required=True, filled=2, of=2)
    assert _share(tally, "customers.value") == value
    assert _share(tally, "customers.issuer").filled == 0
    needed = [share.required for share in tally.shares]
    assert needed == sorted(needed, reverse=True)
    assert not any(share.target.startswith("attribution.") for share in tally.shares)


def test_a_field_of_one_kind_of_line_is_asked_of_that_kind_only() -> None:
    text = (
        "mapping: a.b\nreads: json\nto: Transaction\nrules:\n  lines[] from l[]:\n"
        "    number: n\n    kind: k\n    quantity: q\n"
    )
    lines = [{"n": 1, "k": "sale", "q": 1}, {"n": 2, "k": "sale"}, {"n": 3, "k": "tax"}]
    tally = _tally({"l": lines}, mapping=load(text, "test.yaml"))
    assert _share(tally, "lines.quantity") == Share("lines.quantity", required=True, filled=1, of=2)
    assert _share(tally, "lines.number").of == 3
    assert _share(tally, "lines.rate").of == 1


def test_a_document_that_fails_is_counted_with_rule_and_code() -> None:
    tally = _tally({"at": "Ann"}, {"at": "2031-01-01T00:00:00"}, {"at": "Bob"})
    assert tally.failed == {"LP-MAP-101": Seen("test.yaml:7", 2, 1, 3)}
    assert tally.documents == 3


def test_memory_is_bounded_however_many_paths_and_codes_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tallies, "DIFFERENT_MAX", 3)
    tally = _tally(*({f"x{n}": 1, "type": f"T{n}"} for n in range(9)), {"x0": 1, "type": "T0"})
    assert len(tally.unread) == len(tally.codes) == 3
    assert tally.more == 12
    assert tally.unread["x0"] == Seen("9", 2, 1, 10)


FURTHER = RULES.replace(
    "codes:",
    """\
further:
  answer:
    to: Interaction
    from: answers[]
    key: no
    rules:
      id: no
      kind: type | code kind
      when bad: {agent: agent}
codes:""",
)


def test_further_documents_are_counted_by_name_and_what_they_read_is_read() -> None:
    answers = [{"no": 1, "type": "C", "x": 1}, {"no": 2, "type": "Z"}, {"no": 3, "agent": "a"}]
    tally = _tally({"answers": answers}, {"answers": []}, mapping=load(FURTHER, "test.yaml"))
    (inner,) = tally.further.values()
    assert (tally.documents, inner.documents) == (2, 3)
    assert list(tally.unread) == ["answers.x"]
    assert inner.unread == {}
    assert (list(tally.codes), list(inner.codes)) == ([], [("kind", "Z")])
    assert _share(inner, "kind") == Share("kind", required=True, filled=2, of=3)
    assert [each.rule for each in inner.idle] == ["when bad: {agent: agent}"]


def test_a_further_document_that_cannot_be_named_fails_its_message() -> None:
    tally = _tally({"answers": [{"type": "C"}]}, mapping=load(FURTHER, "test.yaml"))
    assert [seen.messages for seen in tally.failed.values()] == [1]
    assert "answers.no" not in tally.unread
