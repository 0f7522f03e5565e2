"""`wyoming-stt info`: what is installed, what the machine offers, what `serve` would choose."""

import json
import platform
from typing import TYPE_CHECKING, Annotated, Final

import typer

from wyoming_stt import __version__
from wyoming_stt.cli import options

if TYPE_CHECKING:
    from wyoming_stt.choice import Choice
    from wyoming_stt.hardware import Hardware
    from wyoming_stt.settings import Settings
    from wyoming_stt.store import ModelStore

__all__ = ["info"]

_PACKAGES = ("wyoming", "onnxruntime", "onnxruntime-gpu", "numpy", "soxr", "av", "zeroconf")
_LONG_CHARS: Final = 120
"""What is longer gets a line for each."""


def info(
    *,
    model: options.ModelName = None,
    model_dir: options.ModelDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False,
    config: options.ConfigFile = None,
    assignments: options.Assignments = None,
) -> None:
    """Print versions, hardware and what serve would choose."""
    settings = options.read_settings(
        config, assignments, {"model.name": model, "model.dir": model_dir}
    )
    facts = _facts(settings)
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        label = name.replace("_", " ")
        for line in _lines(value):
            typer.echo(f"{label:{width}}  {line}")
            label = ""


def _facts(settings: "Settings") -> dict[str, object]:
    from wyoming_stt.data_folder import data_folder
    from wyoming_stt.hardware import detect
    from wyoming_stt.models.registry import families
    from wyoming_stt.ort import providers
    from wyoming_stt.preflight import folder_complaint

    hardware = detect()
    complaints = (*settings.complaints, folder_complaint(data_folder(settings)))
    return {
        "wyoming_stt": __version__,
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "packages": _versions(),
        "cpu": hardware.cpu,
        "cpu_features": hardware.features,
        "board": hardware.board,
        "cores": hardware.cores,
        "physical_cores": hardware.physical_cores,
        "memory_mib": hardware.memory_bytes >> 20,
        "available_mib": hardware.available_bytes and hardware.available_bytes >> 20,
        "unknown": hardware.unknown,
        "onnxruntime_providers": providers(),
        "model_families": [family.name for family in families()],
        **_choices(settings, hardware),
        "complaints": "; ".join(filter(None, complaints)) or "none",
    }


def _choices(settings: "Settings", hardware: "Hardware") -> dict[str, object]:
    """What `serve` would do with these settings, and why."""
    from wyoming_stt.choice import choose
    from wyoming_stt.data_folder import open_store
    from wyoming_stt.errors import ModelError, SettingsError
    from wyoming_stt.profile import choose_profile

    store = open_store(settings)
    try:
        choice = choose(settings, store)
    except (SettingsError, ModelError) as error:
        model = {"serve_model": f"none: {error}"}
    else:
        fallback = choice.fallback if choice.fallback != choice.chosen else None
        model = {
            "serve_model": choice.chosen.name,
            "serve_model_reason": choice.reason,
            "serve_fallback": fallback.name if fallback else "none",
            "serve_upgrade": _upgrade(settings, choice),
        }
    workers = settings.engine.workers
    return {
        "serve_profile": "{} ({})".format(*choose_profile(settings.profile, hardware)),
        "serve_uri": settings.wyoming.uri,
        **model,
        "serve_workers": f"{workers} (engine.workers)"
        if workers
        else f"{hardware.cores} (one a core)",
        "serve_search": f"{settings.search.method} (search.method)",
        **_recommendation(settings, hardware, store),
    }


def _upgrade(settings: "Settings", choice: "Choice") -> str:
    from wyoming_stt.upgrade import may_fetch

    if choice.wanted is None:
        return "none"
    if may_fetch(settings):
        return choice.wanted.id
    why = "store.offline" if settings.store.offline else "upgrade.enabled is off"
    return f"none ({why}; otherwise {choice.wanted.id})"


def _recommendation(
    settings: "Settings", hardware: "Hardware", store: "ModelStore"
) -> dict[str, object]:
    """What suits the machine, whatever the settings say of the model."""
    from wyoming_stt.choice import DEFAULT_LANGUAGES, DEFAULT_MODEL
    from wyoming_stt.errors import CatalogError
    from wyoming_stt.ort import providers
    from wyoming_stt.selection import recommend

    try:
        catalog = store.catalog()
    except CatalogError as error:
        return {"recommended_model": f"none: {error}"}
    language = (settings.model.languages or DEFAULT_LANGUAGES)[0]
    found = recommend(hardware, providers(), catalog, language, settings.ort.provider)
    return {
        "tier": found.tier.name,
        "recommended_model": found.model.id if found.model else DEFAULT_MODEL,
        "rejected_models": dict(found.rejected),
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def _lines(value: object) -> list[str]:
    match value:
        case dict():
            joined = ", ".join(f"{name} {fact}" for name, fact in value.items())
            if len(joined) > _LONG_CHARS:
                return [f"{name}: {fact}" for name, fact in value.items()]
            return [joined or "none"]
        case list() | tuple():
            return [", ".join(map(str, value)) or "nothing"]
        case None:
            return ["unknown"]
        case _:
            return [str(value)]
