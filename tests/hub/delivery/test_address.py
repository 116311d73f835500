from __future__ import annotations

import pytest

from hub.delivery.address import Forbidden, permitted, resolved, vetted

OURS = [
    "127.0.0.1",
    "127.8.8.8",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fc00::1",
    "fd12::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "240.0.0.1",
]
NOBODYS = [
    "0.0.0.0",
    "::",
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "224.0.0.1",
    "ff02::1",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "fd00:ec2::254",
    "100.100.100.200",
    "255.255.255.255",
]
TRANSLATED = [
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "::127.0.0.1",
    "64:ff9b:1::1",
]
OPEN = ["93.184.215.14", "2606:2800:21f::1", "::ffff:93.184.215.14", "1.1.1.1"]


@pytest.mark.parametrize("text", [*OURS, *NOBODYS, *TRANSLATED])
def test_what_is_inside_is_not_connected_to(text: str) -> None:
    assert not permitted(text, private=False)


@pytest.mark.parametrize("text", OPEN)
def test_what_is_outside_is(text: str) -> None:
    assert permitted(text, private=False)


@pytest.mark.parametrize("text", OURS)
def test_our_networks_are_where_a_person_says_so(text: str) -> None:
    assert permitted(text, private=True)


@pytest.mark.parametrize("text", [each for each in NOBODYS if each != "255.255.255.255"])
def test_what_no_system_has_is_connected_to_by_nobody(text: str) -> None:
    assert not permitted(text, private=True)


def test_one_address_inside_is_enough_to_refuse_a_name() -> None:
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["93.184.215.14", "10.0.0.1"]

    with pytest.raises(Forbidden):
        vetted("crm.example.org", 443, private=False, resolve=resolve)
    assert asked == [("crm.example.org", 443)]


def test_a_number_in_another_notation_is_looked_at_as_what_it_is() -> None:
    for host in ("2130706433", "0x7f.1", "localhost"):
        with pytest.raises(Forbidden):
            vetted(host, 443, private=False)
    assert "127.0.0.1" in resolved("2130706433", 443)
