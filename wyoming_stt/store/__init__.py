"""The model store: files and checksums; of what is inside, it knows only what cannot be a model."""

from wyoming_stt.store.catalog import Catalog, ModelSpec
from wyoming_stt.store.install import Pulled
from wyoming_stt.store.manifest import Manifest, ModelFiles, installed_in
from wyoming_stt.store.options import StoreOptions
from wyoming_stt.store.progress import Phase, Report, Step
from wyoming_stt.store.quarantine import Quarantined
from wyoming_stt.store.store import ModelStore

__all__ = [
    "Catalog",
    "Manifest",
    "ModelFiles",
    "ModelSpec",
    "ModelStore",
    "Phase",
    "Pulled",
    "Quarantined",
    "Report",
    "Step",
    "StoreOptions",
    "installed_in",
]
