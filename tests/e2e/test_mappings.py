"""Versions of mappings in the real program: published under traffic, killed, raced, undone."""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors import registry
from hub import bootstrap, library, publication
from hub.demo import poslog_writer
from hub.home import Home
from hub.publication import Target
from mappings.spec import version_of
from tests.e2e.conftest import ROOT
from tests.e2e.furnished import PROGRAM, select

if TYPE_CHECKING:
    from tests.e2e.conftest import House

RETAIL = Target("poslog", "retail")
SHIPPED, _ = library.shipped_text("poslog", "retail")


def variant(house: House, number: int) -> tuple[Path, str]:
    """A file with another version that makes the same documents, and its version."""
    text = f"{SHIPPED}# variant {number}\n"
    return house.file(text.encode(), f"variant-{number}.yaml"), version_of(text)


def published(house: House, file: Path) -> str:
    done = house.lynchpin("map", "publish", file, "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["version"])


def log(house: House) -> list[dict[str, Any]]:
    done = house.lynchpin("map", "log", "poslog.retail", "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_hub_that_is_up_takes_a_version_under_traffic_and_loses_nothing(house: House) -> None:
    first, second = variant(house, 1), variant(house, 2)
    key = house.key("source", "--source", "poslog")
    stop, sent = threading.Event(), Counter[int]()
    with house.up() as up, up.calling(key) as client:

        def send() -> None:
            for index in itertools.count():
                content = poslog_writer.sale(index, seed=5)
                answer = client.post("/sources/poslog/records", content=content)
                sent[answer.status_code] += 1
                if stop.wait(0.02):
                    return

        sender = threading.Thread(target=send)
        sender.start()
        try:
            _until_made_by(house, version_of(SHIPPED))
            assert published(house, first[0]) == first[1]
            _until_made_by(house, first[1])
            assert published(house, second[0]) == second[1]
            _until_made_by(house, second[1])
            back = house.lynchpin("map", "rollback", "poslog.retail", "--json")
            assert json.loads(back.stdout)["version"] == first[1]
            _until_made_by(house, first[1])
        finally:
            stop.set()
            sender.join()
        while select(house, "SELECT count(*) FROM message WHERE state = 'pending'") != [(0,)]:
            time.sleep(0.05)
    (count,) = sent.values()
    assert set(sent) == {202}
    applied = select(house, "SELECT state, count(*) FROM message GROUP BY state")
    assert applied == [("applied", count)]
    query = "SELECT d.mapping, m.mapping FROM document d JOIN message m ON m.id = d.message_id"
    made = select(house, f"{query} ORDER BY m.id")
    assert len(made) == count
    assert all(by == noted for by, noted in made)
    # Documents came to be in the order of their messages, so each version has one stretch.
    stretches = [version for version, _ in itertools.groupby(by for by, _ in made)]
    assert stretches == [version_of(SHIPPED), first[1], second[1], first[1]]
    assert [line["version"] for line in log(house)] == stretches


def _until_made_by(house: House, version: str) -> None:
    """Until the last document was made by this version."""
    query = "SELECT mapping FROM document ORDER BY message_id DESC LIMIT 1"
    while select(house, query) != [(version,)]:
        time.sleep(0.05)


def test_killed_while_it_publishes_there_is_the_old_one_or_the_new_one(house: House) -> None:
    known = {version_of(SHIPPED)}
    outcomes = Counter[str]()
    for number in range(6):
        file, version = variant(house, number)
        process = subprocess.Popen(
            [PROGRAM, "map", "publish", file],
            env={"LYNCHPIN_HOME": str(house.home), "PATH": "/usr/bin"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        before = log_here(house)
        _kill_near_the_end(process, house, number, before)
        after = log_here(house)
        assert after[: len(before)] == before
        assert after[len(before) :] in ([], [version])
        known.add(version)
        with bootstrap.open_hub(Home(house.home)) as hub, hub.engine.begin() as connection:
            assert library.in_force(connection, "poslog", "retail").version == after[-1]
            assert [line.hash for line in publication.log(connection, RETAIL)] == after
        audited = select(house, "SELECT count(*) FROM audit WHERE act = 'mapping.publish'")
        # No act without its line, and no line without its act.
        assert audited == [(len(after) - 1,)]
        outcomes["new" if len(after) > len(before) else "old"] += 1
    assert set(outcomes) == {"old", "new"}


def log_here(house: House) -> list[str]:
    rows = select(house, "SELECT hash FROM mapping_publication WHERE kind = 'retail' ORDER BY id")
    return [row[0] for row in rows]


def _kill_near_the_end(
    process: subprocess.Popen[bytes], house: House, number: int, before: list[str]
) -> None:
    """Killed at once, once it holds the home, or once its line is there and it may still run."""
    lock = house.home / "lock"
    while process.poll() is None:
        holds = lock.exists() and f"{process.pid}" in lock.read_text("utf-8", "replace")
        if number % 3 == 0 or (number % 3 == 1 and holds):
            break
        if number % 3 == 2 and log_here(house) != before:
            break
        time.sleep(0.001)
    process.kill()
    process.wait()


def test_two_publishers_at_once_are_both_in_the_log_in_one_order(house: House) -> None:
    files = [variant(house, number) for number in range(4)]
    with house.up():
        running = [
            subprocess.Popen(
                [PROGRAM, "map", "publish", file, "--json"],
                env={"LYNCHPIN_HOME": str(house.home), "PATH": "/usr/bin"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for file, _ in files
        ]
        said = [process.communicate(timeout=120) for process in running]
        assert [process.returncode for process in running] == [0] * 4, said
        lines = log(house)
        in_force = json.loads(house.lynchpin("map", "list", "--json").stdout)
    versions = [line["version"] for line in lines]
    assert versions[0] == version_of(SHIPPED)
    assert sorted(versions[1:]) == sorted(version for _, version in files)
    assert [line["id"] for line in lines] == sorted(line["id"] for line in lines)
    (row,) = (each for each in in_force if each["mapping"] == "poslog.retail")
    assert (row["version"], row["own"]) == (versions[-1], True)


def test_what_breaks_an_example_is_refused_and_nothing_changes(house: House) -> None:
    text = SHIPPED.replace("business_date:            BusinessDayDate", "receipt_:  x", 1)
    wrong = house.file(text.encode(), "wrong.yaml")
    broken = house.file(SHIPPED.replace("BusinessDayDate", "NoSuch", 1).encode(), "broken.yaml")
    with house.up():
        for file, code in ((wrong, "LP-MAP-004"), (broken, "LP-MAP-005")):
            done = house.lynchpin("map", "publish", file)
            assert done.returncode == 2
            assert code in done.stderr
        assert len(log(house)) == 1


def test_a_working_copy_of_the_home_goes_by_its_name(house: House) -> None:
    folder = house.home / "mappings" / "poslog"
    folder.mkdir(parents=True)
    (folder / "retail.yaml").write_text(f"{SHIPPED}# ours\n", "utf-8")
    done = house.lynchpin("map", "publish", "poslog.retail")
    assert done.returncode == 0, done.stderr
    name = select(house, "SELECT name FROM mapping_version WHERE text LIKE '%# ours%'")
    assert name == [("mappings/poslog/retail.yaml",)]
    shown = house.lynchpin("map", "show", "poslog.retail").stdout
    assert shown == f"{SHIPPED}# ours\n"


def test_trying_shows_each_value_masked_and_keeps_nothing(house: House) -> None:
    file, version = variant(house, 1)
    sale = house.file(poslog_writer.sale(seed=5), "sale.xml")
    done = house.lynchpin("map", "try", file, sale, "--json")
    assert done.returncode == 0, done.stderr
    (tried,) = json.loads(done.stdout)
    values = {row["path"]: row for row in tried["values"]}
    assert values["sequence"]["source"] == "SequenceNumber"
    assert values["sequence"]["rule"].startswith("sequence:")
    assert set(house.rows().items()) >= {("message", 0), ("record", 0), ("document", 0)}
    house.receive("poslog", sale)
    journalled = house.lynchpin("map", "try", file, "1", "--json")
    (again,) = json.loads(journalled.stdout)
    looked = "SELECT act, subject, detail FROM audit WHERE act IN ('read', 'reveal')"
    assert select(house, looked) == [("read", "message 1", None)]
    assert {**again, "message": 0} == {**tried, "message": 0}
    assert select(house, "SELECT mapping FROM document") == [(version_of(SHIPPED),)]
    assert version != version_of(SHIPPED)
    revealed = house.lynchpin("map", "try", file, "1", "--reveal", "because", "--json")
    assert revealed.returncode == 0, revealed.stderr
    because = ("reveal", "message 1", '{"reason": "because"}')
    assert select(house, looked) == [("read", "message 1", None), because]
    with house.up():
        assert house.lynchpin("map", "try", file, "1", "--json").stdout == journalled.stdout
        missing = house.lynchpin("map", "try", file, "77")
        assert "LP-HUB-004" in missing.stderr
    assert select(house, looked)[2:] == [("read", "message 1", None)]


def test_the_way_back_is_shown_and_the_document_itself_only_for_a_reason(house: House) -> None:
    text, _ = library.shipped_text("shopify", "order")
    file = house.file(text.encode(), "order.yaml")
    sample = registry.folder("shopify") / "samples/order-paid-bare.json"
    tried = house.lynchpin("map", "try", file, sample, "--back", "--json")
    assert tried.returncode == 0, tried.stderr
    (one,) = json.loads(tried.stdout)
    assert all(each["declared"] for each in one["back"]["lost"])
    assert "document" not in one["back"]
    order = json.loads(sample.read_text("utf-8"))
    assert order["email"]
    assert order["email"] not in tried.stdout
    revealed = house.lynchpin("map", "try", file, sample, "--back", "--reveal", "mine", "--json")
    (again,) = json.loads(revealed.stdout)
    assert json.loads(again["back"]["document"])["email"] == order["email"]
    head, _, tail = text.replace("direction: both\n", "").partition("\nlossy:")
    one_way = house.file(f"{head}\nignore:{tail.partition('ignore:')[2]}".encode(), "in.yaml")
    none = house.lynchpin("map", "try", one_way, sample, "--back")
    assert none.returncode == 2
    assert "LP-MAP-006" in none.stderr


def test_check_tells_what_the_text_leaves_open(house: House) -> None:
    text = f"{SHIPPED}# ours\n".replace("\ncodes:", "\ncodes:\n  idle: {a: b}", 1)
    checked = house.lynchpin("map", "check", house.file(text.encode(), "idle.yaml"), "--json")
    assert checked.returncode == 0, checked.stderr
    found = {(each["what"], each["subject"]) for each in json.loads(checked.stdout)["findings"]}
    assert ("idle_table", "idle") in found


def test_the_way_from_a_draft_to_what_is_in_force_is_as_the_page_says(house: House) -> None:
    page = (ROOT / "docs" / "mapping.md").read_text("utf-8")
    section = page.partition("\n## From a draft to what is in force\n")[2].partition("\n## ")[0]
    fence = section.partition("```text sketch\n")[2].partition("```")[0]
    commands = fence.splitlines()
    assert len(commands) == 10
    sample = registry.folder("shopify") / "samples/order-paid-bare.json"
    (house.folder / "one-order.json").write_bytes(sample.read_bytes())
    house.receive("shopify", sample)
    environment = {"LYNCHPIN_HOME": str(house.home), "PATH": f"{PROGRAM.parent}:/usr/bin:/bin"}
    with house.up():
        for command in commands:
            done = subprocess.run(
                command,
                shell=True,
                cwd=house.folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            said = f"{command}: {done.stderr}"
            # What differs from what is in force is told by the status as well.
            assert done.returncode == int("diff" in command), said
            if command.startswith("lynchpin map show"):
                file = house.folder / "order.yaml"
                file.write_text(f"{file.read_text('utf-8')}# ours\n", "utf-8")
    acts = "SELECT act FROM mapping_publication WHERE kind = 'order' ORDER BY id"
    assert select(house, acts) == [("shipped",), ("publish",), ("rollback",)]


def test_a_hub_killed_while_it_publishes_keeps_what_it_said_it_had_done(house: House) -> None:
    answered = Counter[bool]()
    for number in range(4):
        file, version = variant(house, 100 + number)
        before = log_here(house)
        with house.up() as up:
            process = subprocess.Popen(
                [PROGRAM, "map", "publish", file],
                env={"LYNCHPIN_HOME": str(house.home), "PATH": "/usr/bin"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if number % 2:
                while log_here(house) == before and process.poll() is None:
                    time.sleep(0.001)
            else:
                up.process.kill()
                up.process.wait()
                # Left without the hub it may do the work itself, once it has the home.
            up.process.kill()
            up.process.wait()
            done = process.wait(timeout=120) == 0
        after = log_here(house)
        assert after[: len(before)] == before
        assert after[len(before) :] in ([], [version])
        assert not done or after[-1] == version
        answered[after != before] += 1
        with bootstrap.open_hub(Home(house.home)) as hub, hub.engine.begin() as connection:
            assert library.in_force(connection, "poslog", "retail").version == after[-1]
    assert answered[True] >= 2
