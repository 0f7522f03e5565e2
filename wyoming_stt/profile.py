"""How much of the machine to use: one word instead of several settings.

`bench/profiles.py` measures what each costs and gains.
"""

from typing import Final, Literal, get_args

from wyoming_stt.hardware import Hardware
from wyoming_stt.sources import Tree

__all__ = ["PROFILES", "Profile", "choose_profile", "profile_settings"]

Profile = Literal["auto", "small", "fast"]
PROFILES: Final[tuple[Profile, ...]] = get_args(Profile)

SMALL_MEMORY_BYTES: Final = 1 << 30
"""A machine that Linux gives less than this also has Home Assistant in it: a Pi 3, a Pi 4 with
1 GB, a small virtual machine."""

_SMALL: Final[Tree] = {
    # One thread decodes; the others of a household wait for it, and Home Assistant has the cores.
    "engine": {
        "workers": 1,
        "gather_s": 0.32,
        "max_utterances": 4,
        "max_waiting": 8,
        "max_kept_bytes": 4_000_000,
    },
    "wyoming": {"max_connections": 16},
}
_FAST_GATHER_S: Final = 0.08
_FAST_THREADS: Final = 2
"""More would take the cores of those who speak at the same time."""


def choose_profile(profile: Profile, hardware: Hardware) -> tuple[str, str]:
    """Return the profile that is in force, and why; it is `balanced` where nothing is changed."""
    if profile != "auto":
        return profile, "profile"
    if 0 < hardware.memory_bytes < SMALL_MEMORY_BYTES:
        return "small", f"auto: {hardware.memory_bytes >> 20} MiB of memory"
    if hardware.cores == 1:
        return "small", "auto: one core"
    return "balanced", f"auto: {hardware.cores} cores"


def profile_settings(profile: object, hardware: Hardware) -> Tree:
    """Return what a profile changes about the defaults; nothing, if it is none."""
    known = next((name for name in PROFILES if name == profile), None)
    if known is None:
        return {}
    match choose_profile(known, hardware)[0]:
        case "small":
            return _SMALL
        case "fast":
            threads = min(_FAST_THREADS, hardware.cores)
            return {"engine": {"gather_s": _FAST_GATHER_S}, "ort": {"threads": threads}}
    return {}
