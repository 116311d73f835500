"""The console in a real browser: who is signed in, and what a program can tell of a page.

``SCREENS=1`` writes ``docs/screens``; look at them before they are checked in.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

__all__ = ["WIDTHS", "Console", "assert_whole", "keep", "signed_in", "started"]

SCREENS = Path(__file__).resolve().parents[2] / "docs" / "screens"
SCREEN_BYTES_MAX = 150_000
WIDTHS = {"desk": 1280, "phone": 390}
_HEIGHT = 860

# What a program can tell of whether a page can be used without seeing it.
ACCESSIBLE = """() => {
  const wrong = [];
  const seen = (e) => e.checkVisibility({visibilityProperty: true});
  const heads = [...document.querySelectorAll("h1,h2,h3,h4")].filter(seen);
  const levels = heads.map((h) => Number(h.tagName[1]));
  if (levels.filter((l) => l === 1).length !== 1 || levels[0] !== 1) wrong.push("h1 " + levels);
  levels.forEach((l, i) => { if (i && l > levels[i - 1] + 1) wrong.push("skips to h" + l); });
  for (const mark of ["header", "nav[aria-label]", "main", "form[role=search]"])
    if (document.querySelectorAll(mark).length !== 1 && mark !== "header") wrong.push(mark);
  if (document.querySelector("a").getAttribute("href") !== "#main") wrong.push("skip link");
  for (const e of document.querySelectorAll("input:not([type=hidden]), select"))
    if (!e.labels?.length && !e.ariaLabel) wrong.push("no label: " + e.outerHTML);
  for (const e of document.querySelectorAll("button, a[href], summary"))
    if (!(e.textContent.trim() || e.ariaLabel)) wrong.push("no name: " + e.outerHTML);
  for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) wrong.push("alt");
  for (const e of document.querySelectorAll("[aria-labelledby]"))
    if (!document.getElementById(e.getAttribute("aria-labelledby"))) wrong.push("labelledby");
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  if (new Set(ids).size !== ids.length) wrong.push("an id twice");
  for (const e of document.querySelectorAll("table:not(.lines, .pairs) tbody tr"))
    if (e.querySelectorAll("td.n").length > 1 && e.querySelector("td.n:not([data-is])"))
      wrong.push("a number that says nothing on a phone: " + e.textContent);
  for (const e of document.querySelectorAll("thead th"))
    if (e.scope !== "col") wrong.push("th without scope");
  return wrong;
}"""


@dataclass
class Console:
    """The console of a hub at ``url``, with a browser that anybody may sign in with."""

    url: str
    browser: Browser
    state: dict[str, object]

    @contextmanager
    def page(self, width: int = WIDTHS["desk"], **options: object) -> Iterator[Page]:
        """A page of somebody who is signed in; it fails for whatever a browser complains of."""
        context: BrowserContext = self.browser.new_context(
            storage_state=self.state,  # type: ignore[arg-type]
            viewport={"width": width, "height": _HEIGHT},
            locale="en-GB",
            timezone_id="Europe/Vienna",
            **options,  # type: ignore[arg-type]
        )
        complaints: list[str] = []
        hosts: set[str] = set()
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        yield page
        context.close()
        assert complaints == []
        assert hosts == {urlsplit(self.url).netloc}

    def go(self, page: Page, path: str) -> None:
        """Open a page by its path below the console."""
        page.goto(f"{self.url}/console{path}")


def signed_in(browser: Browser, link: str) -> Console:
    """Follow the link that opens the console once."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    page.wait_for_url("**/console")
    state = context.storage_state()
    context.close()
    return Console(link.partition("/console/")[0], browser, dict(state))


@contextmanager
def started() -> Iterator[Browser]:
    """A browser; skips where this machine has none."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def assert_whole(page: Page, said: str) -> None:
    """The page is there, is no wider than the window, and can be used without seeing it."""
    expect(page.locator("h1")).to_be_visible()
    view = page.viewport_size
    assert view is not None
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= view["width"], f"{said} is {wide} wide"
    assert page.evaluate(ACCESSIBLE) == [], said


def keep(page: Page, name: str) -> None:
    """Write a screen of the documentation, where that is asked for."""
    if not os.environ.get("SCREENS"):
        return
    SCREENS.mkdir(exist_ok=True)
    file = SCREENS / f"{name}.png"
    page.screenshot(path=file)
    assert file.stat().st_size <= SCREEN_BYTES_MAX, name
