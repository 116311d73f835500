"""The contract that every connector keeps, as a list of checks; also for those of other authors.

    from connectors.contract import CHECKS

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check("acme_till")

A check takes the id of an installed connector and raises ``AssertionError`` saying what is wrong.
All it needs besides the code are the connector's samples: files in its folder ``samples``, each
named for what is special about it.

An example of a mapping names a sample and, beside it, the canonical form of all its documents: a
JSON list in their order of ``{"message", "kind", "fact", "version", "flags", "document"}``.
``message`` is the kind of the manifest, and a mapping answers for the entries of its own kind.
They are as the hub makes them, for a system named like the connector and clocks that show UTC.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, pairwise
from typing import Any

from connectors import registry
from connectors.api import MESSAGE_BYTES_MAX, Rest, Slice
from connectors.contract import damage
from connectors.contract.covered import mapping_is_covered
from connectors.contract.damage import Leaf
from connectors.contract.functions import functions_keep_their_word
from connectors.contract.importing import importing_does_nothing, manifest_is_read_without_import
from connectors.contract.trial import (
    Outcome,
    kept,
    mapping,
    pieces,
    samples,
    take,
    take_in,
    unplaced,
)
from connectors.scrub import ScrubProfile, scrub
from schemas.problem import Problem, Refused, Rejected

__all__ = ["CHECKS", "Check"]

Check = Callable[[str], None]

SAMPLES_MIN = 3
PRIVATE = "Quokkaberg"
"""Stands for a value that may show up in no error."""
_STEP_BYTES = 50
_CODE = re.compile(r"LP-[A-Z]+-\d{3}")


def manifest_is_complete(connector: str) -> None:
    """The manifest can be read, is named like the entry point, and says something everywhere."""
    manifest = registry.manifests()[connector]
    assert manifest.id == connector, f"the manifest says {manifest.id!r}"
    assert manifest.messages, "the manifest names no kind of message"
    assert manifest.document.startswith("https://"), "`document` is no public address"
    for what in (manifest.title, manifest.summary, manifest.proven):
        assert what.strip(), "title, summary and proven must say something"
    for kind, message in manifest.messages.items():
        assert message.summary.strip(), f"messages.{kind} has no summary"


def readme_exists(connector: str) -> None:
    """A page beside the code says what it was proven on and where its limits are."""
    readme = registry.folder(connector) / "README.md"
    assert readme.is_file(), f"{readme.name} is missing"
    assert readme.read_text("utf-8").strip(), f"{readme.name} is empty"


def samples_are_enough(connector: str) -> None:
    """There are three samples at least, each with a name of its own."""
    found = samples(connector)
    assert len(found) >= SAMPLES_MIN, f"{len(found)} samples, {SAMPLES_MIN} are needed"
    assert len({path.stem for path in found}) == len(found), "two samples differ by suffix only"


def every_sample_is_whole(connector: str) -> None:
    """Every sample splits, decodes, gets its names and becomes valid canonical documents."""
    for name, record in _records(connector):
        assert not any(isinstance(piece, Rest) for piece in pieces(connector, record)), name
        outcome = _outcome(connector, record, name)
        assert outcome.taken, f"{name}: nothing was found in it"
        assert not outcome.problems, f"{name}: {outcome.problems[0].line()}"


def every_kind_is_shown(connector: str) -> None:
    """The samples show every kind of message that the manifest names, and no other."""
    taken = chain.from_iterable(_outcome(connector, r, n).taken for n, r in _records(connector))
    shown = {each.document.kind for each in taken}
    named = set(registry.manifests()[connector].messages)
    assert shown == named, f"not shown: {named - shown}; not in the manifest: {shown - named}"


def every_kind_has_a_mapping(connector: str) -> None:
    """The mapping of every kind loads, and makes what the manifest says."""
    manifest = registry.manifests()[connector]
    for kind, message in manifest.messages.items():
        spec = mapping(connector, kind).spec
        assert spec.to == message.to, f"{kind}: manifest {message.to}, mapping {spec.to}"
        if manifest.format in {"xml", "json"}:
            assert spec.reads == manifest.format, f"{kind}: the mapping reads {spec.reads}"


def names_are_sound(connector: str) -> None:
    """Names are complete, come out the same every time, and tell facts apart.

    Where two samples state the same fact, they must state the same: same key, same content.
    """
    content: dict[tuple[str, ...], tuple[str, bytes]] = {}
    for sample, record in _records(connector):
        taken = _outcome(connector, record, sample).taken
        again = _outcome(connector, record, sample).taken
        assert [t.name for t in taken] == [t.name for t in again], f"{sample}: names vary"
        for name in (each.name for each in taken):
            assert name.key, f"{sample}: a name without a key"
            assert all(name.key), f"{sample}: the key {name.key} has an empty part"
            assert name.content, f"{sample}: nothing is declared as content"
            dated = name.version is not None
            assert dated == (name.kind == "snapshot"), f"{sample}: {name.kind}, {name.version}"
            if name.kind == "fact":
                first, known = content.setdefault(name.key, (sample, name.content))
                assert known == name.content, f"{sample}, {first}: {name.key} states two facts"


def chunks_make_no_difference(connector: str) -> None:
    """However a record arrives, the slices are the same, and are found where they say."""
    for sample, record in _records(connector):
        whole = pieces(connector, record)
        for size in (1, 7, 64 * 1024):
            cut = pieces(connector, record, chunk_bytes=size)
            assert cut == whole, f"{sample}: other slices from chunks of {size} bytes"
        # Offsets of UTF-16 count in its UTF-8 form.
        for piece in whole if b"\0" not in record else ():
            there = record[piece.offset : piece.offset + len(piece.payload)]
            assert there == piece.payload, f"{sample}: not at byte {piece.offset}"


def examples_come_out_as_written(connector: str) -> None:
    """Every mapping has examples, and makes of each what is written beside it."""
    folder = registry.folder(connector) / "samples"
    for kind in registry.manifests()[connector].messages:
        spec = mapping(connector, kind).spec
        assert spec.examples, f"{spec.file}: no examples"
        for example in spec.examples:
            where = f"{spec.file}:{example.line}"
            record = (folder / example.source).read_bytes()
            entries = json.loads((folder / example.expect).read_text("utf-8"))
            expected = [unplaced(e["document"]) for e in entries if e["message"] == kind]
            taken = _outcome(connector, record, where).taken
            made = [unplaced(t.written()) for t in taken if t.document.kind == kind]
            assert expected, f"{where}: {example.source} has no message {kind}"
            assert made == expected, where


def unknown_fields_are_harmless(connector: str) -> None:
    """A field or element that nobody knows changes neither names nor canonical documents."""
    for sample, record in _records(connector):
        for piece in pieces(connector, record):
            before = _changed(connector, piece, damage.rewritten)
            after = _changed(connector, piece, damage.with_unknown)
            assert after == before, f"{sample}: unknown fields change what it becomes"


def missing_fields_are_survived(connector: str) -> None:
    """Without any one of its fields a record becomes canonical or a typed error, nothing else."""
    for sample, record in _records(connector):
        for leaf, damaged in damage.without_each_leaf(record, _syntax(connector)):
            _outcome(connector, damaged, f"{sample} without {'.'.join(leaf.path)}")


def truncation_is_survived(connector: str) -> None:
    """A record cut at any byte becomes messages, an open end, or a typed error."""
    for sample, record in _records(connector):
        for end in range(1, len(record), _STEP_BYTES):
            _outcome(connector, record[:end], f"{sample} cut at byte {end}")


def a_cut_record_goes_on(connector: str) -> None:
    """A record cut at any byte and its remainder give the messages of the whole."""
    if _syntax(connector) == "form":  # It has no end that could be missed: its door knows the size.
        return
    for sample, record in _records(connector):
        whole = [piece.payload for piece in pieces(connector, record)]
        for cut in range(1, len(record), _STEP_BYTES):
            first = _pieces_or_none(connector, record[:cut])
            if not first:
                continue
            rest = first[-1] if isinstance(first[-1], Rest) else None
            then = _pieces_or_none(connector, record[cut:], rest)
            found = [p.payload for p in (*first, *then) if isinstance(p, Slice)]
            assert found == whole, f"{sample} cut at byte {cut}"


def foreign_bytes_are_survived(connector: str) -> None:
    """An empty record is refused; noise and wrong encodings give typed errors at most."""
    assert _outcome(connector, b"", "an empty record").refused, "an empty record is taken in"
    for sample, record in _records(connector):
        for what, other in damage.foreign(record):
            _outcome(connector, other, f"{sample}, {what}")


def errors_say_what_to_do(connector: str) -> None:
    """Every problem has a stable code, says what is wrong, and names the next step."""
    sample, record = next(_records(connector))
    seen: list[Problem] = []
    for what, bad in chain(damage.foreign(record), _bombs(connector)):
        seen += _outcome(connector, bad, f"{sample}, {what}").problems
    assert seen, "nothing could be made to fail"
    for problem in seen:
        assert _CODE.fullmatch(problem.code), f"{problem.code!r} is no code like LP-AREA-001"
        assert problem.summary.strip(), f"{problem.code} does not say what is wrong"
        assert problem.next_step.strip(), f"{problem.code} does not say what to do"


def errors_quote_nothing(connector: str) -> None:
    """No problem repeats a value of the record: it may be a person's."""
    for sample, record in _records(connector):
        for leaf, damaged in damage.with_each_leaf(record, _syntax(connector), PRIVATE):
            for problem in _outcome(connector, damaged, f"{sample}, {leaf.path}").problems:
                assert PRIVATE not in problem.model_dump_json(), f"{leaf.path}: {problem.line()}"


def bombs_are_refused(connector: str) -> None:
    """What nests 200,000 deep or holds 5 MB in one message is refused whole."""
    for name, record in _bombs(connector):
        assert _outcome(connector, record, name).refused, f"{name}: taken in"


def scrubbing_is_stable(connector: str) -> None:
    """Scrubbing keeps every length, and once is enough."""
    profile = registry.load(connector).scrub
    for sample, record in _records(connector):
        for payload in (record, damage.filled(record, _syntax(connector), damage.cards())[0]):
            masked = scrub(payload, profile)
            assert len(masked) == len(payload), f"{sample}: the length changes"
            assert scrub(masked, profile) == masked, f"{sample}: scrubbing again changes more"


def card_numbers_never_survive(connector: str) -> None:
    """A card number in any field is masked before anything is kept; numbers of goods stay."""
    profile = registry.load(connector).scrub
    for sample, record in _records(connector):
        planted, leaves = damage.filled(record, _syntax(connector), damage.cards())
        journalled = kept(connector, planted)
        for leaf in leaves:
            survives, may = leaf.text.encode() in journalled, _is_exempt(profile, leaf)
            word = "a card number survives" if survives else "a number that is no card is masked"
            assert survives == may, f"{sample}: {word} in {'/'.join(leaf.path)}"


def the_scrub_profile_holds(connector: str) -> None:
    """Every field that the profile names is treated as it says, alone and below its parent."""
    profile = registry.load(connector).scrub
    card = next(damage.cards())

    def holds(name: str, digits: str) -> bool:
        return digits.encode() in scrub(damage.field(name, card, profile.syntax), profile)

    for name in sorted(profile.never):
        assert holds(name, card), f"never: the number in {name} is masked"
    for name in sorted(profile.pan):
        assert not holds(name, card), f"pan: the number in {name} survives"
    for name in sorted(profile.secret):
        assert not holds(name, card[-4:]), f"secret: {name} keeps its last digits"


CHECKS: tuple[Check, ...] = (
    manifest_is_complete,
    manifest_is_read_without_import,
    importing_does_nothing,
    readme_exists,
    samples_are_enough,
    every_sample_is_whole,
    every_kind_is_shown,
    every_kind_has_a_mapping,
    mapping_is_covered,
    names_are_sound,
    chunks_make_no_difference,
    examples_come_out_as_written,
    functions_keep_their_word,
    unknown_fields_are_harmless,
    missing_fields_are_survived,
    truncation_is_survived,
    a_cut_record_goes_on,
    foreign_bytes_are_survived,
    errors_say_what_to_do,
    errors_quote_nothing,
    bombs_are_refused,
    scrubbing_is_stable,
    card_numbers_never_survive,
    the_scrub_profile_holds,
)
"""What a connector must pass, the cheap ones first."""


def _syntax(connector: str) -> str:
    return registry.manifests()[connector].format


def _records(connector: str) -> Iterator[tuple[str, bytes]]:
    for path in samples(connector):
        yield path.name, path.read_bytes()


def _outcome(connector: str, record: bytes, what: str) -> Outcome:
    """Take a record in. Whatever else than a typed error comes out breaks the contract."""
    try:
        return take_in(connector, record)
    except Exception as error:
        detail = f"{what}: {error!r}, where only Refused or Rejected may come out"
        raise AssertionError(detail) from error


def _changed(connector: str, piece: Slice | Rest, change: Callable[[bytes, str], bytes]) -> Any:
    """What a slice says after a change to its bytes, whatever it looks like then."""
    assert isinstance(piece, Slice)
    changed = replace(piece, payload=change(piece.payload, _syntax(connector)))
    try:
        taken = take(connector, changed)
    except Rejected as rejection:
        return rejection.problem.line()
    return [(each.document.kind, each.name, each.written()) for each in taken]


def _pieces_or_none(connector: str, record: bytes, rest: Rest | None = None) -> list[Slice | Rest]:
    try:
        return pieces(connector, record, rest=rest)
    except Refused:
        return []


def _bombs(connector: str) -> Iterator[tuple[str, bytes]]:
    sample, record = next(_records(connector))
    size = MESSAGE_BYTES_MAX + 1024 * 1024
    for what, bomb in damage.bombs(record, _syntax(connector), size=size):
        yield f"{sample}, {what}", bomb


def _is_exempt(profile: ScrubProfile, leaf: Leaf) -> bool:
    """Whether the profile says that a field never holds a card number."""
    never, cards = (
        {name.lower() for name in names} for names in (profile.never, profile.pan | profile.secret)
    )
    names = [name.lower() for name in ("", *leaf.path)]
    both = [f"{parent}/{name}" for parent, name in pairwise(names)]
    if both[-1] in never:
        return True
    return names[-1] in never and cards.isdisjoint(names) and cards.isdisjoint(both)
