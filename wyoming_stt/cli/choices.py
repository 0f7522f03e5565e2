"""The words that options accept; light, so that `--help` does not load what they choose."""

from enum import StrEnum

__all__ = ["LogLevel", "OutputFormat", "SearchMethod", "VoiceDetector"]


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
