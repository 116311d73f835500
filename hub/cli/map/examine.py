"""Examining a mapping file: whether it compiles, and what it makes of documents that are known."""

from __future__ import annotations

import dataclasses
from typing import Any

import typer
from rich.markup import escape

from hub.authoring import examples
from hub.authoring.examples import Ran
from hub.cli.map.named import File, draft_of
from hub.cli.message import AsJson
from hub.cli.terminal import out, print_json, print_problem, table
from mappings import coverage
from mappings.coverage import Finding
from schemas.problem import ConfigError, Problem

__all__ = ["check", "run_examples"]


def check(file: File, *, as_json: AsJson = False) -> None:
    """Compile a mapping, run its examples, and say what its text leaves open.

    Exit status 1 where it could not be published.
    """
    problem: Problem | None
    head: dict[str, Any] = {}
    findings: tuple[tuple[str | None, Finding], ...] = ()
    try:
        draft = draft_of(file)
    except ConfigError as error:
        problem = error.problem
    else:
        spec = draft.mapping.spec
        head = {
            "mapping": str(draft.target),
            "version": draft.mapping.version,
            "examples": len(spec.examples),
        }
        problem = examples.first_failure(draft)
        findings = tuple(
            (draft.place(each.line) if each.line else None, each)
            for each in coverage.static(draft.mapping)
        )
    if as_json:
        said = problem and problem.model_dump(mode="json", exclude_none=True)
        told = [{**dataclasses.asdict(each), "rule": rule} for rule, each in findings]
        print_json({**head, "problem": said, "findings": told})
    elif problem is not None:
        print_problem(problem)
    else:
        count = f"{head['examples']} examples come out as written"
        out.print(f"{head['mapping']} {head['version']} is well: {count}", soft_wrap=True)
    if findings and not as_json:
        rows = ((rule, each.what, each.subject, each.next_step) for rule, each in findings)
        out.print(table(("where", "worth a look", "of", "what to do"), rows))
    if problem is not None:
        raise typer.Exit(1)


def run_examples(file: File, *, as_json: AsJson = False) -> None:
    """Run the examples of a mapping and the samples of its connector. Status 1 if one fails."""
    draft = draft_of(file)
    ran = [*examples.of_mapping(draft), *examples.of_samples(draft)]
    failed = [each for each in ran if not each.well]
    if as_json:
        print_json({"ran": len(ran), "failed": [_failure(each) for each in failed]})
    else:
        for each in failed:
            _print(each)
        out.print(f"{len(ran) - len(failed)} of {len(ran)} come out as written")
    if failed:
        raise typer.Exit(1)


def _failure(ran: Ran) -> dict[str, Any]:
    return {
        "source": ran.source,
        "rule": ran.rule,
        "differences": [dataclasses.asdict(each) for each in ran.differences],
        "problem": ran.problem and ran.problem.model_dump(mode="json", exclude_none=True),
    }


def _print(ran: Ran) -> None:
    named = "a sample" if ran.rule is None else f"the example of {ran.rule}"
    out.print(f"[bold red]{escape(ran.source)}[/], {named}", soft_wrap=True)
    if ran.problem is not None:
        print_problem(ran.problem)
    if ran.differences:
        rows = ((each.path, each.expected, each.found) for each in ran.differences)
        out.print(table(("path", "expected", "found"), rows))
