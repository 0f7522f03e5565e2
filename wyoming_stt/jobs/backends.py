"""Which backend the settings name. What it needs beyond the package is imported here only."""

from pathlib import Path
from typing import Any, Final

from wyoming_stt.errors import SettingsError
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.polling import PollingFeed
from wyoming_stt.jobs.spool import FolderSpool, Spool, SpoolLimits
from wyoming_stt.jobs.sqlite import SqliteStore
from wyoming_stt.jobs.store import JobFeed, JobStore

__all__ = ["FILE", "open_backend", "open_spool"]

FILE: Final = "jobs.sqlite3"
"""Its name in the data folder; recordings are in `jobs` beside it."""
SOCKET_S: Final = 3.0
"""For Redis to answer: longer than a read waits for a message, and no longer than clients like to
wait for a 503."""
_EXTRA: Final = "needs another package: pip install 'wyoming-stt[{}]'"


def open_backend(options: JobsOptions, data: Path) -> tuple[JobStore, JobFeed]:
    """Make the store and the feed; nothing is connected yet.

    Raises:
        SettingsError: it needs a package that is not installed, or a file that cannot be read.
    """
    if options.backend == "sqlite":
        store = SqliteStore(data / FILE)
        return store, PollingFeed(store, options.beat_s)
    try:
        from redis.asyncio import Redis  # noqa: PLC0415
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415

        from wyoming_stt.jobs.cancellation import keep_cancellations  # noqa: PLC0415
        from wyoming_stt.jobs.cluster import ClusterFeed  # noqa: PLC0415
        from wyoming_stt.jobs.redis_store import RedisStore  # noqa: PLC0415
    except ImportError:
        raise SettingsError(f"jobs.backend {_EXTRA.format('redis')}") from None
    connection: dict[str, Any] = {
        # What fails is tried again by whoever wanted it. Redis's client would try again to send,
        # and for each time to connect, and for each time to say hello: it took minutes to fail.
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": SOCKET_S,
        "socket_connect_timeout": SOCKET_S,
    }
    if options.redis_password_file is not None:
        connection["password"] = _read(options.redis_password_file)
    client = Redis.from_url(options.backend, **connection)
    keep_cancellations(client.connection_pool)
    feed = ClusterFeed(client, options.backend, options.lease_s, **connection)
    return RedisStore(client), feed


def open_spool(options: JobsOptions, data: Path) -> Spool:
    """Make the spool in a folder, or in a store that fsspec knows.

    Raises:
        SettingsError: it needs a package that is not installed.
    """
    limits = SpoolLimits(options.max_upload_bytes, options.min_free_bytes)
    if options.folder is None or "://" not in options.folder:
        return FolderSpool(Path(options.folder or data / "jobs"), limits)
    try:
        from wyoming_stt.jobs.remote import RemoteSpool  # noqa: PLC0415

        return RemoteSpool(options.folder, limits)
    except ImportError as error:
        raise SettingsError(f"jobs.folder {_EXTRA.format('fsspec')} ({error})") from None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"jobs.redis_password_file {file}: {error}") from None
