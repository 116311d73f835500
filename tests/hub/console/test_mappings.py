"""The pages of mappings: what is in force, the log, a text by its lines, and what changed."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import pytest

from hub import library, publication
from hub.publication import Target
from mappings.spec import version_of
from tests.hub.console.conftest import visible

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving
    from tests.hub.console.conftest import Visitor

RETAIL = Target("poslog", "retail")
SHIPPED, _ = library.shipped_text("poslog", "retail")
PLACE = "/mappings/poslog/retail"
EVIL = "<script>alert(1)</script>"


def published(serving: Serving, text: str) -> str:
    work = partial(
        publication.publish,
        target=RETAIL,
        text=text,
        file="ours.yaml",
        actor="anna",
        now=serving.hub.now(),
    )
    return serving.writer.submit(work).result().hash


def ours() -> str:
    text = SHIPPED.replace("  store:                    RetailStoreID", "  store:  StoreID", 1)
    assert text != SHIPPED
    return f"{text}# {EVIL}\n"


def test_the_list_says_whose_each_one_is(serving: Serving, visitor: Visitor) -> None:
    version = published(serving, ours())
    said = visible(visitor.get("/mappings"))
    assert re.search(rf"poslog\.retail yours {version} .* anna", said)
    assert re.search(r"poslog\.control shipped", said)


def test_the_list_says_where_another_one_is_shipped_by_now(
    serving: Serving, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(serving, ours())
    assert "ships another one by now" not in visible(visitor.get("/mappings"))
    newer = library.shipped("poslog", "control")
    shipped = library.shipped
    # As if Lynchpin had been updated: its texts lie in the package and cannot be changed here.
    monkeypatch.setattr(library, "shipped", lambda c, k: newer if k == "retail" else shipped(c, k))
    assert "ships another one by now" in visible(visitor.get("/mappings"))


def test_a_text_is_shown_line_by_line_and_nothing_of_it_is_markup(
    serving: Serving, visitor: Visitor
) -> None:
    version = published(serving, ours())
    page = visitor.get(PLACE)
    lines = re.findall(r'<li id="L(\d+)">(.*?)</li>', page.text, re.DOTALL)
    assert [int(number) for number, _ in lines] == list(range(1, len(ours().splitlines()) + 1))
    assert EVIL not in page.text
    assert lines[-1][1] == "# &lt;script&gt;alert(1)&lt;/script&gt;"
    assert f"Text of {version} ours.yaml" in visible(page)
    earlier = visitor.get(f"{PLACE}?version={version_of(SHIPPED)}")
    assert f"Text of {version_of(SHIPPED)}" in visible(earlier)


def test_the_log_leads_to_what_each_version_changed(serving: Serving, visitor: Visitor) -> None:
    version = published(serving, ours())
    page = visitor.get(PLACE)
    (link,) = re.findall(r'href="/console([^"]+against=[^"]+)#text"', page.text)
    changed = visitor.get(link.replace("&amp;", "&"))
    said = visible(changed)
    assert f"What {version} changed against {version_of(SHIPPED)}" in said
    assert "store changed store: RetailStoreID store: StoreID" in said
    assert EVIL not in changed.text
    for kind in ("plus", "minus"):
        assert f'<li class="{kind}">' in changed.text


def test_two_versions_that_differ_in_nothing_say_so(visitor: Visitor) -> None:
    said = visible(visitor.get(f"{PLACE}?version=shipped&against=shipped"))
    assert "No target differs." in said


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/mappings/poslog/nothing", "LP-PUB-003"),
        ("/mappings/nothing/retail", "LP-PUB-003"),
        (f"{PLACE}?version=ffffffff", "LP-PUB-002"),
        (f"{PLACE}?version=shipped&against=ffffffff", "LP-PUB-002"),
    ],
)
def test_what_there_is_not_is_told(visitor: Visitor, path: str, code: str) -> None:
    page = visitor.get(path)
    assert page.status_code == 404
    assert code in page.text


def test_a_version_that_cannot_be_read_any_more_is_still_shown(
    serving: Serving, visitor: Visitor
) -> None:
    version = published(serving, f"{SHIPPED}nonsense: 1\n")
    assert "nonsense: 1" in visible(visitor.get(PLACE))
    said = visible(visitor.get(f"{PLACE}?version={version}&against=shipped"))
    assert "LP-MAP-003" in said
