"""What the owner of a running server may do with its models."""

import asyncio
import logging
from dataclasses import asdict
from pathlib import Path

from wyoming_stt.choice import BUILTIN, DEFAULT_LANGUAGES, DEFAULT_MODEL, Choice, choose
from wyoming_stt.engine import Engine, ModelSource
from wyoming_stt.errors import ModelError, SettingsError, UnknownModelError
from wyoming_stt.front.administration import Capabilities, KnownModel
from wyoming_stt.hardware import detect
from wyoming_stt.model_sources import name_of
from wyoming_stt.models.registry import FAKE, families
from wyoming_stt.ort import providers
from wyoming_stt.selection import recommend
from wyoming_stt.settings import ModelSettings, Settings
from wyoming_stt.store import ModelStore
from wyoming_stt.upgrade import may_fetch

__all__ = ["Administrator"]

_LOGGER = logging.getLogger(__name__)


class Administrator:
    """The `Administration` of one engine. What it changes holds until the server is restarted."""

    def __init__(
        self,
        engine: Engine,
        choice: Choice,
        settings: Settings,
        store: ModelStore,
        builtin: Path = BUILTIN,
    ) -> None:
        self._engine = engine
        self._choice = choice
        self._settings = settings
        self._store = store
        self._builtin = builtin
        self._activated: ModelSource | None = None

    def models(self) -> list[KnownModel]:
        """Return the chosen model, those of the package, and those that are installed."""
        known = {
            folder.name: KnownModel(folder.name, DEFAULT_LANGUAGES, source="wyoming-stt")
            for folder in sorted(self._builtin.glob("*/"))
        }
        for files in self._store.all_installed():
            facts = files.manifest
            known[files.id] = KnownModel(
                files.id, facts.languages, facts.family, facts.version, facts.source
            )
        chosen = self._choice.chosen.name
        own = self._settings.model.dir
        is_here = chosen == FAKE or (own is not None and own.expanduser().is_dir())
        known.setdefault(chosen, KnownModel(chosen, self._choice.languages, installed=is_here))
        return list(known.values())

    def capabilities(self) -> Capabilities:
        """Look at the machine, and at what suits it."""
        hardware = detect()
        language = (self._settings.model.languages or DEFAULT_LANGUAGES)[0]
        # What is wrong with a file of the user's was told at the start.
        catalog = self._store.catalog(lambda _: None)
        found = recommend(hardware, providers(), catalog, language, self._settings.ort.provider)
        chosen, fallback = self._engine.lifecycle.chosen, self._engine.lifecycle.fallback
        return Capabilities(
            hardware=asdict(hardware),
            providers=providers(),
            families=[family.name for family in families()],
            tier=found.tier.name,
            recommended=found.model.id if found.model else DEFAULT_MODEL,
            reason=found.reason,
            rejected=dict(found.rejected),
            chosen=chosen.name,
            chosen_reason=self._reason(chosen),
            fallback=fallback.name if fallback else None,
            wanted=self._wanted(),
        )

    async def activate(self, model: str) -> None:
        """Load a model and let it serve."""
        source = await asyncio.to_thread(self._source, model)
        await self._engine.lifecycle.swap(source)
        self._activated = source
        if not self._engine.lifecycle.on_fallback:  # it may have to wait until there is less to do
            _LOGGER.info("The model %s serves from now on: it was activated", model)

    async def unload(self, model: str) -> None:
        """Free the memory of a model."""
        self._require(model)
        await self._engine.lifecycle.unload(model)

    async def reload(self) -> None:
        """Choose as at the start, and activate it."""
        choice = await asyncio.to_thread(self._chosen, self._settings)
        await self._engine.lifecycle.swap(choice.chosen)
        self._choice = choice
        _LOGGER.info("Model %s reloaded: %s", choice.chosen.name, choice.reason)

    def _wanted(self) -> str | None:
        """What is still to be fetched, if anything is and may be."""
        wanted = self._choice.wanted
        if wanted is None or not may_fetch(self._settings):
            return None
        here = (files.version for files in self._store.versions(wanted.id))
        return None if wanted.version in {*here, *self._store.held_back(wanted.id)} else wanted.id

    def _reason(self, chosen: ModelSource) -> str:
        if chosen == self._choice.chosen:
            return self._choice.reason
        return "it was activated" if chosen == self._activated else "it was fetched meanwhile"

    def _source(self, model: str) -> ModelSource:
        self._require(model)
        named = self._settings.model
        if model in {named.name, named.dir and name_of(named.dir.expanduser())}:
            return self._chosen(self._settings).chosen
        other = self._settings.model_copy(update={"model": ModelSettings(name=model)})
        return self._chosen(other).chosen

    def _chosen(self, settings: Settings) -> Choice:
        try:
            return choose(settings, self._store, self._builtin)
        except SettingsError as error:
            raise ModelError(str(error)) from error

    def _require(self, model: str) -> None:
        known = tuple(known.id for known in self.models())
        if model not in known:
            raise UnknownModelError(model, known)
