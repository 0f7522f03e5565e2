"""One process at a time works on a model."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Final

from filelock import FileLock, Timeout

from wyoming_stt.errors import ShuttingDownError, StoreBusyError
from wyoming_stt.store.durable import storage_errors
from wyoming_stt.store.progress import Phase, Report, Step, silent

__all__ = ["hold"]

POLL_S: Final = 0.1
"""The system's locks do not tell when they become free."""


@contextmanager
def hold(
    path: Path, timeout_s: float, report: Report = silent, stop: Event | None = None
) -> Iterator[None]:
    """Hold a lock file while the block runs; the system frees it when the process dies.

    Raises:
        StoreBusyError: another process holds it for longer than `timeout_s`.
        ShuttingDownError: `stop` was set while waiting.
        StorageError: the file cannot be made.
    """
    stop = stop or Event()
    # Several threads of one process exclude one another, too.
    lock = FileLock(path, thread_local=False)
    with storage_errors(f"lock {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout_s
    while not _try(lock):
        report(Step(Phase.WAITING, path.stem))
        if time.monotonic() > deadline:
            raise StoreBusyError(
                f"another process has been at the model {path.stem} for {timeout_s:g} s (it holds "
                f"{path}): let it finish, or end it, and try again"
            )
        if stop.wait(POLL_S):
            raise ShuttingDownError("stopped while another process worked on the model")
    try:
        yield
    finally:
        lock.release()


def _try(lock: FileLock) -> bool:
    """Take the lock if it is free.

    Raises:
        StorageError: the file cannot be made.
    """
    with storage_errors(f"lock {lock.lock_file}"):
        try:
            lock.acquire(timeout=0)
        except Timeout:  # an OSError, too
            return False
    return True
