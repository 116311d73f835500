"""A disk that is full for a while, and one that fails."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["failing", "filled", "small_disk"]


@contextmanager
def small_disk(disk: Path, megabytes: int) -> Iterator[Path]:
    """A folder with so much room and no more; only root can have one."""
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip()
        raise AssertionError(f"a small disk takes root and the right to mount: {said}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)  # noqa: S607


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Take the last of the room, and give it back at the end."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        while room := os.statvfs(disk).f_bavail:
            # Whoever works there may be quicker, and leave less room than there was.
            with suppress(OSError):
                taken = os.fstat(file.fileno()).st_size
                os.posix_fallocate(file.fileno(), taken, room * os.statvfs(disk).f_frsize)
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def failing(*processes: int) -> Iterator[None]:
    """Have every fsync of these processes fail with EIO until the end; takes strace."""
    strace = ["strace", "-f", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]
    strace += ["-e", "inject=fsync,fdatasync:error=EIO"]
    strace += [f"--attach={number}" for number in processes]
    with subprocess.Popen(strace, stderr=subprocess.PIPE, text=True) as tracer:
        try:
            assert tracer.stderr is not None
            for _ in processes:
                said = tracer.stderr.readline()
                assert "attached" in said, f"strace does not get hold of the hub: {said}"
            yield
        finally:
            # Told to end, it lets go of them first.
            tracer.send_signal(signal.SIGTERM)
            tracer.wait()
