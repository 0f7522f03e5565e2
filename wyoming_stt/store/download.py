"""Downloads: resumed where they broke off, tried again, verified while they stream.

Whatever the server does, `Downloader.fetch` returns a file with the right bytes or raises.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

import requests
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from wyoming_stt import __version__
from wyoming_stt.errors import (
    ChecksumError,
    DownloadError,
    ModelError,
    OfflineError,
    ShuttingDownError,
)
from wyoming_stt.store.catalog import MAX_DOWNLOAD_BYTES, Remote
from wyoming_stt.store.options import StoreOptions
from wyoming_stt.store.partial import Partial
from wyoming_stt.store.progress import Phase, Report, Step
from wyoming_stt.store.replies import HOPELESS, Reply, explain, read_reply

__all__ = ["Downloader"]

PIECE_BYTES: Final = 1 << 16
PROGRESS_BYTES: Final = 1 << 20
"""A try that brought as much has got ahead: the tries before it no longer count."""
TRICKLE_BYTES: Final = 4096
"""Less than this in `stall_timeout_s` is a stall: 3 MB would take more than six hours."""
MAX_WAIT_S: Final = 60.0
"""Longest wait between two tries, whatever the server asks for."""
MAX_REDIRECTS: Final = 5
"""Publishers use one, to their delivery network."""


class _Interrupted(Exception):  # noqa: N818 - never leaves this module
    """Worth another try at the same address."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class _Refused(Exception):  # noqa: N818 - never leaves this module
    """This address will not give the file."""


@dataclass(slots=True)
class Downloader:
    """Fetches files; one per operation, used by one thread."""

    options: StoreOptions
    report: Report
    stop: Event
    """Set by another thread to end the operation."""

    def fetch(self, remote: Remote, target: Path, sha256: str | None) -> str:
        """Download a file; a part of it that lies beside `target` is taken up again.

        Args:
            remote: what and from where.
            target: where to; what is there already is kept when it has the right checksum.
            sha256: what it has to be; None: anything of the right size.

        Returns:
            The checksum.

        Raises:
            DownloadError: no address gave the file.
            ChecksumError: an address gave other bytes, and no other gave the right ones.
            OfflineError: the settings forbid the network.
            ShuttingDownError: `stop` was set.
            OSError: the disk refused.
        """
        if self.options.offline:
            raise OfflineError(
                f"{remote.path} has to be downloaded, and the setting store.offline forbids it"
            )
        failures: list[str] = []
        damaged = False
        with Partial(target.with_suffix(".part")) as partial:
            for url in self._addresses(remote):
                if sha256 is None and partial.url != url:
                    partial.restart()
                try:
                    found = self._whole(url, remote, partial, sha256)
                except _Refused as error:
                    failures.append(f"{url}: {error}")
                    continue
                if sha256 in {None, found}:
                    partial.complete(target)
                    return found
                failures.append(f"{url}: expected sha256 {sha256}, found {found}")
                damaged = True
                partial.restart()
        raise _failure(remote.path, failures, damaged=damaged)

    def _addresses(self, remote: Remote) -> Iterator[str]:
        for url in remote.urls:
            for mirror in self.options.mirrors:
                original, replacement = mirror.split("=")
                if url.startswith(original):
                    yield replacement + url.removeprefix(original)
        yield from remote.urls

    def _whole(self, url: str, remote: Remote, partial: Partial, sha256: str | None) -> str:
        """Fill `partial` from one address and return its checksum.

        What an earlier run left may be at fault when it is wrong, so there is a second try then.

        Raises:
            _Refused: it cannot be had there.
        """
        resumed = partial.size > 0
        self._download(url, remote, partial, trusted=sha256 is not None)
        if resumed and sha256 not in {None, partial.sha256}:
            partial.restart()
            self._download(url, remote, partial, trusted=sha256 is not None)
        return partial.sha256

    def _download(self, url: str, remote: Remote, partial: Partial, *, trusted: bool) -> None:
        """Fill `partial` from one address; `trusted`: a checksum tells in the end what it is.

        Raises:
            _Refused: it cannot be had there.
        """
        tries = 0
        with requests.Session() as session:
            session.max_redirects = MAX_REDIRECTS
            while True:
                before = partial.size
                try:
                    return self._try(session, url, remote, partial, trusted=trusted)
                except _Interrupted as error:
                    # Shrunk: the server ignored the range, and everything began anew.
                    got_ahead = partial.size - before >= PROGRESS_BYTES
                    tries = 1 if got_ahead else tries + 1
                    if tries >= self.options.attempts:
                        raise _Refused(f"{error}, {tries} times") from None
                    self.report(Step(Phase.RETRYING, str(error), partial.size, remote.size))
                    self._wait(max(self._backoff_s(tries), error.wait_s))

    def _try(
        self,
        session: requests.Session,
        url: str,
        remote: Remote,
        partial: Partial,
        *,
        trusted: bool,
    ) -> None:
        if partial.size == remote.size:
            return
        headers = {
            # Compressed on the way, the bytes would be others than those of the checksum.
            "Accept-Encoding": "identity",
            "User-Agent": f"wyoming-stt/{__version__}",
        }
        # Only a checksum or a tag can tell that the rest belongs to what is here.
        if partial.size and (trusted or partial.tag):
            headers["Range"] = f"bytes={partial.size}-"
            if not trusted and partial.tag:
                headers["If-Range"] = partial.tag
        timeout = (self.options.connect_timeout_s, self.options.stall_timeout_s)
        try:
            with session.get(url, headers=headers, stream=True, timeout=timeout) as response:
                reply = read_reply(response, partial.size if "Range" in headers else 0)
                if reply.restart:
                    partial.restart(url, reply.tag)
                if reply.refusal:
                    raise _Refused(reply.refusal)
                if reply.interruption:
                    raise _Interrupted(reply.interruption, min(reply.wait_s, MAX_WAIT_S))
                self._receive(response, remote, partial, _total(reply, remote))
        except HOPELESS as error:
            raise _Refused(explain(error)) from None
        except (RequestException, HTTPError) as error:
            raise _Interrupted(explain(error)) from None

    def _receive(
        self, response: requests.Response, remote: Remote, partial: Partial, total: int | None
    ) -> None:
        """Append the body to `partial`.

        Raises:
            _Interrupted: it ended too soon, or stalled.
            _Refused: it is longer than the file.
        """
        for data in self._pieces(response):
            if partial.size + len(data) > (total or MAX_DOWNLOAD_BYTES):
                partial.restart()
                raise _Refused(f"more than the expected {total or MAX_DOWNLOAD_BYTES} bytes")
            partial.append(data)
            self.report(Step(Phase.DOWNLOADING, remote.path, partial.size, total))
        if total is not None and partial.size < total:
            raise _Interrupted(f"ended after {partial.size} of {total} bytes")

    def _pieces(self, response: requests.Response) -> Iterator[bytes]:
        """Read what comes as it comes.

        Raises:
            _Interrupted: next to nothing came for too long.
        """
        since, received = time.monotonic(), 0
        while True:
            self._check()
            data = response.raw.read1(PIECE_BYTES, decode_content=False)
            if not data:
                return
            yield data
            received += len(data)
            now = time.monotonic()
            if now - since > self.options.stall_timeout_s:
                if received < TRICKLE_BYTES:
                    raise _Interrupted(f"only {received} bytes in {now - since:.0f} s")
                since, received = now, 0

    def _backoff_s(self, tries: int) -> float:
        """Double with each try; the random part keeps many clients from coming at once."""
        longest = min(self.options.backoff_s * 2.0 ** (tries - 1), MAX_WAIT_S)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311

    def _wait(self, seconds: float) -> None:
        self.stop.wait(seconds)
        self._check()

    def _check(self) -> None:
        if self.stop.is_set():
            raise ShuttingDownError("the download was stopped; it goes on where it was next time")


def _total(reply: Reply, remote: Remote) -> int | None:
    """Return the size of the whole file.

    Raises:
        _Refused: the server has a file of another size.
    """
    if remote.size and reply.total and reply.total != remote.size:
        raise _Refused(f"has {reply.total} bytes instead of the published {remote.size}")
    if (reply.total or 0) > MAX_DOWNLOAD_BYTES:
        raise _Refused(f"has {reply.total} bytes, more than a model may have")
    return remote.size or reply.total


def _failure(path: str, failures: list[str], *, damaged: bool) -> ModelError:
    reasons = "\n  ".join(failures)
    if damaged:
        return ChecksumError(f"{path} is not what was published, so it is not used:\n  {reasons}")
    return DownloadError(f"{path} cannot be downloaded:\n  {reasons}")
