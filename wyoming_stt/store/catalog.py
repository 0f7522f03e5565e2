"""The catalogue: which models there are, where they are published, and under what licence.

The package's own entries are in `catalog.toml`; those of the user in any number of files of the
same form. An entry of the user's replaces one of ours with the same id.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from wyoming_stt.errors import CatalogError, UnlistedModelError

__all__ = [
    "Archive",
    "Catalog",
    "ModelName",
    "ModelSpec",
    "Remote",
    "Version",
    "is_name",
    "read_entries",
]

MAX_FILE_BYTES: Final = 1_000_000
"""Ours has some 50 entries in 40 kB; whatever is larger is no catalogue."""
MAX_DOWNLOAD_BYTES: Final = 8 << 30
"""The largest published transducers take 2.5 GB; more is a mistake or an attack."""

_NAME: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
ModelName = Annotated[str, StringConstraints(pattern=_NAME)]
"""Becomes a folder's name: no separators, no leading dot, the same on every file system."""
Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]
_Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
_Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,400}$")]
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def _relative(path: str) -> str:
    if any(part in {"", ".", ".."} for part in path.split("/")) or set(path) & set("\\:\0"):
        raise ValueError("must be a path inside the model's folder, with / between the parts")
    return path


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    return url


_Url = Annotated[_Line, AfterValidator(_web_address)]


class Remote(BaseModel):
    """A file to download."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[_Line, AfterValidator(_relative)]
    """Where it belongs inside the model's folder; an archive: its name."""
    urls: Annotated[tuple[_Url, ...], Field(max_length=16)] = ()
    """Addresses of the same bytes, the best first. None: it ships inside the package."""
    size: Annotated[int, Field(gt=0, le=MAX_DOWNLOAD_BYTES)] | None = None
    sha256: _Sha256 | None = None
    """As published. None: whatever comes first is recorded, and held to from then on."""

    @model_validator(mode="after")
    def _authentic(self) -> Self:
        for url in self.urls:
            parts = urlsplit(url)
            if self.sha256 is None and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
                raise ValueError(f"{url}: without a sha256 only https:// addresses can be trusted")
        return self


class Archive(Remote):
    """A `.tar.bz2` to download and unpack."""

    keep: tuple[_Line, ...] = ("*",)
    """Patterns of the files to unpack, matched against their names without folders."""


class ModelSpec(BaseModel):
    """An entry of the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: ModelName
    title: _Line
    family: ModelName
    streaming: bool
    languages: Annotated[tuple[ModelName, ...], Field(min_length=1)]
    version: Version
    licence: _Line
    conditions: _Line | None = None
    """What the licence or the publisher asks for beyond keeping its text."""
    memory: Literal["small", "medium", "large"]
    """Weights up to 50 MB, up to 150 MB, more."""
    speed: Literal["fast", "medium", "slow"]
    """Keeps up with speech on: a Raspberry Pi 3; a Raspberry Pi 4; a Raspberry Pi 5 or a PC."""
    source: _Line | None = None
    """What the publisher calls it; `find` knows it by that name, too."""
    inside: bool = False
    """Whether it ships inside the package, so that there is nothing to download."""
    files: tuple[Remote, ...] = ()
    archive: Archive | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.files) == (self.archive is not None):
            raise ValueError("needs either files or an archive")
        paths = [file.path for file in self.files]
        if len(set(paths)) != len(paths):
            raise ValueError("names a file twice")
        if any(bool(remote.urls) == self.inside for remote in self.downloads):
            raise ValueError("every file needs an address, unless the model ships inside")
        return self

    @property
    def downloads(self) -> tuple[Remote, ...]:
        """What has to be downloaded."""
        return (self.archive,) if self.archive else self.files

    @property
    def download_bytes(self) -> int | None:
        """Size of the downloads together, None where one is not published."""
        sizes = [remote.size for remote in self.downloads]
        return None if None in sizes else sum(size or 0 for size in sizes)


class Catalog:
    """Entries by id, in the order in which they were read."""

    def __init__(self, entries: Iterable[ModelSpec]) -> None:
        self._entries = {entry.id: entry for entry in entries}

    @classmethod
    def read(
        cls,
        user_files: Iterable[Path] = (),
        skipped: Callable[[CatalogError], None] | None = None,
    ) -> Self:
        """Read our own entries, then those of the user.

        Args:
            user_files: files of the user's; a later one replaces entries of an earlier one.
            skipped: told of each file that makes no sense, which is left out; by default that
                raises.

        Raises:
            CatalogError: a file cannot be read, or an entry does not make sense.
        """
        ours = _parse(files(__package__).joinpath("catalog.toml").read_text("utf-8"), "catalog")
        theirs: list[ModelSpec] = []
        for file in user_files:
            try:
                theirs += read_entries(file)
            except CatalogError as error:
                if skipped is None:
                    raise
                skipped(error)
        return cls([*ours, *theirs])

    def __iter__(self) -> Iterator[ModelSpec]:
        return iter(self._entries.values())

    def get(self, name: str) -> ModelSpec | None:
        """Find an entry by its id or by its publisher's name for it."""
        name = name.removesuffix(".tar.bz2")
        by_source = (entry for entry in self if entry.source == name)
        return self._entries.get(name) or next(by_source, None)

    def find(self, name: str) -> ModelSpec:
        """Find an entry by its id or by its publisher's name for it.

        Raises:
            UnlistedModelError: there is none.
        """
        entry = self.get(name)
        if entry is None:
            near = difflib.get_close_matches(name.lower(), self._entries, n=3, cutoff=0.4)
            hint = f"did you mean {', '.join(near)}?" if near else "see wyoming-stt models list"
            raise UnlistedModelError(f"no catalogue has a model {name!r}; {hint}")
        return entry


def is_name(text: str) -> bool:
    """Tell whether a model could be called so; nothing else becomes part of a path."""
    return re.fullmatch(_NAME[1:-1], text) is not None


def read_entries(file: Path) -> list[ModelSpec]:
    """Read a catalogue file.

    Raises:
        CatalogError: it cannot be read, or an entry does not make sense.
    """
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise CatalogError(f"{file}: larger than a catalogue may be ({MAX_FILE_BYTES} bytes)")
        return _parse(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(f"cannot read the catalogue {file}: {error}") from error


def _parse(text: str, where: str) -> list[ModelSpec]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{where}: not TOML: {error}") from error
    entries = []
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise CatalogError(f"{where}: {name}: expected an entry of its own, as in [my-model]")
        try:
            entries.append(ModelSpec.model_validate({"id": name, **_unfold(table)}))
        except ValidationError as error:
            fault = error.errors()[0]
            place = ".".join(map(str, (name, *fault["loc"])))
            reason = fault["msg"].removeprefix("Value error, ")
            raise CatalogError(f"{where}: {place}: {reason}") from None
    return entries


def _unfold(table: dict[str, object]) -> dict[str, object]:
    """Replace `base` addresses, which the files of an entry share, by each file's own."""
    bases, remotes = table.pop("base", None), table.get("files")
    if isinstance(bases, str):
        bases = [bases]
    if not isinstance(bases, list) or not isinstance(remotes, list):
        return table
    unfolded = [
        {"urls": [f"{base}/{remote['path']}" for base in bases], **remote}
        if isinstance(remote, dict) and "path" in remote
        else remote
        for remote in remotes
    ]
    return table | {"files": unfolded}
