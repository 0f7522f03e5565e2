"""The announcer's settings; light, so that whoever does not announce does not load zeroconf."""

from dataclasses import dataclass

from wyoming_stt.errors import SettingsError
from wyoming_stt.front.announce.names import check_name

__all__ = ["AnnounceOptions"]


@dataclass(frozen=True, slots=True)
class AnnounceOptions:
    """Whether and how the server is announced as `_wyoming._tcp` by multicast DNS."""

    enabled: bool = True
    """Whether to announce at all; a server that only its own machine can reach never is. Inside
    the Home Assistant app the default is not to: the Supervisor makes the server known there."""
    name: str | None = None
    """Name of the service, up to 63 bytes. Home Assistant knows the server by it, so it must not
    change; by default it is made from the machine's id. Set it in a container, which has none."""
    poll_s: float = 60.0
    """How often to look whether addresses changed, and to try again what failed. The kernel tells
    of changes at once; this is for a sandbox where it may not, and for what no event announces."""

    def __post_init__(self) -> None:
        if self.name is not None:
            check_name(self.name)
        if not self.poll_s > 0:
            raise SettingsError(f"poll_s is a time above 0 s, not {self.poll_s:g}")
