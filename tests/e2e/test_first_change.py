"""``docs/first-change.md``, typed into a hub that is up while its tills go on selling."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hub.demo import poslog_writer, till
from hub.demo.receipt import Receipt
from hub.demo.retailer import NEW_YORK
from tests.e2e.store import is_settled, wait_until

if TYPE_CHECKING:
    from tests.e2e.conftest import House, Up

PAGE = Path(__file__).resolve().parents[2] / "docs" / "first-change.md"
BLOCK = re.compile(r"^```\S+(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
NEW = b'TenderType="Wallet"'
_PAID_BY_CARD = next(
    entry
    for entry in till.day(NEW_YORK, seed=11)
    if isinstance(entry, Receipt)
    and entry.lines
    and not entry.returns
    and [tender.kind for tender in entry.tenders] == ["card"]
)


def _sale(number: int, *, wallet: bool) -> bytes:
    receipt = replace(_PAID_BY_CARD, till="77", sequence=number)
    piece = poslog_writer.transaction(receipt)
    content = b"".join(poslog_writer.document([piece], dialect="v2"))
    return content.replace(b'TenderType="CreditDebit"', NEW) if wallet else content


def _send(up: Up, key: str, *numbers: int, wallet: bool = True) -> None:
    with up.calling(key) as client:
        for number in numbers:
            sent = client.post("/sources/poslog/records", content=_sale(number, wallet=wallet))
            assert sent.status_code == 202, sent.text


def _told(text: str) -> str:
    """What a command said, as words with single blanks."""
    return re.sub(r"[\s┃│┏┓┗┛┡┩└┘━─┳┻╇┴┬├┤┼]+", " ", text).strip()


def _expected(lines: list[str], plan: str) -> re.Pattern[str]:
    """What a page says that a command says: ``...`` for anything in between."""
    text = _told(" ".join(lines)).replace("--plan PLAN", f"--plan {plan}" if plan else "--plan ...")
    parts = [re.escape(part.strip()) for part in text.split("...")]
    return re.compile(".*?".join(part for part in parts if part), re.DOTALL)


def _typed(house: House, block: str, plan: str) -> str:
    """Type the commands of a block and compare what they say; gives the plan that they made."""
    for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *expected = session.splitlines()
        done = house.lynchpin(*shlex.split(command.replace("PLAN", plan))[1:])
        said = _told(done.stdout)
        # `diff` ends with 1 where something differs, as everybody's does.
        assert done.returncode == (" diff " in command), f"{command}: {said} {done.stderr}"
        found = re.search(r"--plan (\S+?)`?$", said)
        plan = found[1] if found else plan
        assert _expected(expected, plan).search(said), f"{command} said: {said}"
    return plan


def _kinds(house: House) -> dict[str, str]:
    rows = map(json.loads, house.export("Transaction").splitlines())
    return {row["fact"]: row["document"]["tenders"][0]["kind"] for row in rows}


def test_the_page_is_what_happens(house: House) -> None:
    plan = ""
    blocks = list(BLOCK.finditer(PAGE.read_text("utf-8")))
    assert len(blocks) >= 9
    with house.up() as up:
        key = house.key("source", "--source", "poslog")
        _send(up, key, 1, 2, 3)
        _send(up, key, 4, wallet=False)
        wait_until(lambda: is_settled(house.home), "what was sent is not settled")
        for number, block in enumerate(blocks, 5):
            if block["file"]:
                file = house.home / block["file"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block["text"], "utf-8")
            else:
                plan = _typed(house, block["text"], plan)
            # Meanwhile the tills go on.
            _send(up, key, number, wallet=False)
        assert up.process.poll() is None
    assert _kinds(house)["poslog:9001/77/2026-03-02/4"] == "card"
