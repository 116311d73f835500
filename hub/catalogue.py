"""The catalogue of causes: every code, what it means and what to do, as a page.

``python -m hub.catalogue`` writes ``docs/errors.md``; with ``--check`` it compares and writes
nothing. A code keeps its meaning for ever, so the page is where an operator looks it up.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from schemas.problem import Cause

__all__ = ["causes", "page"]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "errors.md"
_PACKAGES = ("schemas", "mappings", "connectors", "hub", "store_agent")
_AREAS = {
    "LP-DOOR": "At the door: the record was refused and nothing of it was kept",
    "LP-SIG": "Signatures: the sender was turned away",
    "LP-DOC": "Documents: the message is held",
    "LP-JSON": "JSON documents: the message is held",
    "LP-XML": "XML documents: the message is held",
    "LP-LAY": "Layouts, and files and messages that do not fit theirs",
    "LP-MAP": "Mappings",
    "LP-PLAN": "Plans: nothing was published",
    "LP-PUB": "Publishing mappings: what was in force stays in force",
    "LP-CHK": "Checks: the document was accepted and flagged",
    "LP-TIME": "Clocks: the document was accepted and flagged",
    "LP-API": "The HTTP side of the hub: nothing was done or kept",
    "LP-KEY": "Keys: who may call",
    "LP-WEB": "The console: nothing was shown or done",
    "LP-PEOPLE": "People and lists: nothing was shown",
    "LP-STORE": "What store agents ship",
    "LP-AGENT": "Store agents",
    "LP-CLI": "The command line beside a hub that runs",
    "LP-HUB": "The hub",
    "LP-DB": "The database, its backups and what a restore leaves to do",
    "LP-POLL": "Polls: nothing is lost, it is read again",
    "LP-JOB": "Jobs and replays by query",
    "LP-OUT": "Deliveries: nothing was done",
    "LP-CFG": "Configuration: Lynchpin does not act until it is mended",
}


def causes() -> dict[str, Cause]:
    """Every cause that a module of ours declares, by code.

    Raises ``ValueError`` if two different causes share a code.
    """
    found: dict[str, Cause] = {}
    for package in _PACKAGES:
        path = list(import_module(package).__path__)
        for module in walk_packages(path, f"{package}."):
            if ".migrations" in module.name or module.name.endswith("__main__"):
                continue
            for value in vars(import_module(module.name)).values():
                if isinstance(value, Cause) and found.setdefault(value.code, value) != value:
                    raise ValueError(f"two causes share the code {value.code}")
    return found


def page() -> str:
    """The page as Markdown, by area and code."""
    lines = [
        "# Codes",
        "",
        "Every problem that Lynchpin reports carries one of these codes. They never change their",
        "meaning. This page is written by `make generate`.",
    ]
    known = causes()
    for area, title in _AREAS.items():
        mine = sorted(code for code in known if code.rpartition("-")[0] == area)
        if mine:
            lines += [
                "",
                f"## {title}",
                "",
                "| code | what happened | what to do |",
                "|---|---|---|",
            ]
            lines += [f"| {c} | {known[c].summary} | {known[c].next_step} |" for c in mine]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or with ``--check`` say whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    if not parser.parse_args().check:
        PAGE.write_text(page(), "utf-8")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != page():
        sys.stderr.write("docs/errors.md is not what the code says; run `make generate`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
