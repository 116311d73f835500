"""What browsers load: ours or known to the byte, from nowhere else, and in colours to be read."""

from __future__ import annotations

import hashlib
import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from hub.console.page import ASSETS, HEADERS

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving
    from tests.hub.console.conftest import Visitor

OURS = {"console.css", "console.js", "mark.svg", "manifest.toml"}
TEMPLATES = ASSETS.parent / "templates"
STYLE = (ASSETS / "console.css").read_text("utf-8")
TEXT_RATIO = 4.5
SIGN_RATIO = 3.0
# What is written or drawn on what. Signs are shapes and edges beside a word.
READ = [
    *((ink, ground) for ink in ("ink", "faint", "accent") for ground in ("page", "card", "tint")),
    *((ink, "card") for ink in ("good", "held", "bad", "open")),
    *((ink, "page") for ink in ("good", "held", "open")),
    ("on-accent", "accent"),
    ("card", "bad"),
    *((ink, ground) for ink in ("ink", "accent") for ground in ("held-tint", "accent-tint")),
    ("faint", "held-tint"),
    ("faint", "accent-tint"),
    ("held", "held-tint"),
]


def test_each_file_of_others_is_the_one_that_is_named() -> None:
    listed = tomllib.loads((ASSETS / "manifest.toml").read_text("utf-8"))["asset"]
    known = set(OURS)
    for each in listed:
        content = (ASSETS / each["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == each["sha256"]
        assert each["version"] in each["file"]
        assert (ASSETS / each["licence_file"]).read_text("utf-8").strip()
        known |= {each["file"], each["licence_file"]}
    assert {file.name for file in ASSETS.iterdir()} == known


@pytest.mark.parametrize("file", sorted(TEMPLATES.glob("*.html")), ids=lambda file: file.name)
def test_no_template_brings_script_style_or_another_host(file: object) -> None:
    text = file.read_text("utf-8")  # type: ignore[attr-defined]
    assert not re.search(r"https?://|//[a-z]+\.|javascript:", text)
    assert not re.search(r"""\s(style|on[a-z]+)\s*=\s*["']""", text)
    assert not re.search(r"<style|<script(?! src=\"{{ asset)", text)
    assert "| safe" not in text
    assert "autoescape" not in text


def test_no_script_or_style_of_ours_names_another_host() -> None:
    for name in ("console.css", "console.js"):
        assert not re.search(r"https?:|@import|url\(", (ASSETS / name).read_text("utf-8"))


def _palette(block: str) -> dict[str, tuple[float, float, float]]:
    found = re.findall(r"--([a-z-]+): #([0-9a-f]{6});", block)
    return {name: tuple(int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)) for name, code in found}  # type: ignore[misc]


def _palettes() -> dict[str, dict[str, tuple[float, float, float]]]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, flags=re.DOTALL)
    return {"light": _palette(light), "dark": {**_palette(light), **_palette(dark)}}


def _luminance(colour: tuple[float, float, float]) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_wcag_has_it() -> None:
    assert _contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert _contrast((1, 1, 1), (118 / 255,) * 3) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_can_be_read(scheme: str) -> None:
    palette = _palettes()[scheme]
    found = {pair: _contrast(palette[pair[0]], palette[pair[1]]) for pair in READ}
    assert {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < TEXT_RATIO} == {}
    edges = {pair: _contrast(palette["faint"], palette[pair]) for pair in ("page", "card")}
    assert min(edges.values()) >= SIGN_RATIO


def test_every_colour_is_there_in_both_schemes() -> None:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, flags=re.DOTALL)
    assert set(_palette(light)) == set(_palette(dark))
    # And no colour is used but through its name.
    rest = STYLE.replace(light, "").replace(dark, "")
    assert re.findall(r"#[0-9a-f]{3,8}\b(?!-)", rest) == []


def test_an_asset_is_kept_for_long_under_an_address_of_its_content(visitor: Visitor) -> None:
    for address in re.findall(r'(?:src|href)="(/console/assets/[^"]+)"', visitor.get("").text):
        name, _, version = address.rpartition("/")[2].partition("?v=")
        assert hashlib.sha256((ASSETS / name).read_bytes()).hexdigest().startswith(version)
        answer = visitor.client.get(address)
        assert answer.content == (ASSETS / name).read_bytes()
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["none", "manifest.toml", "%2E%2E%2Fpage.py", "console.css%00"])
def test_nothing_else_is_an_asset(serving: Serving, name: str) -> None:
    assert serving.call(None, "GET", f"/console/assets/{name}").status_code == 404


def test_the_policy_lets_a_page_do_nothing_else() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert {"frame-ancestors 'none'", "base-uri 'none'"} <= set(policy.split("; "))
