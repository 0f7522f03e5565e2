"""Downloads: resumed where they broke off, tried again, verified while they stream.

Whatever the server does, `Downloader.fetch` returns a file with the right bytes or raises.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
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
from wyoming_stt.store.plausible import implausible
from wyoming_stt.store.progress import Phase, Report, Step
from wyoming_stt.store.replies import HOPELESS, explain, read_reply

__all__ = ["Downloader"]

USER_AGENT: Final = f"wyoming-stt/{__version__}"
PIECE_BYTES: Final = 1 << 16
PROGRESS_BYTES: Final = 1 << 20
"""A try that came as much further than any has got ahead: those before it no longer count."""
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


def _anywhere(_size: int, _missing: int) -> None:
    """Find room for everything."""


@dataclass(slots=True)
class Downloader:
    """Fetches files; one per operation, used by one thread."""

    options: StoreOptions
    report: Report
    stop: Event
    """Set by another thread to end the operation."""
    room: Callable[[int, int], None] = _anywhere
    """Called with the size of a file, as far as it is known, and how much of it is missing, before
    it is written and while it is: others write to that disk, too. Raises where that is too much."""

    def fetch(self, remote: Remote, target: Path, sha256: str | None) -> str:
        """Download a file; a part of it that lies beside `target` is taken up again.

        Args:
            remote: what and from where.
            target: where to; what is there already is kept when it has the right checksum.
            sha256: what it has to be; None: anything that can be right.

        Returns:
            The checksum.

        Raises:
            StorageError: `room` found none.
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
            for url in self.options.addresses(remote.urls):
                if sha256 is None and partial.url != url:
                    partial.restart()
                try:
                    found = self._whole(url, remote, partial, sha256)
                except _Refused as error:
                    failures.append(f"{url}: {error}")
                    continue
                if sha256 is None:
                    fault = implausible(partial.flush(), remote.path)
                else:
                    fault = f"expected sha256 {sha256}, found {found}" if found != sha256 else None
                if fault is None:
                    partial.complete(target)
                    return found
                failures.append(f"{url}: {fault}")
                damaged |= sha256 is not None
                partial.restart()
        raise _failure(remote.path, failures, damaged=damaged)

    def _whole(self, url: str, remote: Remote, partial: Partial, sha256: str | None) -> str:
        """Fill `partial` from one address and return its checksum.

        Parts that do not fit together may be at fault when it is wrong, so there is a second try
        then.

        Raises:
            _Refused: it cannot be had there.
        """
        self._download(url, remote, partial, sha256)
        if partial.joined and sha256 not in {None, partial.sha256}:
            partial.restart()
            self._download(url, remote, partial, sha256)
        return partial.sha256

    def _download(self, url: str, remote: Remote, partial: Partial, sha256: str | None) -> None:
        """Fill `partial` from one address; with a checksum, its bytes may come from several.

        Raises:
            _Refused: it cannot be had there.
        """
        tries, furthest = 0, partial.size
        with requests.Session() as session:
            session.max_redirects = MAX_REDIRECTS
            while True:
                try:
                    return self._try(session, url, remote, partial, sha256)
                except _Interrupted as error:
                    # Ahead of all tries, not of the last: that one may have had to begin anew.
                    got_ahead = partial.size >= furthest + PROGRESS_BYTES
                    furthest = partial.size if got_ahead else furthest
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
        sha256: str | None,
    ) -> None:
        # With the right checksum nothing is missing, whatever a server says about lengths.
        if partial.size and (partial.size == remote.size or partial.sha256 == sha256):
            return
        headers = {}
        # Only a checksum or a tag can tell that the rest belongs to what is here.
        if partial.size and (sha256 or partial.tag):
            headers["Range"] = f"bytes={partial.size}-"
            if not sha256 and partial.tag:
                headers["If-Range"] = partial.tag
        with self._ask(session, url, headers) as response:
            reply = read_reply(response, partial.size if headers else 0, remote.size)
            if reply.refusal:
                raise _Refused(reply.refusal)
            if reply.restart:
                partial.restart(url, reply.tag)
            if reply.interruption:
                raise _Interrupted(reply.interruption, min(reply.wait_s, MAX_WAIT_S))
            if "If-Range" in headers and reply.tag not in {None, partial.tag}:
                partial.restart()
                raise _Interrupted("sends the rest of something else")
            self._receive(response, remote, partial, reply.total)
        if remote.size is None and sha256 != partial.sha256:
            self._look_past_the_end(session, url, partial)

    def _ask(
        self, session: requests.Session, url: str, headers: dict[str, str]
    ) -> requests.Response:
        """Send a request; the body is left to be read.

        Raises:
            _Interrupted: no answer came.
            _Refused: none ever will.
        """
        # Compressed on the way, the bytes would be others than those of the checksum.
        headers = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT, **headers}
        timeout = (self.options.connect_timeout_s, self.options.stall_timeout_s)
        try:
            return session.get(url, headers=headers, stream=True, timeout=timeout)
        except HOPELESS as error:
            raise _Refused(explain(error)) from None
        except (RequestException, HTTPError) as error:
            raise _Interrupted(explain(error)) from None
        except ValueError:  # the library is not prepared for all that a server can write there
            raise _Refused("redirects to an address that is none") from None

    def _receive(
        self, response: requests.Response, remote: Remote, partial: Partial, said: int | None
    ) -> None:
        """Append the body to `partial`; `said` is the size that the server says.

        Raises:
            _Interrupted: it ended too soon, or stalled, or is not as long as was said.
            _Refused: it is longer than the file.
        """
        total = remote.size or said
        partial.joined |= partial.size > 0
        looked_at = -PROGRESS_BYTES
        for data in self._pieces(response):
            if partial.size + len(data) > (total or MAX_DOWNLOAD_BYTES):
                partial.restart()
                error = _Refused if remote.size or not said else _Interrupted
                raise error(f"more than the expected {total or MAX_DOWNLOAD_BYTES} bytes")
            if partial.size >= looked_at + PROGRESS_BYTES:
                looked_at = partial.size
                self.room(total or partial.size, total - partial.size if total else 0)
            partial.append(data)
            self.report(Step(Phase.DOWNLOADING, remote.path, partial.size, total))
        if not partial.size:
            raise _Interrupted("sent nothing")
        if total is not None and partial.size < total:
            raise _Interrupted(f"ended after {partial.size} of {total} bytes")

    def _look_past_the_end(self, session: requests.Session, url: str, partial: Partial) -> None:
        """Ask for what would follow, where nothing but the server tells how long a file is.

        Half a file would be held to from then on as if it were the whole.

        Raises:
            _Interrupted: there is more.
        """
        size, whole = partial.size, None
        with (
            suppress(_Interrupted, _Refused),
            self._ask(session, url, {"Range": f"bytes={size}-"}) as response,
        ):
            whole = read_reply(response, size).total
        if whole is not None and whole > size:
            partial.restart()
            raise _Interrupted(f"ended after {size} of {whole} bytes")

    def _pieces(self, response: requests.Response) -> Iterator[bytes]:
        """Read what comes as it comes.

        Raises:
            _Interrupted: it broke off, or next to nothing came for too long.
        """
        since, received = time.monotonic(), 0
        while True:
            self._check()
            try:
                data = response.raw.read1(PIECE_BYTES, decode_content=False)
            except HTTPError as error:
                raise _Interrupted(explain(error)) from None
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


def _failure(path: str, failures: list[str], *, damaged: bool) -> ModelError:
    reasons = "\n  ".join(failures)
    if damaged:
        return ChecksumError(f"{path} is not what was published, so it is not used:\n  {reasons}")
    return DownloadError(f"{path} cannot be downloaded:\n  {reasons}")
