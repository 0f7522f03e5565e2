"""A download that is not complete yet: its bytes, their checksum so far, whose bytes they are."""

import json
import os
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from wyoming_stt.store.durable import CHUNK_BYTES, replace

__all__ = ["Partial"]

MAX_TAG_BYTES: Final = 4096
"""An address and an entity tag take some 200."""


class Partial:
    """The part file of one download; a context manager.

    What an earlier run left is taken up again. `url` and `tag` tell whose bytes they are: without
    a checksum, a server is asked for the rest only if it is the same one, and only on condition
    that it still has the content of that tag (`If-Range`).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tag_path = path.with_suffix(".tag")
        self._file = path.open("a+b")
        self._digest = sha256()
        self._file.seek(0)
        while chunk := self._file.read(CHUNK_BYTES):
            self._digest.update(chunk)
        self.size = self._file.tell()
        self.joined = self.size > 0
        """Whether the bytes came in several answers, which may not belong together."""
        self.url, self.tag = _read_tag(self._tag_path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """Checksum of the bytes so far, in hexadecimal."""
        return self._digest.hexdigest()

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    def restart(self, url: str | None = None, tag: str | None = None) -> None:
        """Throw all bytes away; those to come are from `url` and belong to `tag`."""
        self._file.truncate(0)
        self._digest = sha256()
        self.size, self.joined, self.url, self.tag = 0, False, url, tag
        self._tag_path.write_text(json.dumps([url, tag]), encoding="utf-8")

    def flush(self) -> Path:
        """Let others read all the bytes so far; return where."""
        self._file.flush()
        return self._path

    def complete(self, target: Path) -> None:
        """Bring the bytes to the disk and give the file its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        replace(self._path, target)
        self._tag_path.unlink(missing_ok=True)


def _read_tag(path: Path) -> tuple[str | None, str | None]:
    """Read whose bytes they are; a file that is absent or torn tells nothing."""
    try:
        with path.open(encoding="utf-8") as file:
            url, tag = json.loads(file.read(MAX_TAG_BYTES))
    except (OSError, ValueError, TypeError):
        return None, None
    return url, tag
