"""One file to download from a test server, and what happened on the way."""

import threading
from hashlib import sha256
from pathlib import Path

from tests.support.hostile_http import HostileServer
from wyoming_stt.store.catalog import Remote
from wyoming_stt.store.download import Downloader
from wyoming_stt.store.options import StoreOptions
from wyoming_stt.store.progress import Phase, Step

__all__ = ["CONTENT", "DIGEST", "QUICK", "Fetch", "StopAfter", "StopAt"]

CONTENT = bytes(range(256)) * 2000
DIGEST = sha256(CONTENT).hexdigest()
QUICK = StoreOptions(attempts=4, backoff_s=0.001, connect_timeout_s=1.0, stall_timeout_s=0.2)


class Fetch:
    """One file at /file, and what happened on the way."""

    def __init__(self, server: HostileServer, folder: Path) -> None:
        self.server = server
        self.target = folder / "file"
        self.part = folder / "file.part"
        self.steps: list[Step] = []
        self.stop = threading.Event()
        self.options = QUICK

    def __call__(
        self, *paths: str, size: int | None = len(CONTENT), sha: str | None = DIGEST
    ) -> str:
        urls = tuple(self.server.url(path) for path in paths or ("/file",))
        remote = Remote(path="bpe.model", urls=urls, size=size, sha256=sha)
        downloader = Downloader(self.options, self.steps.append, self.stop)
        return downloader.fetch(remote, self.target, sha)

    def retries(self) -> list[str]:
        return [step.what for step in self.steps if step.phase is Phase.RETRYING]


class StopAfter(list[Step]):
    def __init__(self, stop: threading.Event, num_bytes: int) -> None:
        self._stop, self._num_bytes = stop, num_bytes

    def append(self, step: Step) -> None:
        if step.done > self._num_bytes:
            self._stop.set()


class StopAt(list[Step]):
    def __init__(self, stop: threading.Event, phase: Phase) -> None:
        self._stop, self._phase = stop, phase

    def append(self, step: Step) -> None:
        if step.phase is self._phase:
            self._stop.set()
