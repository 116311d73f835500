"""The encodings of XML records: kept, transcoded, contradicted, refused."""

from __future__ import annotations

import re

import pytest

from connectors.api import Options, Slice
from connectors.formats.xml_split import Format, split_xml
from connectors.formats.xml_tree import Namespaces
from schemas.problem import ConfigError

FORM = Format("Transaction", frozenset({"POSLog"}), Namespaces(re.compile("urn:example:format")))
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
ROOT = '<POSLog xmlns="urn:example:format">'
ONE = TWO = "<Transaction><Total>1.00</Total></Transaction>"


def slices(record: bytes | str, encoding: str | None = None) -> list[Slice]:
    data = record.encode() if isinstance(record, str) else record
    found = list(split_xml([data], Options(encoding=encoding), None, form=FORM))
    assert all(isinstance(piece, Slice) for piece in found)
    return [piece for piece in found if isinstance(piece, Slice)]


def codes(record: bytes | str, encoding: str | None = None) -> list[str | None]:
    found = slices(record, encoding)
    return [piece.problem.code if piece.problem else None for piece in found]


def latin(text: str, encoding: str) -> bytes:
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>'
    return (declaration + ROOT + ONE + text + TWO + "</POSLog>").encode(encoding)


CAFE = "<Transaction>café</Transaction>"


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"])
def test_a_declared_encoding_is_kept_as_it_is(encoding: str) -> None:
    assert codes(latin(CAFE, encoding)) == [None, None, None]
    assert slices(latin(CAFE, encoding))[1].payload == CAFE.encode(encoding)


@pytest.mark.parametrize(
    ("declared", "written"),
    [("utf-8", "iso-8859-1"), ("iso-8859-1", "utf-8"), ("us-ascii", "utf-8"), ("cp1252", "utf-8")],
)
def test_bytes_that_contradict_the_declaration_are_held_alone(declared: str, written: str) -> None:
    record = latin(CAFE, written).replace(written.encode(), declared.encode(), 1)
    first, broken, last = slices(record)
    assert first.problem is last.problem is None
    assert broken.problem is not None
    assert broken.problem.code == "LP-DOC-002"
    assert broken.problem.byte == record.index("é".encode(written))
    assert codes(record, encoding=written) == [None, None, None]


def test_the_option_of_the_source_is_not_doubted() -> None:
    assert codes(latin(CAFE, "utf-8"), encoding="iso-8859-1") == [None, None, None]


def test_declared_utf_16_in_single_bytes_holds_every_message() -> None:
    record = DECLARATION.replace("utf-8", "UTF-16") + ROOT + ONE + TWO + "</POSLog>"
    assert codes(record) == ["LP-DOC-002", "LP-DOC-002"]
    assert codes(record, encoding="utf-8") == [None, None]


def test_utf_16_becomes_utf_8_and_says_so() -> None:
    record = (DECLARATION.replace("utf-8", "UTF-16") + ROOT + CAFE + "</POSLog>").encode("utf-16")
    (piece,) = slices(record)
    assert piece.payload == CAFE.encode()
    assert piece.context.startswith(b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>')
    assert piece.problem is None


def test_a_lone_surrogate_holds_its_message() -> None:
    record = (ROOT + ONE + CAFE + "</POSLog>").encode("utf-16-le")
    at = record.index("é".encode("utf-16-le"))
    broken = record[:at] + b"\x00\xd8" + record[at + 2 :]
    assert codes(broken) == [None, "LP-DOC-002"]


def test_an_option_that_names_no_encoding_is_an_error_of_configuration() -> None:
    with pytest.raises(ConfigError):
        slices(ROOT + ONE, encoding="utf-7")
