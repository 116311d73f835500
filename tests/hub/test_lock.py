from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.home import Home, create
from hub.lock import hold
from schemas.problem import ConfigError

HOLDER = """
import sys
from pathlib import Path
from hub.home import Home
from hub.lock import hold
with hold(Home(Path(sys.argv[2]))):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    create(home, ["poslog"])
    return home


@contextmanager
def holder(home: Home) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until it reads a line or is killed."""
    command = [sys.executable, "-c", HOLDER, "receive", str(home.path)]
    root = Path(__file__).parents[2]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()


def test_a_second_writer_is_told_who_holds_the_home(home: Home) -> None:
    with holder(home) as child:
        with pytest.raises(ConfigError) as refused, hold(home, wait_seconds=0.1):
            pass
        problem = refused.value.problem
        assert problem.code == "LP-CFG-003"
        assert f"process {child.pid}," in (problem.detail or "")
        assert "receive" in (problem.detail or "")
        assert str(home.path) not in (problem.detail or "")


def test_whoever_waits_gets_it_when_the_holder_is_done(home: Home) -> None:
    with holder(home) as child:
        assert child.stdin
        child.stdin.write("\n")
        child.stdin.flush()
        with hold(home, wait_seconds=30):
            assert f"process {os.getpid()}," in home.lock.read_text()


def test_a_killed_holder_leaves_nothing_behind(home: Home) -> None:
    with holder(home) as child:
        child.send_signal(signal.SIGKILL)
        child.wait()
        with hold(home):
            pass


def test_the_lock_is_free_after_the_block_even_if_it_failed(home: Home) -> None:
    with pytest.raises(ZeroDivisionError), hold(home):
        raise ZeroDivisionError
    with hold(home):
        pass


def test_a_process_cannot_hold_it_twice(home: Home) -> None:
    with hold(home), pytest.raises(ConfigError, match="LP-CFG-003"), hold(home):
        pass


def test_a_forked_child_does_not_keep_it(home: Home) -> None:
    with hold(home):
        child = os.fork()
        if not child:
            signal.pause()
            os._exit(0)
    try:
        with hold(home):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_the_lock_is_the_owners_alone(home: Home) -> None:
    before = os.umask(0)
    try:
        with hold(home):
            assert stat.S_IMODE(home.lock.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_without_a_home_there_is_nothing_to_hold(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lynchpin init"), hold(Home(tmp_path / "nowhere")):
        pass
