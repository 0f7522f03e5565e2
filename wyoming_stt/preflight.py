"""Whether this machine can run the server at all, told before anything dies of it.

Imports nothing heavy: a library that was built for another processor ends the process as soon as it
is imported.
"""

import os
from pathlib import Path
from typing import Final

from wyoming_stt.errors import UnfitMachineError
from wyoming_stt.hardware import Hardware

__all__ = ["check_machine", "folder_complaint"]

NEEDED_FEATURES: Final = {"x86_64": "sse4_2", "aarch64": "asimd"}
"""What the published wheels are built for. NumPy's need x86-64-v2, of which SSE4.2 came last: under
an emulated Penryn they refuse, under a Core 2 Duo they die; under a Nehalem all of ours run."""
LEAST_MEMORY_BYTES: Final = 96 << 20
"""The server without HTTP and with no model takes 76 MB, the smallest models 20 more."""


def check_machine(hardware: Hardware) -> None:
    """Let a machine pass that can run the server; what is not known counts as enough.

    Raises:
        UnfitMachineError: it cannot; the message names the remedy.
    """
    hindrance = _architecture(hardware) or _processor(hardware) or _memory(hardware)
    if hindrance:
        raise UnfitMachineError(hindrance)


def folder_complaint(folder: Path) -> str | None:
    """Say what a data folder that cannot be written costs and how to mend it; None: it can be."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return None
    return (
        f"The data folder {folder} cannot be written: no models are downloaded, starts are slower, "
        f"and no statistics are kept. Let user {os.geteuid()} write to {existing}, or name another "
        "folder: --set data_dir=DIR"
    )


def _architecture(hardware: Hardware) -> str | None:
    if hardware.architecture in NEEDED_FEATURES:
        return None
    known = " or ".join(NEEDED_FEATURES)
    return (
        f"this machine's architecture is {hardware.architecture}; the server needs {known}: "
        "on a Raspberry Pi 3 or later install the 64-bit system"
    )


def _processor(hardware: Hardware) -> str | None:
    needed = NEEDED_FEATURES[hardware.architecture]
    if not hardware.features or needed in hardware.features:
        return None
    return (
        f"the processor ({hardware.cpu}) lacks {needed}, which NumPy and onnxruntime need: in a "
        'virtual machine choose the processor type "host"; otherwise run the server on a newer '
        "machine and point Home Assistant there"
    )


def _memory(hardware: Hardware) -> str | None:
    if not 0 < hardware.memory_bytes < LEAST_MEMORY_BYTES:
        return None
    return (
        f"there are {hardware.memory_bytes >> 20} MiB of memory for the server, and it needs "
        f"{LEAST_MEMORY_BYTES >> 20} at least: raise the memory limit of its container or service"
    )
