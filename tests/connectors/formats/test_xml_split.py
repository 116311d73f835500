"""A record of XML cut into messages: whole, in pieces, broken, hostile, in every encoding."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from connectors.api import MESSAGE_BYTES_MAX, Options, Rest, Slice
from connectors.formats.xml_split import Format, continues, split_xml
from connectors.formats.xml_tree import Namespaces, parse_slice
from schemas.problem import Refused

DAY = Path(__file__).resolve().parents[3] / "../shared/samples/poslog/ncr-acs-v2.1-day.xml"
NAMES = Namespaces(
    own=re.compile(r"urn:example:format"),
    vendors=(("acs", re.compile(r"urn:example:acs:.*")),),
)
FORM = Format("Transaction", frozenset({"POSLog", "Envelope"}), NAMES)
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
ROOT = '<POSLog xmlns="urn:example:format" xmlns:acs="urn:example:acs:2.1">'
SALE = "<Transaction><SequenceNumber>{}</SequenceNumber><!-- rough --><Total/></Transaction>"
ONE, TWO, THREE = (SALE.format(n) for n in (1, 2, 3))

MESSAGES = (
    "<Transaction><Name>Zoë 香</Name><!-- <Transaction> --><A b='/>'/></Transaction>",
    "<Transaction\n><![CDATA[</Transaction><Transaction>]]><acs:Transaction/></Transaction >",
    '<Transaction  a=">" />',
    "<Transaction><TransactionLink><X/></TransactionLink></Transaction>",
)
LOOK_ALIKE = (
    '<?xml version="1.0"?>\n<!-- day <Transaction> --><soap:Envelope xmlns:soap="urn:example:soap">'
    '<soap:Header><ID a=">">7 of 9</ID></soap:Header><soap:Body><POSLog MajorVersion="6"\n'
    " xmlns=\"urn:example:format\" xmlns:acs='urn:example:acs:2.1'>\n"
    f"{MESSAGES[0]}\n<!-- between --><?note <Transaction> ?>{MESSAGES[1]}"
    f"{MESSAGES[2]}\t{MESSAGES[3]}"
    "</POSLog></soap:Body></soap:Envelope>"
)


def split(
    record: bytes | str,
    rest: Rest | None = None,
    *,
    chunk: int = 65536,
    encoding: str | None = None,
) -> list[Slice | Rest]:
    data = record.encode() if isinstance(record, str) else record
    chunks = [data[i : i + chunk] for i in range(0, len(data), chunk)]
    return list(split_xml(chunks, Options(encoding=encoding), rest, form=FORM))


def slices(record: bytes | str, **how: object) -> list[Slice]:
    found = split(record, **how)  # type: ignore[arg-type]
    assert all(isinstance(piece, Slice) for piece in found)
    return [piece for piece in found if isinstance(piece, Slice)]


def codes(record: bytes | str, **how: object) -> list[str | None]:
    found = slices(record, **how)
    return [piece.problem.code if piece.problem else None for piece in found]


def refusal(chunks: bytes | str | Iterable[bytes]) -> str:
    given = [chunks.encode()] if isinstance(chunks, str) else chunks
    given = [given] if isinstance(given, bytes) else given
    with pytest.raises(Refused) as caught:
        list(split_xml(given, Options(), None, form=FORM))
    return caught.value.problem.code


def received(pieces: Iterable[bytes]) -> list[tuple[bytes, object]]:
    """The sound messages of a record that comes in pieces, handed on as the hub does, and decoded.

    A piece that starts with a wrapper of its own is taken for a document of its own.
    """
    rest: Rest | None = None
    found: list[tuple[bytes, object]] = []
    for piece in pieces:
        given = rest if continues(piece, FORM) else None
        rest = None
        for part in split(piece, given):
            if isinstance(part, Rest):
                rest = part
            else:
                assert part.problem is None
                element = parse_slice(part.payload, part.context, NAMES)
                found.append((part.payload, [(e.tag, e.text, e.items()) for e in element.iter()]))
    assert rest is None
    return found


def test_messages_of_a_document_with_their_offsets() -> None:
    record = DECLARATION + ROOT + "\n" + ONE + " " + TWO + "</POSLog>\n"
    first, second = slices(record)
    assert (first.payload, second.payload) == (ONE.encode(), TWO.encode())
    assert first.offset == record.index("<Transaction")
    assert second.offset == record.rindex("<Transaction")
    assert first.problem is second.problem is None
    assert first.context == (DECLARATION + ROOT).encode()
    assert first.context is second.context


def test_the_context_keeps_namespaces_and_nothing_else() -> None:
    contexts = {piece.context for piece in slices(LOOK_ALIKE)}
    (context,) = contexts
    assert context == (
        b'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="urn:example:soap">'
        b'<soap:Body><POSLog xmlns="urn:example:format" xmlns:acs="urn:example:acs:2.1">'
    )


def test_what_looks_like_a_message_in_comment_cdata_instruction_or_attribute_is_none() -> None:
    assert [piece.payload.decode() for piece in slices(LOOK_ALIKE)] == list(MESSAGES)


@pytest.mark.parametrize("chunk", [1, 2, 7, 64])
def test_chunks_make_no_difference(chunk: int) -> None:
    assert split(LOOK_ALIKE, chunk=chunk) == split(LOOK_ALIKE)


def test_two_pieces_cut_at_any_byte_give_the_same_messages() -> None:
    record = LOOK_ALIKE.encode()
    whole = received([record])
    assert len(whole) == 4
    for cut in range(1, len(record)):
        assert received([record[:cut], record[cut:]]) == whole, cut


def test_three_pieces_give_the_same_messages() -> None:
    record = LOOK_ALIKE.encode()
    whole = received([record])
    draw = random.Random(3)
    for _ in range(1000):
        a, b = sorted(draw.sample(range(1, len(record)), 2))
        assert received([record[:a], record[a:b], record[b:]]) == whole, (a, b)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_cut_at_any_byte_gives_the_same_messages(encoding: str) -> None:
    record = LOOK_ALIKE.encode(encoding)
    whole = received([record])
    assert [payload for payload, _ in whole] == [
        payload for payload, _ in received([LOOK_ALIKE.encode()])
    ]
    # The first byte of big-endian UTF-16 without a mark leaves what looks like little-endian.
    for cut in range(2, len(record)):
        assert received([record[:cut], record[cut:]]) == whole, cut


def test_the_real_day_cut_anywhere_gives_the_same_messages() -> None:
    if not DAY.exists():
        pytest.skip("the real day is not on this machine")
    record = DAY.read_bytes()
    whole = received([record])
    assert len(whole) == 51
    draw = random.Random(11)
    for _ in range(40):
        a, b = sorted(draw.sample(range(1, len(record)), 2))
        assert received([record[:a], record[a:b], record[b:]]) == whole, (a, b)


def test_a_joined_slice_counts_from_the_record_it_began_in() -> None:
    record = (ROOT + ONE + TWO + THREE + "</POSLog>").encode()
    cut = record.index(b"</SequenceNumber>", record.index(TWO.encode()))
    *_, rest = split(record[:cut])
    assert isinstance(rest, Rest)
    assert rest.payload == record[rest.offset : cut]
    second, third = slices(record[cut:], rest=rest)
    assert (second.joined, second.offset) == (True, record.index(TWO.encode()))
    assert (third.joined, third.offset) == (False, record.index(THREE.encode()) - cut)


def test_a_cut_between_messages_leaves_an_empty_rest_and_in_the_root_tag_everything() -> None:
    *_, between = split(ROOT + ONE)
    assert between == Rest(b"", len(ROOT + ONE), (DECLARATION + ROOT).encode())
    assert split(ROOT[:20]) == [Rest(ROOT[:20].encode(), 0, b"")]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (DECLARATION, False),
        ("\ufeff \n" + DECLARATION, False),
        (ROOT, False),
        ("<x:POSLog>", False),
        ('<Other xmlns="urn:a">', False),
        ('<Other a="1" xmlns:b="urn:a">', False),
        ("<!-- c --><?p i?>\n" + ROOT, False),
        ("<Transaction>", True),
        ("<!-- c --><Percent>", True),
        ("<![CDATA[x]]><Transaction>", True),
        ("</POSLog>", True),
        ("3.49</Amount>", True),
        ("<Other>", True),
        ("", True),
    ],
)
def test_continues(head: str, *, expected: bool) -> None:
    assert continues(head.encode(), FORM) is expected
    assert continues(head.removeprefix("\ufeff").encode("utf-16"), FORM) is expected


def test_a_tail_without_its_rest_is_split_all_the_same() -> None:
    tail = ONE[30:] + TWO + "</POSLog>"
    fragment, sound = slices(tail)
    assert fragment.problem is not None
    assert (fragment.payload, fragment.problem.code) == (ONE[30:].encode(), "LP-DOC-001")
    assert (sound.payload, sound.problem) == (TWO.encode(), None)


def test_a_fragment_that_never_ends_is_kept_too() -> None:
    fragment, sound = slices("<A>1</A><B>" + TWO + "</POSLog>")
    assert fragment.payload == b"<A>1</A><B>"
    assert fragment.problem is not None
    assert sound.problem is None


def test_known_prefixes_hold_where_nothing_declares_them() -> None:
    assert codes("<Transaction><acs:A/></Transaction>") == [None]
    assert codes("<Transaction><other:A/></Transaction>") == ["LP-DOC-003"]


@pytest.mark.parametrize("end", range(len("<Transaction"), len(TWO)))
def test_a_truncated_message_is_held_and_its_neighbours_go_on(end: int) -> None:
    record = ROOT + ONE + TWO[:end] + THREE + "</POSLog>"
    first, broken, third = slices(record)
    assert first.problem is third.problem is None
    assert broken.payload == TWO[:end].encode()
    assert broken.problem is not None
    assert broken.problem.code == "LP-DOC-001"
    assert broken.problem.byte == len(ROOT + ONE) + end


@pytest.mark.parametrize("end", ["<!", "<!-", "<![CDA"])
def test_a_message_cut_off_within_an_opener_in_a_record_that_goes_on(end: str) -> None:
    first, broken, third, rest = split(ROOT + ONE + "<Transaction>" + end + THREE)
    assert isinstance(broken, Slice)
    assert broken.problem is not None
    assert [p.problem for p in (first, third) if isinstance(p, Slice)] == [None, None]
    assert isinstance(rest, Rest)


def test_any_number_of_messages_may_be_broken_among_sound_ones() -> None:
    pairs = ("<Transaction>" + ONE) * 300 + (ONE + "</Transaction>") * 300
    found = codes(ROOT + pairs + "</POSLog>")
    assert (found.count(None), found.count("LP-DOC-001"), found.count("LP-DOC-003")) == (
        600,
        300,
        300,
    )


def test_a_message_cut_off_in_an_attribute_or_cdata() -> None:
    attribute = ROOT + ONE + '<Transaction><A b="1' + THREE + "</POSLog>"
    assert codes(attribute) == [None, "LP-DOC-001", None]
    cdata = ROOT + ONE + "<Transaction><![CDATA[ 1" + THREE + "</POSLog>"
    assert codes(cdata) == [None, "LP-DOC-001", None]


def test_cdata_that_ends_is_never_read_as_messages() -> None:
    # Free text of a customer may come in CDATA. Were it looked into, a note could forge a sale.
    note = f"<![CDATA[ \x01</Transaction>{TWO}<![CDATA[ ]]>"
    assert codes(f"{ROOT}<Transaction>{note}</Transaction></POSLog>") == ["LP-DOC-003"]


def test_the_last_message_is_truncated_if_its_wrapper_closes() -> None:
    record = ROOT + ONE + TWO[:40] + "</POSLog>"
    first, last = slices(record)
    assert first.problem is None
    assert last.problem is not None
    assert (last.payload, last.problem.code) == (TWO[:40].encode(), "LP-DOC-001")


@pytest.mark.parametrize(
    "stray", ["junk", "<A>1</A>", "<A b='1'/>", "<![CDATA[x]]>", "<!-- a -- b -->", "<", "</A>"]
)
def test_content_outside_any_message_is_held(stray: str) -> None:
    first, middle, last = slices(ROOT + ONE + stray + TWO + "</POSLog>")
    assert (first.problem, last.problem) == (None, None)
    assert (middle.payload, middle.offset) == (stray.encode(), len(ROOT + ONE))
    assert middle.problem is not None
    assert middle.problem.code == "LP-DOC-003"


@pytest.mark.parametrize("stray", ["junk", "<!-- a -- b -->"])
def test_content_behind_the_last_message_is_held(stray: str) -> None:
    assert codes(ROOT + ONE + stray + "</POSLog>") == [None, "LP-DOC-003"]


def test_an_address_with_a_quote_in_it_is_carried_along() -> None:
    wrapper = """<POSLog xmlns:v='urn:"x"'>"""
    (piece,) = slices(wrapper + "<Transaction><v:A/></Transaction></POSLog>")
    assert piece.problem is None
    assert piece.context.endswith(b'<POSLog xmlns:v="urn:&quot;x&quot;">')


def test_a_message_without_its_start_is_held() -> None:
    assert codes(ROOT + ONE + TWO[20:] + THREE + "</POSLog>") == [None, "LP-DOC-003", None]


def test_wrappers_may_change_between_messages() -> None:
    record = (
        f"<Envelope><A xmlns:v='urn:1'>{ONE}</A><!-- c --><B xmlns:v='urn:2'>{TWO}</B></Envelope>"
    )
    first, second = slices(record)
    assert first.context.endswith(b'<Envelope><A xmlns:v="urn:1">')
    assert second.context.endswith(b'<Envelope><B xmlns:v="urn:2">')


@pytest.mark.parametrize(
    ("inside", "byte", "words"),
    [
        ("<a>\n<b></c></b></a>", 11, "closing tag"),
        ("&nothing;", 9, "entity"),
        ("zoë<q:a/>", 9, "prefix"),
        ("\x01", 1, "control character"),
    ],
)
def test_a_malformed_message_is_held_with_its_byte(inside: str, byte: int, words: str) -> None:
    before = ROOT + ONE + "<Transaction>"
    first, broken, last = slices(before + inside + "</Transaction>" + TWO + "</POSLog>")
    assert first.problem is last.problem is None
    assert broken.problem is not None
    assert broken.problem.code == "LP-DOC-003"
    assert words in (broken.problem.detail or "")
    assert broken.problem.byte is not None
    # libxml2 stops a character before or behind the mistake.
    assert abs(broken.problem.byte - len(before.encode()) - byte) <= 1


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ("", "LP-DOOR-001"),
        (" \n\t", "LP-DOOR-001"),
        (ROOT + "</POSLog>", "LP-DOOR-005"),
        (ROOT[:-1] + "/>", "LP-DOOR-005"),
        ('{"id": 1}', "LP-DOOR-005"),
        ("<html><p>text</p></html>", "LP-DOOR-005"),
        ("</POSLog>", "LP-DOOR-005"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>' + ROOT + ONE, "LP-DOOR-003"),
        (ROOT + ONE + "<!DOCTYPE a>" + TWO + "</POSLog>", "LP-DOOR-003"),
        (ROOT + "<Transaction><!ENTITY b 'c'></Transaction></POSLog>", "LP-DOOR-003"),
        (ROOT + "<Transaction>" + "<a>" * 200_000 + "</Transaction></POSLog>", "LP-DOOR-004"),
        (ROOT + "<Transaction>" + "<a>" * 200_000, "LP-DOOR-004"),
        ("<a>" * 200_000 + ONE, "LP-DOOR-004"),
        ("<a>" * 200_000, "LP-DOOR-004"),
        (ROOT + "<Transaction>" * 200_000, "LP-DOOR-004"),
        (ROOT + "</Transaction>" * 300, "LP-XML-002"),
        (ROOT + ONE + "<" * 20_000 + ONE, "LP-XML-002"),
        ('<?xml version="1.0" encoding="utf-7"?>' + ROOT + ONE, "LP-XML-001"),
        ('<?xml version="1.0" encoding="no-such"?>' + ROOT + ONE, "LP-XML-001"),
        ('<?xml version="1.0" encoding="zlib"?>' + ROOT + ONE, "LP-XML-001"),
        ((ROOT + ONE).encode("utf-32"), "LP-XML-001"),
        ((ROOT + ONE).encode("utf-32-le"), "LP-XML-001"),
        ("a letter <p>with a tag", "LP-DOOR-005"),
        (ROOT + ONE + " " * (MESSAGE_BYTES_MAX + 1) + TWO, "LP-DOOR-002"),
        ((ROOT + ONE).encode("cp500"), "LP-DOOR-005"),
        (ROOT.replace("urn", "u" * 70_000) + ONE, "LP-DOOR-002"),
    ],
)
def test_refused(record: str | bytes, code: str) -> None:
    assert refusal(record) == code


@pytest.mark.parametrize("filler", ["x", " ", "<a/>", "<!-- ", "<![CDATA["])
@pytest.mark.parametrize("start", [ROOT + "<Transaction>", ROOT + ONE])
def test_an_endless_message_is_refused_while_it_is_read(filler: str, start: str) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield start.encode()
        while True:
            taken += 1
            yield (filler * (65536 // len(filler))).encode()

    assert refusal(endless()) == "LP-DOOR-002"
    assert taken <= MESSAGE_BYTES_MAX // 65000 + 2


def test_a_whole_message_is_measured_too() -> None:
    assert refusal(ROOT + f"<Transaction>{'x' * MESSAGE_BYTES_MAX}</Transaction>") == "LP-DOOR-002"
