"""Models in a store, without a download."""

from pathlib import Path

from wyoming_stt.store import Manifest, ModelFiles, ModelStore

__all__ = ["install"]


def install(store: ModelStore, name: str, source: Path, version: str = "1") -> ModelFiles:
    """Add a copy of a folder, as `wyoming-stt models add` does."""
    facts = Manifest(
        id=name,
        version=version,
        family="zipformer2",
        languages=("cy",),
        licence="mine",
        source=str(source),
        installed_at="2026-11-01T00:00:00+00:00",
    )
    return store.add(source, facts)
