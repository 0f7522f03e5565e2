"""Processes that are killed at every step at which they change something on the disk."""

import itertools
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["each_kill"]

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

_processes = multiprocessing.get_context("forkserver")


def each_kill(data_dir: Path, action: Callable[..., object], *args: object) -> Iterator[Path]:
    """Yield copies of a data folder on which `action(copy, *args)` was killed.

    The first dies before its first change of the disk, the next before its second, and so on; the
    last comes to its end.
    """
    for step in itertools.count(1):
        copy = data_dir.with_name(f"killed-{step}")
        shutil.copytree(data_dir, copy)
        process = _processes.Process(target=_die, args=(step, action, copy, *args))
        process.start()
        process.join()
        assert process.exitcode in {0, -signal.SIGKILL}
        yield copy
        shutil.rmtree(copy)
        if process.exitcode == 0:
            return


def _die(step: int, action: Callable[..., object], *args: object) -> None:
    left = itertools.count(step - 1, -1)

    def look(event: str, details: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(details[2], int) and details[2] & WRITING
        if (writes or event in CHANGES) and next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)
    action(*args)
