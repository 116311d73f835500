"""Where CI is set no test may be skipped, however it goes about it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"

CASES = {
    "test_by_mark.py": "@pytest.mark.skipif(True, reason='no')\ndef test_a(): pass",
    "test_in_body.py": "def test_b(): pytest.skip('no')",
    "test_by_fixture.py": "@pytest.fixture\ndef f(): pytest.skip('no')\ndef test_c(f): pass",
    "test_whole.py": "pytest.skip('no', allow_module_level=True)",
    "test_expected.py": "@pytest.mark.xfail(strict=True)\ndef test_d(): assert False",
    "test_good.py": "def test_e(): pass",
}


def _run(folder: Path, *, ci: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(CONFTEST, folder)
    for name, body in CASES.items():
        (folder / name).write_text(f"import pytest\n{body}\n", "utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "CI"))}
    options = ["-ra", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        env=environment | ({"CI": ci} if ci else {}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_in_ci_every_way_of_skipping_fails(tmp_path: Path) -> None:
    run = _run(tmp_path, ci="true")
    assert run.returncode != 0
    assert "skipped although CI is set" in run.stdout
    for name in ("test_by_mark.py", "test_in_body.py", "test_by_fixture.py", "test_whole.py"):
        assert f"ERROR {name}" in run.stdout or f"FAILED {name}" in run.stdout, name
    assert "1 passed" in run.stdout
    assert "1 xfailed" in run.stdout


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    run = _run(tmp_path, ci="")
    assert run.returncode == 0, run.stdout
    assert "4 skipped" in run.stdout
