"""What the service and its host are called on the network, the same after every restart."""

import hmac
import re
import socket
from pathlib import Path

from wyoming_stt.errors import SettingsError

__all__ = ["check_name", "default_name", "host_name", "machine_digest", "numbered"]

_APPLICATION = "wyoming-stt"
_MACHINE_ID = Path("/etc/machine-id")

_MAX_LABEL_BYTES = 63
"""RFC 1035, 2.3.4; in UTF-8, as RFC 6763, 4.1.1 has it for instance names."""


def check_name(name: str) -> None:
    """Refuse what cannot be an instance name.

    Raises:
        SettingsError: it is empty, longer than 63 bytes, or has a dot or control character.
    """
    # A dot is legal in an instance name, but python-zeroconf would make it two labels.
    if "." in name or not name.isprintable():
        raise SettingsError("a service name has no dots and no control characters")
    size = len(name.strip().encode())
    if not 1 <= size <= _MAX_LABEL_BYTES:
        raise SettingsError(f"a service name has 1 to {_MAX_LABEL_BYTES} bytes, not {size}")


def machine_digest(machine_id: Path = _MACHINE_ID) -> str:
    """Return 8 hex digits that stay with this machine, whatever its addresses are.

    They come from the machine id, hashed with a name of ours because machine-id(5) asks not to
    show it on a network. A container often has none; then the host name has to do, and where that
    changes with every container too, only a configured name is stable.
    """
    try:
        identity = machine_id.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        identity = ""
    if not re.fullmatch("[0-9a-f]{32}", identity):
        identity = socket.gethostname()
    return hmac.new(identity.encode(), _APPLICATION.encode(), "sha256").hexdigest()[:8]


def default_name(machine: str) -> str:
    """Return the instance name of a machine's digest; without the address, which may change."""
    return f"{_APPLICATION}-{machine}"


def numbered(name: str, number: int) -> str:
    """Return the name to try for the `number`-th time: `name`, `name-2`, `name-3`..."""
    if number == 1:
        return name
    suffix = f"-{number}"
    head = name.encode()[: _MAX_LABEL_BYTES - len(suffix)].decode(errors="ignore")
    return head + suffix


def host_name(name: str, machine: str) -> str:
    """Return the host that the instance `name` says it runs on, in `local.`.

    Not the machine's own host name: its addresses are for the machine's own mDNS responder to tell,
    and a server bound to one address would tell everybody to forget the others.
    """
    label = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    if machine not in label:
        label = f"{label[: _MAX_LABEL_BYTES - len(machine) - 1]}-{machine}".lstrip("-")
    return f"{label}.local."
