"""The part of the contract about importing a connector: only when asked, and without effects."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from connectors.registry import GROUP

__all__ = ["importing_does_nothing", "manifest_is_read_without_import"]


def manifest_is_read_without_import(connector: str) -> None:
    """Listing connectors imports none of their code."""
    _in_new_process(
        connector,
        "registry.manifests()[entry.name]",
        "assert entry.module not in sys.modules, entry.module + ' was imported'",
    )


def importing_does_nothing(connector: str) -> None:
    """Importing the connector opens no socket, starts no process and writes no file."""
    _in_new_process(
        connector,
        "def hook(event, args):",
        "    is_write = event == 'open' and (set(str(args[1])) & set('wax+') or args[2] & 3)",
        "    forbidden = event.split('.')[0] in ('socket', 'subprocess', 'sqlite3', 'tempfile')",
        "    changing = ('os.mkdir', 'os.remove', 'os.rename', 'os.system', 'os.truncate')",
        "    if is_write or forbidden or event in changing:",
        "        raise AssertionError(f'importing does {event} {args}')",
        "sys.addaudithook(hook)",
        "entry.load()",
    )


def _in_new_process(connector: str, *lines: str) -> None:
    """Run code where nothing was imported yet; ``entry`` is the connector's entry point."""
    head = (
        "import sys",
        "from importlib.metadata import entry_points",
        "from connectors import registry",
        f"(entry,) = entry_points(group={GROUP!r}, name={connector!r})",
    )
    run = subprocess.run(  # noqa: S603 (our own code)
        [sys.executable, "-B", "-c", "\n".join(head + lines)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(p).resolve()) for p in sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
