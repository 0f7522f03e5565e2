"""Fetching models in the background, and letting them serve without a word lost."""

import asyncio
import contextlib
import logging
import threading
from concurrent.futures import Future, InvalidStateError
from typing import Final

from wyoming_stt.choice import Choice
from wyoming_stt.engine import Engine
from wyoming_stt.errors import ModelError, NotInstalledError, OfflineError
from wyoming_stt.model_sources import in_store
from wyoming_stt.settings import Settings
from wyoming_stt.store import ModelFiles, ModelSpec, ModelStore, Phase, Pulled, Step

__all__ = ["keep_installed", "may_fetch", "upgrade"]

_LOGGER = logging.getLogger(__name__)

TELL_EVERY: Final = 0.25
"""Share of a download between two lines of the log."""
STOP_S: Final = 1.0
"""Longest wait for a download to end; in the middle of a read it may need longer."""


async def keep_installed(
    engine: Engine, choice: Choice, store: ModelStore, settings: Settings
) -> None:
    """Fetch what is wanted, then whatever is chosen and was put aside or removed meanwhile."""
    lifecycle = engine.lifecycle
    await upgrade(engine, choice, store, settings)
    while may_fetch(settings):
        await lifecycle.cannot_load.wait()
        lifecycle.cannot_load.clear()
        if not isinstance(lifecycle.error, NotInstalledError):
            continue  # nothing that a download would mend
        lost, reason = lifecycle.chosen, str(lifecycle.error)
        # What is wrong with a file of the user's was told at the start.
        spec = store.catalog(lambda _: None).get(lost.name)
        if spec is not None:
            again = Choice(lost, spec.languages, reason, choice.fallback, spec)
            await upgrade(engine, again, store, settings)


async def upgrade(engine: Engine, choice: Choice, store: ModelStore, settings: Settings) -> None:
    """Fetch the model that is wanted and swap it in; tries again, later and later, until it can.

    Returns at once where nothing is wanted or the network is not to be used. A model that somebody
    activated meanwhile stays, and so does a version that somebody went back to; a new version is in
    use once it has been loaded. Cancelling it takes a second at most; what has arrived is kept.
    """
    spec = choice.wanted
    if spec is None or not may_fetch(settings):
        return
    _LOGGER.info("Fetching the model %s in the background: %s", spec.id, choice.reason)
    pause_s = settings.upgrade.retry_s
    while spec.version not in store.held_back(spec.id):
        try:
            pulled = await _pull(spec, store)
            if engine.lifecycle.chosen != choice.chosen:
                _LOGGER.info("The model %s is installed; another was activated", spec.id)
                return
            await engine.lifecycle.swap(in_store(spec.id, pulled.files, store, settings))
            await asyncio.to_thread(_use, pulled.files, store)  # not before it was seen to load
        except OfflineError:
            return
        except ModelError as error:
            _LOGGER.warning(
                "The model %s cannot be used yet, trying again in %.0f min: %s",
                spec.id,
                pause_s / 60,
                error,
            )
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, settings.upgrade.retry_max_s)
        else:
            if not engine.lifecycle.on_fallback:  # it may have to wait until there is less to do
                _LOGGER.info("The model %s serves from now on", spec.id)
            return
    _LOGGER.info("Version %s of %s is left alone: it was held back", spec.version, spec.id)


def may_fetch(settings: Settings) -> bool:
    """Whether the network may be used unasked."""
    return settings.upgrade.enabled and not settings.store.offline


async def _pull(spec: ModelSpec, store: ModelStore) -> Pulled:
    """Install a version beside the one in use, in a thread that the end does not wait for long.

    Whatever it is at when the process ends, the store is whole.
    """
    stop, result = threading.Event(), Future[Pulled]()

    def pull() -> None:
        with contextlib.suppress(InvalidStateError):  # nobody waits any more
            try:
                result.set_result(store.pull(spec, _Teller(spec), stop, use=False))
            except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
                result.set_exception(error)

    # One that asyncio does not know: it would wait for a server that does not answer.
    threading.Thread(target=pull, name="fetch", daemon=True).start()
    work = asyncio.wrap_future(result)
    try:
        await asyncio.wait([work])
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([work], timeout=STOP_S)
        if not work.cancel():
            work.exception()  # which is of no interest any more
        raise
    return work.result()


def _use(files: ModelFiles, store: ModelStore) -> None:
    try:
        store.use(files, lock_timeout_s=STOP_S)
    except ModelError as error:
        told = (files.version, files.id, error)
        _LOGGER.warning("Version %s of %s serves, and not from the next start on: %s", *told)


class _Teller:
    """Tells the log now and then how far a download is; called from a thread."""

    def __init__(self, spec: ModelSpec) -> None:
        self._id = spec.id
        self._told: dict[str, float] = {}

    def __call__(self, step: Step) -> None:
        if step.phase is not Phase.DOWNLOADING or not step.total:
            return
        share = step.done / step.total
        if share >= self._told.get(step.what, 0.0) + TELL_EVERY:
            self._told[step.what] = share
            _LOGGER.info(
                "Fetching %s: %.0f %% of %s (%.0f MB)",
                self._id,
                100 * share,
                step.what,
                step.total / 1e6,
            )
