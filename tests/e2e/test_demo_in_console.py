"""The demo's acts, played by a visitor and seen in the console that its link opens."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import WIDTHS, Console, assert_whole, keep, signed_in
from tests.e2e.demo import Demo, waiting
from tests.e2e.store import wait_until

CUT, WHOLE = "9001", "0043"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for all visitors: whoever comes does not know who was there before."""
    with waiting(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="module")
def console(demo: Demo, browser: Browser) -> Console:
    """The console of a demo that waits, opened by the link that it printed."""
    return signed_in(browser, demo.link())


@pytest.fixture
def _mended_in_any_case(demo: Demo) -> Iterator[None]:
    """So that a test that fails under way leaves the others a demo that works."""
    yield
    demo.lynchpin("demo", "mend", CUT)


def _visit(demo: Demo, *args: str) -> str:
    """What a visitor is told at a second terminal."""
    done = demo.lynchpin("demo", *args)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _fact(told: str) -> str:
    """The fact that a visitor is told."""
    found = re.search(r"^  ([a-z]+:\S+)$", told, re.MULTILINE)
    assert found is not None, told
    return found[1]


def _held(demo: Demo) -> tuple[int, str]:
    """The message that waits for a person, and the fact that it is about."""
    (row,) = json.loads(demo.lynchpin("hold", "list", "--json").stdout)
    return row["message_id"], row["problem"]["path"]


def _look(console: Console, path: str, *words: str) -> None:
    """See a page with these words on it at both widths."""
    for size, width in WIDTHS.items():
        with console.page(width) as page:
            console.go(page, path)
            assert_whole(page, f"{path} at {size}")
            for each in words:
                expect(page.locator("main")).to_contain_text(each)


def _whole_at_both(page: Page, said: str) -> None:
    """The same for what a form answered, which has no address."""
    for size, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 860})
        assert_whole(page, f"{said} at {size}")


def _find(page: Page, text: str) -> None:
    page.fill("#q", text)
    page.keyboard.press("Enter")


def _store(page: Page, number: str) -> str:
    """What the page of the stores says of the agent of one, without line breaks."""
    row = page.get_by_role("row").filter(has_text=f"store-{number}.poslog")
    return re.sub(r"\s+", " ", row.inner_text())


def _until(console: Console, page: Page, so: Callable[[Page], bool], what: str) -> None:
    """Open the page of the stores again until it is so."""

    def look() -> bool:
        console.go(page, "/stores")
        return so(page)

    wait_until(look, what)


def _is_silent(page: Page) -> bool:
    return "not heard of" in _store(page, CUT) and "up to date" in _store(page, WHOLE)


def _is_drained(page: Page) -> bool:
    return "up to date" in _store(page, CUT)


def _records(page: Page) -> int:
    """How many records of the store that is cut are here."""
    row = page.get_by_role("row").filter(has_text=f"store-{CUT}.poslog")
    return int(row.locator("[data-is=here]").inner_text())


def test_a_sale_that_was_just_rung_up_is_found_as_a_receipt(demo: Demo, console: Console) -> None:
    told = _visit(demo, "sale", CUT)
    total = told.removeprefix("Rung up: ").partition(" ")[0]
    with console.page() as page:
        console.go(page, "")
        _find(page, _fact(told))
        expect(page.locator("h1")).to_contain_text("Receipt")
        expect(page.locator(".big")).to_contain_text(total)
        page.locator(".big a.value").click()
        expect(page.locator("#origin")).to_contain_text("message ")
        _whole_at_both(page, "a receipt and an origin")
    _look(console, f"/documents/{_fact(told)}", total)
    _look(console, f"/origins/{_fact(told)}?at=total", total)


def test_an_order_is_found_by_its_number(demo: Demo, console: Console) -> None:
    told = _visit(demo, "order")
    number = told.removeprefix("Ordered: ").partition(",")[0]
    with console.page() as page:
        console.go(page, "")
        _find(page, number)
        expect(page.locator("h1")).to_contain_text(f"Order {number}")
        _whole_at_both(page, "an order that was looked for")
    _look(console, f"/documents/{_fact(told)}", number)
    _look(console, "/messages", "shopify", "twilio", "events")


def test_the_held_message_is_compared_and_released_and_counts(demo: Demo, console: Console) -> None:
    number, fact = _held(demo)
    _look(console, "", "1 held", "LP-HUB-020")
    _look(console, "/holds", "LP-HUB-020", fact)
    _look(console, f"/messages/{number}", "LP-HUB-020", fact)
    with console.page(WIDTHS["phone"]) as page:
        console.go(page, "")
        page.get_by_role("link", name="1 held waits for a person").click()
        page.get_by_role("link", name=str(number), exact=True).click()
        page.get_by_role("link", name="what stands now").click()
        expect(page).to_have_url(re.compile(re.escape(fact)))
        stood = page.locator(".big").inner_text()
        page.go_back()
        reveal = page.locator("details", has_text="Reveal what stands in it")
        reveal.locator("summary").click()
        reveal.get_by_label("Why it must be seen").fill("which of the two holds?")
        reveal.get_by_role("button", name="Reveal").click()
        expect(page.get_by_role("heading", name="As received")).to_be_visible()
        _whole_at_both(page, "what is held, revealed")
        page.get_by_role("button", name="Release…").click()
        page.get_by_label("Replace: let it stand").check()
        _whole_at_both(page, "what a release does")
        page.get_by_role("button", name="Release 1 message").click()
        expect(page.locator(".done")).to_contain_text("1 message settled")
        expect(page.locator(".done")).to_contain_text("applied")
        _whole_at_both(page, "what a release did")
        page.get_by_role("link", name=f"message {number}").click()
        expect(page.locator("#changed + .links")).to_contain_text(fact)
        console.go(page, f"/documents/{fact}")
        assert page.locator(".big").inner_text() != stood
    _look(console, "", "0 held")
    _look(console, "/holds", "Nothing is held.")
    _look(console, f"/messages/{number}", "applied")


def test_the_caller_is_found_by_number_with_the_call_in_their_story(
    demo: Demo, console: Console
) -> None:
    told = _visit(demo, "call")
    phone = told.removeprefix("Calling: ").partition(" (")[0]
    call = _fact(told)
    with console.page() as page:
        console.go(page, "")
        page.keyboard.press("/")
        page.keyboard.type(phone)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Story")).to_be_visible()
        expect(page.locator(f".phone a[href$='{call}']")).to_be_visible()
        assert phone[-4:] not in page.inner_text("main")
        person = page.url.partition("/console")[2]
        page.locator(f".phone a[href$='{call}']").click()
        expect(page).to_have_url(re.compile(re.escape(call)))
    _look(console, person, "Story", "ringing")
    _look(console, f"/documents/{call}", "ringing")


@pytest.mark.usefixtures("_mended_in_any_case")
def test_a_store_whose_link_is_cut_is_silent_and_afterwards_drained(
    demo: Demo, console: Console
) -> None:
    with console.page() as page:
        _until(console, page, _is_drained, "the store is not up to date")
        before = _records(page)
        _visit(demo, "break", CUT)
        _until(console, page, _is_silent, "the cut store is not said to be silent")
        told = _visit(demo, "sale", CUT)
        assert "waits in the store" in told
        assert "at the hub" in _visit(demo, "sale", WHOLE)
        _until(console, page, _is_silent, "the cut store is no longer said to be silent")
        assert (_records(page), "not known" in _store(page, CUT)) == (before, True)
        expect(page.locator(".notice")).to_contain_text("A store is silent.")
        # It has sent nothing after what it holds back, so not even a number is missing.
        expect(page.locator("main")).to_contain_text("No number is missing.")
        keep(page, "stores-desk-light")
        _find(page, _fact(told))
        expect(page.locator("main")).to_contain_text("Nothing goes by exactly this.")
        _whole_at_both(page, "nothing found")
    with console.page(WIDTHS["phone"], color_scheme="dark") as page:
        console.go(page, "/stores")
        keep(page, "stores-phone-dark")
    _look(console, "/stores", "not heard of", "not known")
    _look(console, "", "1 capture behind", f"store-{CUT}.poslog is silent")
    assert " have arrived" in _visit(demo, "mend", CUT)
    with console.page() as page:
        _until(console, page, _is_drained, "the store has not drained")
        assert _records(page) == before + 1
        expect(page.locator(".notice")).to_have_count(0)
        _find(page, _fact(told))
        expect(page.locator("h1")).to_contain_text("Receipt")
    _look(console, "/stores", "up to date")
    _look(console, "", "0 captures behind")
