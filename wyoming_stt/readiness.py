"""Telling whoever started the process that it listens, and that it stops.

Both ways cost one write, so nobody has to probe the port: s6 hands down a descriptor and waits for
a newline on it (`notification-fd`), systemd names a socket (`Type=notify`, see sd_notify(3)).
"""

import logging
import os
import socket
from dataclasses import dataclass

from wyoming_stt.errors import SettingsError

__all__ = ["ReadinessOptions", "notify_listening", "notify_stopping"]

logger = logging.getLogger(__name__)

_FIRST_FREE_FD = 3


@dataclass(frozen=True, slots=True)
class ReadinessOptions:
    """Whom to tell that the server listens. Both are set by what starts the server."""

    fd: int | None = None
    """Open descriptor that gets a newline and is closed: the `notification-fd` of an s6 service."""
    socket: str | None = None
    """Unix socket for systemd's messages; its `NOTIFY_SOCKET` variable by default. A name that
    begins with `@` is an abstract one."""

    def __post_init__(self) -> None:
        if self.fd is not None and self.fd < _FIRST_FREE_FD:
            raise SettingsError(f"readiness.fd is {self.fd}, but 0 to 2 are in use for the log")


def notify_listening(options: ReadinessOptions) -> None:
    """Say that `describe` is answered from now on; the model may still be loading."""
    if options.fd is not None:
        try:
            os.write(options.fd, b"\n")
            os.close(options.fd)
        except OSError as error:
            logger.warning("Nobody hears at descriptor %d that we listen: %s", options.fd, error)
    _tell_systemd(options.socket, b"READY=1")


def notify_stopping(options: ReadinessOptions) -> None:
    """Say that what is still open is being finished, and that nothing is wrong."""
    _tell_systemd(options.socket, b"STOPPING=1")


def _tell_systemd(name: str | None, state: bytes) -> None:
    if name is None:
        return
    address = f"\0{name[1:]}" if name.startswith("@") else name
    try:
        # A full queue must not hold up the server: what is not taken at once is only a courtesy.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            sender.sendto(state, address)
    except OSError as error:
        logger.warning("systemd does not hear %s at %s: %s", state.decode(), name, error)
