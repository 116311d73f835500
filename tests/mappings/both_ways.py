"""Mappings of both directions, made of a few rules, and what they write."""

from __future__ import annotations

from typing import Any

from mappings.inverse import cannot_express, write
from mappings.mapping import Mapping, load

__all__ = ["found", "mapping", "written"]

TABLE = "codes:\n  t: {NEW: new, ALSO: new, OLD: old, drop: ''}\n  s: {A: a, '*': rest}\n"


def mapping(rules: str, *, reads: str = "json", one_way: str = "", to: str = "Order") -> Mapping:
    """A mapping of both directions that declares everything lossy that can be."""
    targets = [line.split()[0].rstrip(":").split("[")[0].split(".")[0] for line in tops(rules)]
    lossy = "".join(f"  {t}: so\n" for t in dict.fromkeys(targets) if t not in one_way.split())
    text = f"mapping: a.b\nreads: {reads}\nto: {to}\ndirection: both\n"
    text += "root: Sale\n" * (reads == "xml")
    text += f"lossy:\n{lossy}" if lossy else ""
    text += "one_way:\n" + "".join(f"  {t}: never\n" for t in one_way.split()) if one_way else ""
    return load(f"{text}rules:\n{rules}{TABLE}", "f.yaml")


def tops(rules: str) -> list[str]:
    lines = rules.splitlines()
    flat = [line[2:] for line in lines if line.startswith("  ") and line[2] != " "]
    inside = [line[4:] for line in lines if line.startswith("    ") and line[4] != " "]
    branches = any(line.startswith(("when", "otherwise")) for line in flat)
    flat = [line for line in flat if not line.startswith(("when", "otherwise"))]
    return [*flat, *(inside if branches else [])]


def written(rules: str, document: dict[str, Any], **options: Any) -> Any:
    """The source document, which must come back as the canonical one."""
    made = mapping(rules, **options)
    result = write(made, document)
    assert result.findings == ()
    assert made.run(result.body)[0] == document
    return result.body


def found(rules: str, document: dict[str, Any], **options: Any) -> list[tuple[str, str]]:
    findings = cannot_express(mapping(rules, **options), document)
    return [(str(f.problem.target), str(f.problem.detail)) for f in findings]
