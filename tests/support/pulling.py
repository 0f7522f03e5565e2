"""Models to pull from a test server, and processes that pull them."""

import multiprocessing
import random
from hashlib import sha256
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.support.archives import archive, directory, entry
from tests.support.hostile_http import HostileServer
from wyoming_stt.store import Manifest, ModelFiles, ModelSpec, ModelStore, StoreOptions

__all__ = ["NAMES", "OWN", "QUICK", "archived", "content_of", "holds", "loose", "pulling", "write"]

QUICK = StoreOptions(attempts=3, backoff_s=0.01, connect_timeout_s=2.0, stall_timeout_s=2.0)
NAMES = ("encoder.int8.onnx", "decoder.onnx", "joiner.int8.onnx", "lang/tokens.txt")

OWN = Manifest(
    id="mine",
    version="local",
    family="zipformer2",
    languages=("cy",),
    licence="mine",
    source="here",
    installed_at="2026-11-01T00:00:00+00:00",
)
"""Facts about a model in a folder of one's own."""


def content_of(version: str, size: int = 50_000) -> dict[str, bytes]:
    """Return files that differ from version to version, and do not compress."""
    rng = random.Random(version)
    return {name: _graph(rng, size) if ".onnx" in name else rng.randbytes(size) for name in NAMES}


def _graph(rng: random.Random, size: int) -> bytes:
    """Return what passes for an ONNX file as far as it is looked at: its field 7, and no more."""
    length, head = size - 4, b"\x3a"
    head += bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14])
    return head + rng.randbytes(length)


def write(folder: Path, content: dict[str, bytes]) -> Path:
    """Write a model's files."""
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def loose(
    server: HostileServer, version: str = "1", *, size: int = 50_000, checksums: bool = True
) -> ModelSpec:
    """Publish a version of the model `en` as single files."""
    files = []
    for name, content in content_of(version, size).items():
        server.page(f"/{version}/{name}", content)
        facts = {"size": len(content), "sha256": sha256(content).hexdigest()}
        url = server.url(f"/{version}/{name}")
        files.append({"path": name, "urls": [url], **(facts if checksums else {})})
    return spec(version, files=files)


def archived(
    server: HostileServer, version: str = "1", *, size: int = 50_000, checksums: bool = True
) -> ModelSpec:
    """Publish a version of the model `en` as an archive, with more in it than is needed."""
    top = f"sherpa-onnx-en-{version}"
    members = [directory(top), entry(f"{top}/test_wavs/0.wav")]
    members += [entry(f"{top}/{name}", data) for name, data in content_of(version, size).items()]
    packed = archive(members)
    server.page(f"/{top}.tar.bz2", packed)
    facts = {"size": len(packed), "sha256": sha256(packed).hexdigest()}
    return spec(
        version,
        archive={
            "path": f"{top}.tar.bz2",
            "urls": [server.url(f"/{top}.tar.bz2")],
            "keep": ["*.onnx", "tokens.txt"],
            **(facts if checksums else {}),
        },
    )


def holds(files: ModelFiles | None, version: str) -> bool:
    """Tell whether the model's folder has exactly the files of a version."""
    assert files is not None
    found = {
        path.relative_to(files.folder).as_posix(): path.read_bytes()
        for path in files.folder.rglob("*")
        if path.is_file()
    }
    return files.version == version and found == content_of(version)


def spec(version: str, **source: object) -> ModelSpec:
    return ModelSpec.model_validate(
        {
            "id": "en",
            "title": "English",
            "family": "zipformer2",
            "streaming": True,
            "languages": ["en", "cy"],
            "version": version,
            "licence": "Apache-2.0",
            "memory": "small",
            "speed": "fast",
            **source,
        }
    )


_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.support.pulling", "wyoming_stt.store.download"])


def pulling(data_dir: Path, entry_: ModelSpec) -> BaseProcess:
    """Start a process that pulls; it exits with 0 when it has."""
    process = _processes.Process(target=_pull, args=(data_dir, entry_))
    process.start()
    return process


def _pull(data_dir: Path, entry_: ModelSpec) -> None:
    ModelStore(data_dir, QUICK).pull(entry_)
