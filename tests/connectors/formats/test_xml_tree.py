"""A slice as a tree with canonical names: the same tree whatever prefixes the document chose."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from connectors.formats.xml_tree import Namespaces, parse_slice
from schemas.problem import Rejected

NAMES = Namespaces(
    own=re.compile(r"urn:example:format/?"),
    vendors=(
        ("acs", re.compile(r"urn:example:acs:.*")),
        ("dtv", re.compile(r"urn:example:dtv:.*")),
    ),
)
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'


def tree(payload: str, *wrappers: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    element = parse_slice(payload.encode(), (DECLARATION + "".join(wrappers)).encode(), NAMES)
    return [
        (str(e.tag), (e.text or "").strip(), sorted((str(k), str(v)) for k, v in e.items()))
        for e in element.iter()
    ]


CANONICAL = [
    ("Transaction", "", []),
    ("Amount", "1.00", [("Currency", "EUR"), ("{acs}Kind", "acs:Auto")]),
    ("{acs}Total", "2.00", []),
    ("{other}Total", "3.00", [("{other}a", "b")]),
]
SAME = [
    (
        (
            '<Transaction><Amount Currency="EUR" acs:Kind="acs:Auto">1.00</Amount>'
            '<acs:Total>2.00</acs:Total><other:Total other:a="b">3.00</other:Total></Transaction>'
        ),
        (
            '<POSLog xmlns="urn:example:format" xmlns:acs="urn:example:acs:2.1"'
            ' xmlns:other="urn:example:other">'
        ),
    ),
    (
        (
            '<p:Transaction><p:Amount Currency="EUR" v:Kind="acs:Auto">1.00</p:Amount>'
            '<v:Total>2.00</v:Total><other:Total other:a="b">3.00</other:Total></p:Transaction>'
        ),
        (
            '<p:POSLog xmlns:p="urn:example:format/" xmlns:v="urn:example:acs:9"'
            ' xmlns:other="urn:example:other">'
        ),
    ),
    (
        (
            '<Transaction xmlns="urn:example:format" xmlns:acs="urn:example:acs:3">'
            '<Amount Currency="EUR" acs:Kind="acs:Auto">1.00</Amount>'
            '<Total xmlns="urn:example:acs:3">2.00</Total>'
            '<other:Total other:a="b" xmlns:other="urn:example:other">3.00</other:Total>'
            "</Transaction>"
        ),
        "<Envelope>",
    ),
]


@pytest.mark.parametrize(("payload", "wrapper"), SAME)
def test_one_tree_for_every_spelling(payload: str, wrapper: str) -> None:
    assert tree(payload, wrapper) == CANONICAL


def test_declarations_in_a_slice_change_the_way_but_not_the_tree() -> None:
    payload, wrapper = SAME[0]
    slow = payload.replace("<Transaction>", '<Transaction xmlns:unused="urn:x">')
    assert tree(slow, wrapper) == tree(payload, wrapper)


def test_an_inner_wrapper_overrules_an_outer_one() -> None:
    wrappers = ['<A xmlns="urn:soap" xmlns:v="urn:1">', '<B xmlns="urn:example:format">']
    payload = "<Transaction><v:X/></Transaction>"
    assert tree(payload, *wrappers, '<C xmlns:v="urn:example:dtv:1">')[1][0] == "{dtv}X"
    assert tree(payload, *wrappers)[1][0] == "{v}X"


def test_two_namespaces_with_one_local_name_stay_apart() -> None:
    stolen = tree(
        '<Transaction><acs:X/><v:X/><w:X/><acs:X xmlns:acs="urn:other"/></Transaction>',
        '<POSLog xmlns="urn:example:format" xmlns:acs="urn:stranger" xmlns:v="urn:example:acs:1"'
        ' xmlns:w="urn:w">',
    )
    assert [tag for tag, _, _ in stolen[1:]] == [
        "{urn:stranger}X",
        "{acs}X",
        "{w}X",
        "{urn:other}X",
    ]


def test_a_prefix_bound_anew_within_a_slice_is_another_namespace() -> None:
    found = tree(
        '<Transaction xmlns:v="urn:1"><v:X/><v:X xmlns:v="urn:2"/></Transaction>', "<POSLog>"
    )
    assert [tag for tag, _, _ in found[1:]] == ["{v}X", "{urn:2}X"]


def test_an_unknown_default_namespace_is_taken_for_the_own() -> None:
    assert tree("<Transaction><A/></Transaction>", '<POSLog xmlns="urn:new">')[1][0] == "A"
    assert tree('<Transaction xmlns="urn:new"><A/></Transaction>', "<POSLog>")[1][0] == "A"


def test_a_vendor_as_default_namespace_keeps_its_prefix() -> None:
    wrapper = '<X xmlns="urn:example:dtv:1">'
    assert tree("<A/>", wrapper) == tree('<A xmlns:b="urn:b"/>', wrapper) == [("{dtv}A", "", [])]


def test_a_language_stays_what_it_is() -> None:
    wrapper = '<POSLog xmlns:xml="http://www.w3.org/XML/1998/namespace">'
    for payload in ('<A xml:lang="de"/>', '<A xmlns:b="urn:b" xml:lang="de"/>'):
        assert tree(payload, wrapper) == tree(payload)
        ((_, _, attributes),) = tree(payload)
        assert attributes == [("{http://www.w3.org/XML/1998/namespace}lang", "de")]


def test_text_is_whole_and_of_references_and_sections() -> None:
    ((_, text, _),) = tree("<A>1<!-- c -->2<?p i?>3<![CDATA[<4>]]>&#53;&lt;</A>")
    assert text == "123<4>5<"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("<A>", "LP-DOC-003"),
        ("<A/><A/>", "LP-DOC-003"),
        ("text<A/>", "LP-DOC-003"),
        ("<A/>text", "LP-DOC-003"),
        ("</_><_><A/>", "LP-DOC-003"),
        ("<A a='1' a='2'/>", "LP-DOC-003"),
        ("<A>&amp;&b;</A>", "LP-DOC-003"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><A>&b;</A>", "LP-DOC-003"),
        ("<A>" * 300 + "</A>" * 300, "LP-DOOR-004"),
    ],
)
def test_rejected(payload: str, code: str) -> None:
    with pytest.raises(Rejected) as caught:
        tree(payload)
    assert caught.value.problem.code == code


def test_a_problem_never_quotes_the_document() -> None:
    for payload in ("<A><Erika></A>", "<A>&Erika;</A>", "<A><!-- Erika -- --></A>", "<A Erika/>"):
        with pytest.raises(Rejected) as caught:
            tree(payload)
        assert "Erika" not in str(caught.value)


def test_the_byte_counts_in_the_encoding_of_the_document() -> None:
    payload = "<A>\nééé</B></A>"
    for encoding in ("utf-8", "iso-8859-1"):
        context = DECLARATION.replace("utf-8", encoding).encode()
        with pytest.raises(Rejected) as caught:
            parse_slice(payload.encode(encoding), context, NAMES)
        expected = payload.encode(encoding).index(b"</B>") + len("</B>")
        assert caught.value.problem.byte is not None
        assert abs(caught.value.problem.byte - expected) <= 1


def test_the_element_may_be_searched() -> None:
    element = parse_slice(b"<A><acs:B>1</acs:B></A>", b"", NAMES)
    assert isinstance(element, etree._Element)
    assert element.findtext("{acs}B") == "1"
