"""Every command says and does the same, whether it asks a hub that runs or opens the home."""

from __future__ import annotations

import getpass
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from hub.cli import main

if TYPE_CHECKING:
    from tests.e2e.conftest import House

from tests.e2e.furnished import ORDER, SALE, SHOPPER, furnish, select


@pytest.fixture
def both(fresh: Callable[[], House]) -> Iterator[dict[str, House]]:
    """Two houses of the same furniture; a hub runs on the second."""
    houses = {"here": furnish(fresh()), "there": furnish(fresh())}
    with houses["there"].up():
        yield houses


@contextmanager
def _in(house: House, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("LYNCHPIN_HOME", str(house.home))
        patch.chdir(house.folder / "inbox")
        patch.setattr(sys, "argv", ["lynchpin", *arguments])
        yield


def _same(text: str) -> str:
    """Without what is another one each time: keys, clocks, and the key of the command line."""
    text = re.sub(r"lp_[0-9a-f]{12}_[\w-]{43}", "KEY", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "ID", text)
    text = re.sub(r"key ID command line, ", "", text)
    text = re.sub(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "NOW", text)
    return "\n".join(line for line in text.splitlines() if "command line" not in line)


COMMANDS = [
    "receive poslog again.xml",
    "receive poslog again.xml conflict.xml held.xml --json",
    "receive poslog many.xml --json",
    "receive poslog empty.xml missing.xml . again.xml",
    "receive poslog|täg 100%.xml",
    "receive nowhere again.xml",
    "receive ../poslog again.xml",
    "hold list --json",
    "hold show HELD",
    "hold release HELD",
    "hold release HELD --json --replace",
    "hold release HELD HELD 999",
    "hold release 1 HELD",
    "hold edit 999 --file again.xml --reason test",
    "hold edit HELD --file missing.xml --reason test",
    "hold edit HELD --file empty.xml --reason test",
    "hold edit HELD --file again.xml --reason test --dry-run",
    "hold edit HELD --file again.xml --reason test",
    "message show HELD --json",
    "hold discard HELD --reason test",
    "hold discard HELD|--reason|",
    "key create someone --role agent --store 7001 --store 7002",
    "key create tills --role source --source poslog --json",
    "key create tills --role source --source nowhere",
    "key create tills --role reader --source poslog",
    "key create crm --role receiver --destination nowhere",
    "key create crm --role receiver",
    "key create crm --role reader --destination nowhere",
    "key create|command line|--role|operator",
    "key create||--role|operator",
    "key revoke 000000000000",
    "key revoke a/b",
    "load locations locations.csv",
    "load workstations workstations.csv",
    "load items items.csv",
    "load locations wrong.csv",
    "load locations broken.csv",
    "load items missing.csv",
    f"customer find {SHOPPER.email}",
    f"customer find {SHOPPER.family_name} --json",
    f"customer find|{SHOPPER.phone}|--region|US",
    "customer find nobody@example.org",
    "customer find someone --region Austria",
    f"customer show {SHOPPER.email}",
    f"customer show {SHOPPER.email} --json --limit 1",
    f"customer show {SHOPPER.email} --json --cursor nonsense",
    f"customer show {SHOPPER.email} --reveal because --json",
    "customer show nobody@example.org",
    "order find --json",
    f"order show #{ORDER.number}",
    f"order show #{ORDER.number} --json",
    f"order show|#{ORDER.number}|--json|--reveal|the caller asks, 100 %",
    f"order show|#{ORDER.number}|--reveal|",
    f"order show {SALE}",
    "transaction find --json",
    f"transaction show {SALE}",
    f"transaction show {SALE} --json --reveal because",
    "transaction show ../orders",
    "map list",
    "map list --json",
    "map check own.yaml",
    "map test own.yaml --json",
    "map try own.yaml again.xml --json",
    "map try own.yaml 1 --reveal because",
    "map publish broken.yaml",
    "map publish own.yaml --dry-run",
    "map publish own.yaml",
    "map publish own.yaml --json",
    "map publish examples.yaml",
    "map log poslog.retail --json",
    "map show poslog.retail@shipped",
    "map diff poslog.retail@shipped poslog.retail",
    "map diff own.yaml --json",
    "map rollback poslog.retail --dry-run",
    "map rollback poslog.retail",
    "map rollback poslog.retail --to shipped --json",
    "map rollback poslog.retail",
    "map rollback poslog.retail --to ffff",
    "map rollback poslog.nothing",
    "replay plan",
    "replay plan --all",
    "replay plan --source poslog --json",
    "replay plan --all --effects corrections",
    "replay plan --all --effects everything",
    "replay start --source nowhere --reason test --wait --json",
    "replay start --reason test",
    "replay start --source poslog --since 1h --reason test --wait",
    "replay start --kind order --reason test --wait --json",
    "map replay poslog.retail",
    "job run",
    "job pause 1",
    "job show 2",
    "job show 99",
    "job cancel 99",
    "message find --json",
    "message show 1 --json",
    "message show 1 --reveal because",
    "message show 9999 --reveal because",
    "message show 1 --original",
    "message show 1 --original --reveal because",
    "message show HELD --original --reveal because --json",
    "message show 9999 --original --reveal because",
    f"explain #{ORDER.number} bill_to",
    f"explain #{ORDER.number} --json",
    f"explain #{ORDER.number} --json --reveal because",
    f"explain #{ORDER.number} no.such.path",
    f"explain {SALE} lines[0]",
    "export",
    "export Customer Order",
    "export Nothing",
    "journal train --json",
    "journal train --source nowhere",
    "journal sweep --yes --json",
    "journal redact --message 1 --reason test --yes --json",
    "journal redact --message 9999 --reason test --yes",
    "message show 1 --original --reveal because",
    "journal stats --json",
    "message show 1 --json",
    "init",
]


def test_every_command_says_the_same_whether_a_hub_runs_or_not(
    both: dict[str, House], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    statuses = set()
    for command in COMMANDS:
        said = {}
        for way, house in both.items():
            held = next(iter(house.holds()), 999)
            with _in(house, monkeypatch, *_words(command.replace("HELD", str(held)))):
                status = _run()
            printed = capsys.readouterr()
            text = f"{printed.out}\n{printed.err}".replace(str(house.folder), "HOUSE")
            said[way] = (status, _same(text))
        assert said["there"] == said["here"], command
        statuses.add(said["here"][0])
    assert statuses == {0, 1, 2}
    assert both["here"].export() == both["there"].export()
    assert audited(both["here"]) == [line for line in audited(both["there"]) if line[0] != "hub"]


def _run() -> int:
    """What the program would end with."""
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _words(command: str) -> list[str]:
    """Split at blanks, or behind the first bar at bars, which words with blanks in them want."""
    first, *others = command.split("|")
    return [*first.split(), *others]


def audited(house: House) -> list[tuple[str, ...]]:
    """Who did what, the user of the machine being the same whichever way."""
    lines = select(house, "SELECT actor, act, subject, coalesce(detail, '') FROM audit ORDER BY id")
    user = getpass.getuser()
    return [
        (re.sub(f"^key .* command line, {user}$", user, actor), *map(_same, line))
        for actor, *line in lines
    ]
