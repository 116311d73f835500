"""A connector of another author: its own package, its own mapping, found by its entry point."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.contract import CHECKS
from tests.contract.outside import CODE, installed

ROOT = Path(__file__).resolve().parents[2]

VISIT = """
import sys
from connectors import registry
from connectors.contract import CHECKS, checks as contract, trial

assert "acme_calls" in registry.manifests(), sorted(registry.manifests())
{prelude}
for check in CHECKS:
    if check.__name__ in {names!r}:
        try:
            check("acme_calls")
        except Exception as error:
            print(check.__name__, type(error).__name__, error)
"""
EVERY_CHECK = [check.__name__ for check in CHECKS]

Change = Callable[[Path], object]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages with one connector in it."""
    installed(tmp_path)
    return tmp_path


def _broken(site: Path, names: list[str], prelude: str = "") -> str:
    """What checks say of the connector in a process that has it on its path."""
    run = subprocess.run(
        [sys.executable, "-c", VISIT.format(names=names, prelude=prelude)],
        env={**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_it_is_found_and_keeps_the_contract(site: Path) -> None:
    assert _broken(site, EVERY_CHECK) == ""


def _edit(file: str, old: str, new: str) -> Change:
    def change(site: Path) -> None:
        path = site / "acme_calls" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


def _code(old: str, new: str) -> Change:
    return _edit("__init__.py", old, new)


def _drop_a_sample(site: Path) -> None:
    (site / "acme_calls" / "samples" / "with-agent.json").unlink()


def _nest(site: Path) -> None:
    """Move the code to a module below a package that imports it."""
    package = site / "acme_calls"
    (package / "calls.py").write_text(CODE)
    (package / "__init__.py").write_text("from acme_calls.calls import connector\n")
    entry_points = site / "acme_calls-1.0.dist-info" / "entry_points.txt"
    entry_points.write_text(entry_points.read_text().replace("acme_calls:", "acme_calls.calls:"))


SPLIT = "return split_record(chunks, wrappers=frozenset(), lists=frozenset(), rest=rest)"
DECODE = "body = decode_json(payload, encoding=options.encoding)"


def _both_ways(site: Path) -> None:
    top = "to: Interaction\ndirection: both\none_way: {agent: the function cannot be turned round}"
    _edit("mappings/call.yaml", "to: Interaction", top)(site)


def _wrong_both_ways(site: Path) -> None:
    """The same wrong thing is read and written, and only the canonical sample knows better."""
    _both_ways(site)
    _edit("mappings/call.yaml", "id:             call", "id:             call | prefix 7")(site)


def _one_place_for_two(site: Path) -> None:
    """What is written for one field makes another one, where the source had it elsewhere."""
    _both_ways(site)
    rules = "campaign:       agent or operator\n  subject:        agent\n  kind:           = call"
    _edit("mappings/call.yaml", "kind:           = call", rules)(site)
    _edit("mappings/call.yaml", "ignore:", "lossy: {campaign: two places}\nignore:")(site)
    _edit("samples/with-agent.json", '"12"', '"12", "operator": "12"')(site)


OUTCOME = "  outcome:          it tells calls that were taken\n"
BREAKS: dict[str, Change] = {
    "manifest_is_complete": _edit("manifest.toml", 'id = "acme_calls"', 'id = "acme"'),
    "manifest_is_read_without_import": _nest,
    "importing_does_nothing": _code("from pathlib", "open('x', 'a').close()\nfrom pathlib"),
    "readme_exists": _edit("README.md", "Calls of an invented telephone system.", ""),
    "samples_are_enough": _drop_a_sample,
    "every_sample_is_whole": _edit("samples/hidden-caller.json", "{", "[{"),
    "every_kind_is_shown": _edit(
        "manifest.toml",
        "[messages.call]",
        '[messages.lost]\nto = "Interaction"\nmapping = "call"\nsummary = "?"\n[messages.call]',
    ),
    "every_kind_has_a_mapping": _edit("manifest.toml", '"Interaction"', '"Customer"'),
    "mapping_is_covered": _edit("mappings/call.yaml", OUTCOME, ""),
    "names_are_sound": _code("content = repr(", "import os; content = repr(os.urandom(4)) + repr("),
    "chunks_make_no_difference": _code(SPLIT, f"chunks = [*chunks][:1]; {SPLIT}"),
    "examples_come_out_as_written": _edit(
        "samples/known-caller.canonical.json", '"id": "7001"', '"id": "7009"'
    ),
    "functions_keep_their_word": _code("{int(value) // 4}", "{[][0]}"),
    "unknown_fields_are_harmless": _code("content = repr(", "content = repr(body) + repr("),
    "missing_fields_are_survived": _code(DECODE, f"{DECODE}; body['at']"),
    "truncation_is_survived": _code(
        SPLIT, f"import json; chunks = [*chunks]; json.loads(b''.join(chunks) or b'1'); {SPLIT}"
    ),
    "a_cut_record_goes_on": _code("rest=rest", "rest=None"),
    "foreign_bytes_are_survived": _code(DECODE, "import json; body = json.loads(payload)"),
    "errors_say_what_to_do": _code(
        DECODE,
        """from schemas.problem import Cause
    try:
        body = decode_json(payload, encoding=options.encoding)
    except Rejected:
        raise Rejected(Cause("oops", "Broken.", "").at()) from None""",
    ),
    "errors_quote_nothing": _code(DECODE, f"{DECODE}; body['at'][0] == '2' or _quote(body)"),
    "bombs_are_refused": _code(
        SPLIT, "from connectors.api import Slice; return iter([Slice(b''.join(chunks), 0)])"
    ),
    "samples_come_back": _wrong_both_ways,
    "samples_with_less_come_back": _one_place_for_two,
    "the_scrub_profile_holds": _code('syntax="json"', 'syntax="text"'),
}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("return {}[value]", "desk raises KeyError"),
        ("return 1.5", "desk makes a float, which no field takes"),
        ("import time; return str(time.perf_counter_ns())", "desk makes another of the same"),
    ],
)
def test_what_no_function_may_do_is_named(site: Path, new: str, said: str) -> None:
    _code('return f"desk {int(value) // 4}"', new)(site)
    said = f"functions_keep_their_word AssertionError {said}\n"
    assert _broken(site, ["functions_keep_their_word"]) == said


def test_a_function_says_what_it_does(site: Path) -> None:
    _code('"""Where an agent sits: 12 sits at desk 3."""', "")(site)
    assert "desk does not say what it does" in _broken(site, ["functions_keep_their_word"])


def test_a_function_has_a_name_that_a_rule_can_say(site: Path) -> None:
    _code('{"desk": desk}', '{"desk": desk, "De sk": desk}')(site)
    assert "'De sk' is no name of a function" in _broken(site, ["functions_keep_their_word"])


@pytest.mark.parametrize("check", BREAKS)
def test_what_breaks_the_contract_is_named(site: Path, check: str) -> None:
    BREAKS[check](site)
    assert _broken(site, [check]).startswith(f"{check} AssertionError ")


def test_a_mapping_of_both_directions_keeps_the_contract(site: Path) -> None:
    _both_ways(site)
    assert _broken(site, ["samples_come_back", "samples_with_less_come_back"]) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  - seconds", "  - minutes"),
        (OUTCOME, f"{OUTCOME}  agent: nobody serves\n"),
        ("ignore:", "codes: {kind: {a: b}}\nignore:"),
        (
            "  agent:          agent | own desk",
            "  when at: {agent: agent}\n  when at and id: {agent: id}",
        ),
    ],
    ids=["unread", "stale", "idle table", "unreachable"],
)
def test_a_mapping_that_is_not_covered_breaks_the_contract(site: Path, old: str, new: str) -> None:
    _edit("mappings/call.yaml", old, new)(site)
    broken = _broken(site, ["mapping_is_covered"])
    assert broken.startswith("mapping_is_covered AssertionError ")


@pytest.mark.parametrize(
    ("check", "scrubber"),
    [
        ("scrubbing_is_stable", "lambda payload, profile: payload + b' '"),
        ("scrubbing_is_stable", "lambda payload, profile: payload[1:] + payload[:1]"),
        ("card_numbers_never_survive", "lambda payload, profile: payload"),
        ("card_numbers_never_survive", "lambda payload, profile: bytes(len(payload))"),
    ],
)
def test_a_broken_scrubber_is_named(site: Path, check: str, scrubber: str) -> None:
    broken = _broken(site, [check], f"contract.scrub = trial.scrub = {scrubber}")
    assert broken.startswith(f"{check} AssertionError ")


def test_every_check_was_seen_to_fail() -> None:
    assert {*BREAKS, "scrubbing_is_stable", "card_numbers_never_survive"} == set(EVERY_CHECK)
