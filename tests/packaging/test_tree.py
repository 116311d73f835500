"""What holds for every file of the project: a newcomer can read it, and it names no machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Spelt so that no pattern matches the line it stands on.
FORBIDDEN = {
    "a package registry's host": (
        r"pypi[.]or[g]|pythonhoste[d][.]|registry[.](npmj[s]|yarnpk[g])|repo1[.]mave[n]"
    ),
    "a path of one machine": r"(?<![\w.~-])/(hom[e]|User[s]|roo[t]|wor[k])/\w",
    "an option that fetches from elsewhere": (
        r"--(extra-)?index-ur[l]|--find-link[s]|--trusted-hos[t]"
    ),
}


def _files() -> list[Path]:
    """Every file that is, or would be, checked in."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The project's text files by name; a file that is no UTF-8 is a sample and speaks of none."""
    found = {}
    for path in _files():
        try:
            found[path.relative_to(ROOT).as_posix()] = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
    assert "pyproject.toml" in found
    return found


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str, texts: dict[str, str]) -> None:
    pattern = re.compile(FORBIDDEN[what], re.IGNORECASE)
    named = {name: match[0] for name, text in texts.items() if (match := pattern.search(text))}
    assert named == {}


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a package registry's host", "https://" + "pypi" + ".org/simple"),
        ("a package registry's host", "files." + "pythonhosted" + ".org"),
        ("a path of one machine", "see /" + "home/anna/lynchpin"),
        ("a path of one machine", "'/" + "work/x'"),
        ("an option that fetches from elsewhere", "--extra-" + "index-url x"),
    ],
)
def test_the_search_finds(what: str, text: str) -> None:
    assert re.search(FORBIDDEN[what], text)


def test_modules_are_short_and_lines_readable(texts: dict[str, str]) -> None:
    lengths = {name: text.count("\n") for name, text in texts.items() if name.endswith(".py")}
    assert len(lengths) > len(FORBIDDEN)
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def test_no_module_is_a_drawer_for_odds_and_ends(texts: dict[str, str]) -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
    assert [
        name for name in texts if Path(name).suffix == ".py" and Path(name).stem in drawers
    ] == []


def test_every_locked_requirement_is_pinned_and_hashed(texts: dict[str, str]) -> None:
    for lock in ("requirements/runtime.txt", "requirements/dev.txt"):
        requirements = re.split(
            r"\n(?=[a-z0-9])", re.sub(r"^ *#.*\n", "", texts[lock], flags=re.MULTILINE)
        )
        assert len(requirements) > 10
        for each in requirements:
            assert re.match(r"[a-z0-9-]+==\S+( ;[^\\]+)? \\\n +--hash=sha256:[0-9a-f]{64}", each), (
                each
            )


def test_the_two_locks_agree(texts: dict[str, str]) -> None:
    runtime, dev = (
        dict(re.findall(r"^([a-z0-9-]+)==(\S+)", texts[f"requirements/{name}.txt"], re.MULTILINE))
        for name in ("runtime", "dev")
    )
    assert runtime.items() <= dev.items()


def test_the_readme_is_read_in_five_minutes(texts: dict[str, str]) -> None:
    assert texts["README.md"].count("\n") < 150


def test_what_the_readme_says_to_type_exists(texts: dict[str, str]) -> None:
    typed = set(re.findall(r"^make (\w+)", texts["README.md"], re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", texts["Makefile"], re.MULTILINE))
    assert {"demo", "test", "check"} <= typed <= targets


def test_no_page_leads_to_a_file_that_is_missing(texts: dict[str, str]) -> None:
    for page in (name for name in texts if name.endswith(".md")):
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", texts[page]):
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page} leads to {target}"


def test_decisions_are_one_page_each_and_numbered_without_a_gap() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text("utf-8")
        assert re.findall(r"^## (\w+)", text, re.MULTILINE) == [
            "Context",
            "Choice",
            "Consequence",
        ], page
        assert text.count("\n") <= 60, page
