"""``docs/figures.md``, rendered from the results."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterable, Iterator

import lxml.etree
import pydantic

from bench.figure import Figure
from faults.results import Result, table

__all__ = ["machine", "render"]

_HEAD = """\
# Figures

`make bench` measures these, writes `bench/results.json` and renders this page from it; \
`make bench ONLY=map` runs one group. Times are processor time, the median of runs that take \
turns, with the quartiles behind it; ratios are taken within one run. So a busy machine moves the \
times, and hardly the ratios. What is waited for, and what is done in a second, is by the clock. \
A promise is a figure that must hold before a change is merged; the \
others are watched. `make faults` measures what is lost, doubled or out of order while hubs are \
harmed again and again, so many times.
"""

_TITLES = {
    "map": "The mapping language",
    "parse": "Reading a sale",
    "hub": "From file to applied",
    "http": "The doors",
    "search": "Finding people",
    "start": "Start-up",
    "agent": "The store agent",
    "faults": "Under faults",
}


def machine() -> str:
    """The machine in words, without its name."""
    versions = {
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "libxml2": ".".join(map(str, lxml.etree.LIBXML_VERSION)),
        "pydantic": pydantic.VERSION,
    }
    software = ", ".join(f"{name} {version}" for name, version in versions.items())
    cores = os.cpu_count() or 1
    return f"{cores} cores, {platform.machine()}, {platform.system()}, {software}"


def render(figures: Iterable[Figure], faults: Iterable[Result] = ()) -> str:
    """The page; ``faults`` are what the figures of faults sum up."""
    known = sorted(figures, key=lambda figure: figure.id)
    parts = [_HEAD, f"Measured on: {machine()}.\n"]
    for group, title in _TITLES.items():
        members = [figure for figure in known if figure.group == group]
        if members:
            parts += [f"## {title}\n", "\n".join(_table(members)) + "\n"]
            parts += [_profile(figure) for figure in members if _is_profile(figure)]
    if found := list(faults):
        parts.append("\n".join(table(found)) + "\n")
    return "\n".join(parts)


def _is_profile(figure: Figure) -> bool:
    return figure.id.startswith("hub.sale_us.")


def _table(figures: list[Figure]) -> Iterator[str]:
    yield "| id | what | figure | quartiles | promise | beside |"
    yield "|---|---|---|---|---|---|"
    for figure in figures:
        low, high = figure.spread
        beside = {} if _is_profile(figure) else figure.beside
        cells = (
            f"`{figure.id}`",
            figure.what,
            f"**{_number(figure.value)}** {_unit(figure)}".strip(),
            f"{_number(low)} to {_number(high)}",
            _promise(figure),
            "; ".join(f"{name}: {_number(value)}" for name, value in beside.items()),
        )
        yield f"| {' | '.join(cells)} |"


def _unit(figure: Figure) -> str:
    return "" if figure.unit == "ratio" else figure.unit


def _promise(figure: Figure) -> str:
    if figure.floor is None:
        return ""
    words = {"most": "at most", "least": "at least"}
    kept = "" if figure.holds else ", **broken**"
    return f"{words[figure.side]} {_number(figure.floor)}{kept}"


def _profile(figure: Figure) -> str:
    rows = [
        f"| {name} | {_number(value)} | {value / figure.value:.0%} |"
        for name, value in figure.beside.items()
    ]
    head = [f"Where the time of `{figure.id}` goes:\n", "| step | µs | share |", "|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"
