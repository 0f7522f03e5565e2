"""One way to write the log: time, level, where, what; to standard error."""

import logging
import sys
from dataclasses import dataclass
from typing import Final, Literal

from wyoming_stt.errors import SettingsError
from wyoming_stt.observability.request_id import NameRequest

__all__ = ["LogSettings", "configure"]


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written to the log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important level that is written. Only `debug` shows what was said."""
    style: Literal["full", "short"] = "full"
    """`short` leaves out the date and the module, as Home Assistant's own apps do."""
    hints: bool = True
    """Whether to say, once the server is ready, how to talk to it."""
    summary_every_s: float = 600.0
    """Between two lines that sum up how the server is, in seconds; a quiet time has none. 0: only
    at the end."""

    def __post_init__(self) -> None:
        if self.summary_every_s < 0:
            raise SettingsError("log.summary_every_s cannot be below 0")


_FORMATS: Final = {
    "full": "%(asctime)s %(levelname)-7s %(name)s: %(request)s%(message)s",
    "short": "[%(asctime)s] %(levelname)s: %(request)s%(message)s",
}


def configure(settings: LogSettings) -> None:
    """Send all records of the process to standard error in one format."""
    logging.basicConfig(
        level=settings.level.upper(),
        stream=sys.stderr,
        format=_FORMATS[settings.style],
        datefmt="%H:%M:%S" if settings.style == "short" else None,
        force=True,
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(NameRequest())
    # asyncio's own debug records name file descriptors and timings that help nobody here.
    logging.getLogger("asyncio").setLevel(max(logging.INFO, logging.getLogger().level))
    # taskiq tells of every message; what becomes of the jobs is told by us.
    logging.getLogger("taskiq").setLevel(max(logging.WARNING, logging.getLogger().level))
    logging.captureWarnings(capture=True)
