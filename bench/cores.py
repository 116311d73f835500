"""What the processors of a machine do at once, of what one of them does alone.

Two processors of a rented machine may be the two halves of one, or shared with strangers. What is
done in a second by two processes can only be read beside this.
"""

from __future__ import annotations

import subprocess
import sys
import time

__all__ = ["both_of_one"]

_LOOP = """
import sys, time
sys.stdin.readline()
since, done, value = time.monotonic(), 0, 0
while time.monotonic() - since < 1:
    for number in range(10_000):
        value += number * number % 7
    done += 1
print(done)
"""


def both_of_one() -> float:
    """How often as much two processes do in a second as one alone: 2 on two processors."""
    alone = _done(1)
    time.sleep(0.1)
    return _done(2) / alone


def _done(count: int) -> int:
    """What so many processes get done together in a second."""
    loops = [
        subprocess.Popen(
            [sys.executable, "-c", _LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    for loop in loops:
        assert loop.stdin is not None
        loop.stdin.write("\n")
        loop.stdin.flush()
    return sum(int(loop.communicate()[0]) for loop in loops)
