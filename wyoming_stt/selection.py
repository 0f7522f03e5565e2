"""Which published model suits this machine, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from wyoming_stt.fitting import MEMORY_FACTOR
from wyoming_stt.hardware import Hardware
from wyoming_stt.store import ModelSpec

__all__ = ["TIERS", "Recommendation", "Tier", "recommend", "tier_of"]

Speed = Literal["fast", "medium", "slow"]

_CUDA: Final = "CUDAExecutionProvider"
MEMORY_SHARE: Final = 0.5
"""Of the memory, for the server: Home Assistant and its database want the other half."""
_BASE_BYTES: Final = 120 << 20
"""The server without a model, and its utterances."""
_UNKNOWN_MEMORY_BYTES: Final = 1 << 30
_KEPT_BYTES: Final = {"small": 50_000_000, "medium": 150_000_000}
"""Most that is kept of an archive, which often holds the same weights twice; of a large model it
may be as much as the archive's size."""
_ARM_SMALL_CORES: Final = {"0xd03", "0xd04", "0xd05"}
"""Cortex-A53, A35, A55: in order, and several times slower than what follows them."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Machines that are about as fast, and what suits them."""

    name: str
    speeds: tuple[Speed, ...]
    """Speed classes of the catalogue that keep up with speech and leave air; best first."""


CUDA: Final = Tier("a GPU with CUDA", ("slow", "medium", "fast"))
DESKTOP: Final = Tier("a desktop or server", ("slow", "medium", "fast"))
COMPACT: Final = Tier("a Raspberry Pi 5 or a small PC", ("medium", "fast"))
MODEST: Final = Tier("a Raspberry Pi 4", ("fast",))
TINY: Final = Tier("a Raspberry Pi Zero 2 or 3", ())
TIERS: Final = (CUDA, DESKTOP, COMPACT, MODEST, TINY)

_DESKTOP_CORES: Final = 4
_DESKTOP_FEATURES: Final = frozenset({"avx2", "fma"})
_DESKTOP_MEMORY_BYTES: Final = 6 << 30


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A model for this machine, and how it was found."""

    tier: Tier
    model: ModelSpec | None
    """None: the model that ships inside is the right one."""
    reason: str
    rejected: tuple[tuple[str, str], ...]
    """Ids of models of the language that were not chosen, each with why."""


def tier_of(hardware: Hardware, providers: Sequence[str], provider: str = "cpu") -> Tier:
    """Return the tier of a machine; in doubt, the slower one.

    Args:
        hardware: The machine.
        providers: Names of onnxruntime's execution providers.
        provider: The setting `ort.provider`: a GPU that is not used makes nothing faster.
    """
    if provider == "cuda" and _CUDA in providers:
        return CUDA
    if hardware.architecture == "aarch64":
        if hardware.cpu_part in _ARM_SMALL_CORES or not hardware.features:
            return TINY
        return COMPACT if "asimddp" in hardware.features else MODEST
    if not set(hardware.features) >= _DESKTOP_FEATURES:
        return MODEST
    roomy = hardware.memory_bytes >= _DESKTOP_MEMORY_BYTES
    cores = hardware.physical_cores or hardware.cores
    return DESKTOP if cores >= _DESKTOP_CORES and roomy else COMPACT


def recommend(
    hardware: Hardware,
    providers: Sequence[str],
    catalog: Iterable[ModelSpec],
    language: str,
    provider: str = "cpu",
) -> Recommendation:
    """Choose the best model of the catalogue that keeps up and fits.

    Only streaming models without conditions on their use are chosen unasked; within a speed class
    the catalogue's order decides.

    Args:
        hardware: The machine.
        providers: Names of onnxruntime's execution providers.
        catalog: What there is to choose from.
        language: What it has to speak.
        provider: The setting `ort.provider`.
    """
    tier = tier_of(hardware, providers, provider)
    candidates = [spec for spec in catalog if language in spec.languages and not spec.inside]
    faults = {spec.id: _fault(spec, tier, hardware) for spec in candidates}
    suitable = [spec for spec in candidates if not faults[spec.id]]
    suitable.sort(key=lambda spec: tier.speeds.index(spec.speed))
    best = suitable[0] if suitable else None
    why_not = tuple(
        (spec.id, faults[spec.id] or "another suits as well or better")
        for spec in candidates
        if spec is not best
    )
    machine = _machine(tier, hardware, is_idle=_CUDA in providers and tier is not CUDA)
    return Recommendation(tier, best, _reason(machine, best, language), why_not)


def _fault(spec: ModelSpec, tier: Tier, hardware: Hardware) -> str | None:
    """Return why a model is not for this machine, or None."""
    if not spec.streaming:
        return "answers only after the end of speech"
    if spec.conditions is not None:
        return "has conditions that only you can accept: choose it by its name"
    if spec.speed not in tier.speeds:
        return f"too slow for {tier.name}"
    weights = _weights_bytes(spec)
    if weights is None:
        return "of unknown size"
    return _lack(_BASE_BYTES + MEMORY_FACTOR * weights, hardware)


def _lack(needed: float, hardware: Hardware) -> str | None:
    """Return why there is not so much memory, or None."""
    memory, left = hardware.memory_bytes or _UNKNOWN_MEMORY_BYTES, hardware.available_bytes
    if needed > MEMORY_SHARE * memory:
        return f"needs about {_mib(needed)} of {_mib(memory)} of memory"
    if left is not None and needed > left:
        return f"needs about {_mib(needed)}, and {_mib(left)} of memory are left"
    return None


def _weights_bytes(spec: ModelSpec) -> int | None:
    """Return about how large the files are once installed; None where nobody knows."""
    if spec.archive is None or spec.archive.size is None:
        return spec.download_bytes
    return _KEPT_BYTES.get(spec.memory, spec.archive.size)


def _machine(tier: Tier, hardware: Hardware, *, is_idle: bool) -> str:
    """Describe it, as far as it decides."""
    memory = _mib(hardware.memory_bytes) if hardware.memory_bytes else "unknown"
    machine = f"{tier.name} (or as fast), {hardware.cores} cores, memory {memory}"
    available = hardware.available_bytes
    if available is not None and available < MEMORY_SHARE * hardware.memory_bytes:
        machine += f", of which {_mib(available)} are left"
    if is_idle:
        machine += ", CUDA not used (ort.provider)"
    return f"{hardware.board}: {machine}" if hardware.board else machine


def _reason(machine: str, best: ModelSpec | None, language: str) -> str:
    if best is None:
        return f"{machine}: the built-in model; nothing published for {language!r} suits better"
    return f"{machine}: {best.id} is the best model for {language!r} that keeps up and fits"


def _mib(num_bytes: float) -> str:
    return f"{num_bytes / (1 << 20):.0f} MiB"
