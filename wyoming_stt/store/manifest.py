"""What an installed model consists of; a folder with a manifest is complete.

It is written last and deleted first.
"""

import errno
import shutil
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from wyoming_stt.errors import StorageError
from wyoming_stt.store.catalog import ModelName, Version
from wyoming_stt.store.durable import hash_file, sync_folder, write_atomically

__all__ = [
    "MANIFEST",
    "InstalledFile",
    "Manifest",
    "ModelFiles",
    "delete",
    "describe",
    "installed_in",
    "read",
    "write",
]

MANIFEST: Final = "manifest.json"
MAX_MANIFEST_BYTES: Final = 4_000_000
"""Some 200 bytes a file; an archive has at most 10 000."""

LOST: Final = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EIO, errno.EBADMSG)
)
"""A file that cannot be read for one of these reasons will not be readable later either."""


class InstalledFile(BaseModel):
    """A file as it was when it was installed."""

    model_config = ConfigDict(frozen=True)

    path: str
    size: int
    sha256: str
    mtime_ns: int


class Manifest(BaseModel):
    """Facts about an installed version of a model."""

    model_config = ConfigDict(frozen=True)

    id: ModelName
    version: Version
    family: ModelName
    languages: tuple[ModelName, ...]
    licence: str
    conditions: str | None = None
    source: str
    """Where it came from: an address, or a folder."""
    installed_at: str
    """ISO 8601, UTC."""
    files: tuple[InstalledFile, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class ModelFiles(BaseModel):
    """An installed version of a model: its facts, and where its files are."""

    model_config = ConfigDict(frozen=True)

    home: Path
    """Folder of this version: the manifest, and beside it the files."""
    manifest: Manifest

    @property
    def id(self) -> str:
        """Its id."""
        return self.manifest.id

    @property
    def version(self) -> str:
        """Its version."""
        return self.manifest.version

    @property
    def folder(self) -> Path:
        """Folder with the files only; it is named as the model, since that is what clients see."""
        return self.home / self.id

    def changed(self) -> list[InstalledFile]:
        """Compare sizes and times, which takes no time: files that may be damaged, or restored."""
        return [file for file in self.manifest.files if not _looks_same(self.folder, file)]

    def damaged(self, *, every_byte: bool = False) -> list[str]:
        """Names of files that are not as they were installed; raises as `is_damaged`.

        Args:
            every_byte: look at all, not only at those that seem to have changed.
        """
        suspects = self.manifest.files if every_byte else self.changed()
        return [file.path for file in suspects if self.is_damaged(file)]

    def is_damaged(self, file: InstalledFile) -> bool:
        """Compare the checksum of one file, which reads every byte of it.

        Raises:
            OSError: it cannot be read now, for want of a permission or of memory, say.
        """
        path = self.folder / file.path
        try:
            return path.stat().st_size != file.size or hash_file(path) != file.sha256
        except OSError as error:
            if error.errno in LOST:
                return True
            raise


def describe(folder: Path) -> tuple[InstalledFile, ...]:
    """Measure the files in a folder, in the order of their names.

    Raises:
        StorageError: there is none, or one whose name a manifest cannot hold.
        OSError: the disk refused.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise StorageError(f"{folder} has no files")
    return tuple(
        InstalledFile(
            path=_name(path, folder),
            size=path.stat().st_size,
            sha256=hash_file(path),
            mtime_ns=path.stat().st_mtime_ns,
        )
        for path in files
    )


def read(home: Path) -> ModelFiles | None:
    """Read what is installed in a version's folder; None: nothing that is complete."""
    path = home / MANIFEST
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            return None
        manifest = Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    if (manifest.id, manifest.version) != (home.parent.name, home.name):
        return None  # copied or renamed by hand
    return ModelFiles(home=home, manifest=manifest)


def installed_in(folder: Path) -> ModelFiles | None:
    """Tell what a model's folder holds, if it is one of the store's."""
    files = read(folder.parent)
    return files if files and files.folder == folder else None


def write(home: Path, manifest: Manifest) -> None:
    """Write the manifest: from now on the folder counts."""
    write_atomically(home / MANIFEST, manifest.model_dump_json(indent=1))


def delete(home: Path) -> None:
    """Delete a version's folder: from the first step on it no longer counts."""
    (home / MANIFEST).unlink(missing_ok=True)
    sync_folder(home)
    shutil.rmtree(home)


def _name(path: Path, folder: Path) -> str:
    name = path.relative_to(folder).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        raise StorageError(f"the name of the file {name!r} is not UTF-8") from None
    return name


def _looks_same(folder: Path, file: InstalledFile) -> bool:
    try:
        found = (folder / file.path).stat()
    except OSError:
        return False
    return found.st_size == file.size and found.st_mtime_ns == file.mtime_ns
