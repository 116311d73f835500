"""A held message edited in a form: seen, looked at with what would come of it, and released."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import edit, journal
from hub.console import lines
from hub.demo import poslog_writer
from tests.hub.console.conftest import BROKEN, visible

if TYPE_CHECKING:
    import httpx2

    from tests.hub.api.conftest import Serving
    from tests.hub.console.conftest import Visitor

HELD = 2
REASON = "the total was cut"


def _text(answer: httpx2.Response) -> str:
    """What stands in the text area, as a browser has it."""
    found = re.search(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', answer.text, re.DOTALL)
    assert found is not None, visible(answer)
    return unescape(found[1])


def _field(answer: httpx2.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.text)
    assert found is not None
    return unescape(found[1])


def _payload(full: Serving, number: int = HELD) -> bytes:
    with full.app.state.served.readers.begin() as connection:
        stored = journal.entry(connection, number)
    assert stored is not None
    return stored.payload


@pytest.fixture
def whole(full: Serving) -> str:
    """The held sale as it should have been."""
    return poslog_writer.transaction(BROKEN).decode()


def _begun(visitor: Visitor) -> tuple[httpx2.Response, dict[str, Any]]:
    shown = visitor.post(f"/holds/{HELD}/edit", reason=REASON)
    assert shown.status_code == 200, visible(shown)
    return shown, {"reason": REASON, "instead_of": _field(shown, "instead_of")}


def test_what_is_held_is_seen_for_a_reason_only(full: Serving, visitor: Visitor) -> None:
    page = visitor.get(f"/messages/{HELD}")
    assert f'action="/console/holds/{HELD}/edit"' in page.text
    for form in ("edit", "preview", "release"):
        assert visitor.post(f"/holds/{HELD}/{form}", text="x").status_code == 400
    assert full.audited() == []
    shown, _ = _begun(visitor)
    assert _text(shown).encode() == _payload(full)
    [(actor, act, subject, detail)] = full.audited()
    assert (act, subject, detail) == ("reveal", f"message {HELD}", {"reason": REASON})
    assert actor.endswith("console, anna")
    assert "Edit what it says" not in visitor.get("/messages/1").text


def test_an_edit_is_looked_at_then_released_as_the_command_does(
    full: Serving, visitor: Visitor, whole: str
) -> None:
    _, form = _begun(visitor)
    before = _payload(full)
    # As a browser sends it.
    typed = whole.replace("\n", "\r\n")
    looked = visitor.post(f"/holds/{HELD}/preview", **form, text=typed)
    said = visible(looked)
    assert "What would come of it applied" in said, said
    assert 'class="plus"' in looked.text
    assert "Transaction poslog:" in said
    assert (full.settled()["held"], _payload(full)) == (1, before)
    assert len(full.audited()) == 2
    done = visitor.post(f"/holds/{HELD}/release", **form, text=typed)
    assert "1 message settled" in visible(done)
    assert full.settled() == {"applied": 6}
    assert _payload(full) == whole.encode()
    [(_, _, subject, detail)] = full.audited("hold.edit")
    assert (subject, detail and detail["reason"]) == (f"message {HELD}", REASON)


def test_an_edit_that_fails_says_why_before_it_is_kept(full: Serving, visitor: Visitor) -> None:
    _, form = _begun(visitor)
    text = _payload(full).decode().replace("</", "<!-- x --></", 1)
    said = visible(visitor.post(f"/holds/{HELD}/preview", **form, text=text))
    assert "What would come of it held LP-MAP-102" in said
    assert "It would be held again" in said
    for wrong, code in ((_payload(full).decode(), "LP-HUB-024"), ("", "LP-HUB-023")):
        answer = visitor.post(f"/holds/{HELD}/preview", **form, text=wrong)
        assert (answer.status_code, code in visible(answer)) == (409, True)
        assert _text(answer) == wrong
    assert full.audited("hold.edit") == []


def test_who_was_slower_keeps_what_they_typed(full: Serving, visitor: Visitor, whole: str) -> None:
    _, form = _begun(visitor)
    other = whole.replace("\n", "\n\n", 1).encode()
    again = _payload(full) + b" "
    hub = full.hub
    full.writer.alone(lambda: edit.edit(hub, HELD, again, actor="ben", reason="x")).result()
    for act in ("preview", "release"):
        answer = visitor.post(f"/holds/{HELD}/{act}", **form, text=whole)
        assert (answer.status_code, "LP-HUB-028" in visible(answer)) == (409, True)
        assert "Description" in visible(answer)
    full.writer.alone(lambda: edit.edit(hub, HELD, other, actor="ben", reason="x")).result()
    answer = visitor.post(f"/holds/{HELD}/release", **form, text=whole)
    said = visible(answer)
    assert (answer.status_code, "LP-HUB-006" in said) == (409, True)
    assert "Somebody else was faster" in said
    assert f"What became of it meanwhile: message {HELD}" in said
    assert "Description" in said
    assert len(full.audited("hold.edit")) == 2


def test_what_is_no_text_is_edited_as_a_file(full: Serving, visitor: Visitor) -> None:
    hub = full.hub
    for content in (b"\xff\xfe", b"a\0b", b"x" * 70_000):
        work = lambda: edit.edit(hub, HELD, content, actor="ben", reason="x")  # noqa: B023, E731
        full.writer.alone(work).result()
        shown = visitor.post(f"/holds/{HELD}/edit", reason=REASON)
        assert "It cannot be edited here." in visible(shown)
        assert "<textarea" not in shown.text
        answer = visitor.post(f"/holds/{HELD}/preview", reason=REASON, text="x")
        assert (answer.status_code, "LP-WEB-004" in visible(answer)) == (400, True)


TEXTS = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "b", " c", "\ufeff"]), st.sampled_from(["\r\n", "\r", "\n"])
    )
).map(lambda pairs: "".join(f"{line}{end}" for line, end in pairs))


@given(before=TEXTS)
def test_a_form_gives_back_what_was_not_touched(before: str) -> None:
    typed = re.sub("\r\n|\r|\n", "\r\n", before)
    assert lines.restored(typed, before) == before


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("a\nb", "a\r\nx\r\nb", "a\nx\nb"),
        ("a\r\nb\r\n", "a\r\nx\r\nb\r\n", "a\r\nx\r\nb\r\n"),
        ("a\rb\nc\r\nd\n", "a\nx\nb\nc\nd\n", "a\rx\nb\nc\r\nd\n"),
        ("", "x\r\ny", "x\ny"),
    ],
)
def test_what_was_typed_gets_the_line_breaks_of_the_text(
    before: str, after: str, kept: str
) -> None:
    assert lines.restored(after, before) == kept


def test_of_a_long_line_only_what_differs_is_shown() -> None:
    before = '{"a": 1, ' + ", ".join(f'"k{n}": {n}' for n in range(100)) + "}"
    found = lines.changed(before, before.replace('"k50": 50', '"k50": 51'))
    assert [line for line in found if line[0] in "+-"] == ['- "k50": 50,', '+ "k50": 51,']
    assert len(found) == 7
