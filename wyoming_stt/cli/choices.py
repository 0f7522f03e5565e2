"""The words that options accept; light, so that `--help` does not load what they choose."""

from enum import StrEnum
from typing import Final

__all__ = [
    "DEFAULT_TIMEOUT_S",
    "DEFAULT_URI",
    "LogLevel",
    "OutputFormat",
    "SearchMethod",
    "VoiceDetector",
]

DEFAULT_URI: Final = "tcp://127.0.0.1:10300"
"""A server on this machine, on Home Assistant's port for Wyoming speech-to-text."""
DEFAULT_TIMEOUT_S: Final = 5.0
"""For an answer to `describe`; Home Assistant waits as long for it."""


class LogLevel(StrEnum):
    """Least important level that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class OutputFormat(StrEnum):
    """What `transcribe` writes."""

    TEXT = "text"
    JSON = "json"
    SRT = "srt"
    VTT = "vtt"


class SearchMethod(StrEnum):
    """How to search; auto is beam as soon as there are hotwords."""

    AUTO = "auto"
    GREEDY = "greedy"
    BEAM = "beam"


class VoiceDetector(StrEnum):
    """What tells speech from silence."""

    OFF = "off"
    WEBRTC = "webrtc"
    SILERO = "silero"
