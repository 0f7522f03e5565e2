"""Where jobs are kept, who does them, and how much is taken on."""

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from wyoming_stt.errors import SettingsError

__all__ = ["JobsOptions"]

_SCHEMES: Final = ("redis://", "rediss://", "unix://")
_MAY_BE_ZERO: Final = ("workers", "min_free_bytes", "niceness")
_MIN_BEATS: Final = 3
"""A worker may miss a beat or two before its job is given to another."""


@dataclass(frozen=True, slots=True)
class JobsOptions:
    """Long recordings, transcribed while nobody waits."""

    backend: str = field(default="sqlite", repr=False)
    """`sqlite`: a file in the data folder; `redis://[:password@]host[:port]/[db]` (`rediss://` with
    TLS): a queue for workers on any number of machines; `off`: no jobs."""
    redis_password_file: Path | None = None
    """A file that holds nothing but Redis's password, which need not be in `backend` then."""
    folder: str | None = None
    """Where recordings wait and results stay: a folder, for several machines a shared one, or the
    address of a store that fsspec knows (`s3://bucket/jobs`). Default: `jobs` in the data
    folder."""
    workers: int = 1
    """Jobs that are done at once in this process; 0: none, other processes do them."""
    niceness: int = 10
    """How far `wyoming-stt worker` steps back behind other programs, 0 to 19."""

    max_upload_bytes: int = 2 << 30
    """A recording: 18 hours of 16 kHz PCM."""
    max_duration_s: float = 86_400.0
    """Audio in one recording: a day. A small file can hold years of silence."""
    max_queued: int = 1_000
    """Jobs that may wait; one more is refused."""
    max_bytes: int = 10 << 30
    """Recordings that wait and results that are kept, together. The oldest results make room for
    new recordings."""
    min_free_bytes: int = 512 << 20
    """Disk space that is left to others."""
    keep_s: float = 604_800.0
    """How long a job that has ended can be asked for: a week."""

    max_tries: int = 5
    """Workers in a row that may fail, or die, at the same piece before the job is given up."""
    retry_s: float = 10.0
    """First pause of a job after a try that failed, or for which its recording could not be read;
    it doubles with each in a row, up to five minutes. Other jobs are done meanwhile."""
    beat_s: float = 2.0
    """Between two signs of life of a worker, and between two looks at the queue."""
    lease_s: float = 15.0
    """Without a sign of life, a worker's job is given to another after this time."""

    callback_hosts: tuple[str, ...] = ()
    """Hosts in private networks, by the name or address that clients give, that may be called back.
    Public ones may be without."""
    callback_secret: str | None = field(default=None, repr=False)
    """Key of the signatures of callbacks, as Standard Webhooks has it: `whsec_` and base64."""
    callback_tries: int = 8
    """After these, which take some hours, a callback is given up."""
    callback_timeout_s: float = 10.0
    """For the other side to answer."""

    def __post_init__(self) -> None:
        if self.backend not in {"sqlite", "off"} and not self.backend.startswith(_SCHEMES):
            raise SettingsError("backend must be sqlite, off, or like redis://host:6379/0")
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, int | float) and (
                value < 0 or not (value or name in _MAY_BE_ZERO)
            ):
                raise SettingsError(f"{name} must be above 0")
        if self.lease_s < _MIN_BEATS * self.beat_s:
            raise SettingsError(f"lease_s must be {_MIN_BEATS} times beat_s or more")
        if self.callback_secret is not None and not _is_secret(self.callback_secret):
            raise SettingsError("callback_secret must be whsec_ and base64")


def _is_secret(text: str) -> bool:
    prefix, _, key = text.partition("_")
    try:
        return prefix == "whsec" and len(base64.b64decode(key, validate=True)) > 0
    except ValueError:
        return False
