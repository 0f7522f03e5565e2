"""Where things lie under the data folder.

    catalog.d/*.toml                 entries of the user's
    checksums.json                   checksums recorded at first fetch
    models/ID/VERSION/manifest.json  what is installed; written last
    models/ID/VERSION/ID/            the files
    models/ID/current.json           which version is in use, which were before, which are held back
    models/.downloads/ID/            parts of downloads
    models/.staging/ID/              what is being installed
    models/.replaced/ID/VERSION/     a version that another of the same name takes the place of
    models/.quarantine/NAME/         damaged models, and why they are there
    models/.locks/ID.lock            held by the process that works on the model

`models` can be fetched again, so it is kept out of backups; what lies beside it cannot.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from wyoming_stt.store.durable import write_atomically

__all__ = ["Layout", "Pointer"]


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which version of a model is in use."""

    version: str
    previous: tuple[str, ...] = ()
    """Versions that were in use before, the latest last."""
    held_back: tuple[str, ...] = ()
    """Versions that somebody went back from: not to be used again unless somebody says so."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths under one data folder."""

    data_dir: Path

    @property
    def models(self) -> Path:
        """Everything that can be fetched again."""
        return self.data_dir / "models"

    @property
    def checksums(self) -> Path:
        """Checksums recorded at first fetch, by address."""
        return self.data_dir / "checksums.json"

    @property
    def user_catalogs(self) -> Path:
        """Folder of the user's catalogue files."""
        return self.data_dir / "catalog.d"

    @property
    def quarantine(self) -> Path:
        """Folder of the damaged models."""
        return self.models / ".quarantine"

    def home(self, model: str, version: str) -> Path:
        """Folder of an installed version."""
        return self.models / model / version

    def downloads(self, model: str) -> Path:
        """Folder of a model's downloads."""
        return self.models / ".downloads" / model

    def staging(self, model: str) -> Path:
        """Folder in which a model is put together."""
        return self.models / ".staging" / model

    def replaced(self, model: str) -> Path:
        """Folder of a model's versions while another of the same name takes their place."""
        return self.models / ".replaced" / model

    def lock(self, name: str) -> Path:
        """A lock file; never removed, or two processes could hold two of that name."""
        return self.models / ".locks" / f"{name}.lock"

    def ids(self) -> Iterator[str]:
        """Models of which something is installed."""
        if self.models.is_dir():
            for path in sorted(self.models.iterdir()):
                if path.is_dir() and not path.name.startswith("."):
                    yield path.name

    def homes(self, model: str) -> Iterator[Path]:
        """Folders of a model's versions, complete or not."""
        return _folders(self.models / model)

    def replaced_homes(self, model: str) -> Iterator[Path]:
        """Folders of versions that were on their way out when a process died, complete or not."""
        return _folders(self.replaced(model))

    def pointer(self, model: str) -> Pointer | None:
        """Read which version is in use; None: nothing readable says so."""
        try:
            content = json.loads((self.models / model / "current.json").read_text("utf-8"))
            return Pointer(
                str(content["version"]),
                tuple(map(str, content["previous"])),
                tuple(map(str, content.get("held_back", ()))),
            )
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None

    def point(self, model: str, pointer: Pointer) -> None:
        """Say which version is in use."""
        write_atomically(self.models / model / "current.json", json.dumps(asdict(pointer)))

    def forget(self, model: str) -> None:
        """Say nothing about any version any more."""
        (self.models / model / "current.json").unlink(missing_ok=True)


def _folders(parent: Path) -> Iterator[Path]:
    if parent.is_dir():
        yield from (path for path in sorted(parent.iterdir()) if path.is_dir())
