"""The rules of a WebSocket, without the socket: messages in, what to do out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import Final

from wyoming_stt.audio.endpoint import EndpointOptions
from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.engine import UtteranceOptions
from wyoming_stt.errors import SttError
from wyoming_stt.front.http.errors import ErrorCode, HttpError, Problem, problem_of
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.http.websocket.messages import (
    DEFAULT_RATE,
    Configure,
    ErrorMessage,
    Ready,
    Stop,
    parse,
)
from wyoming_stt.front.http.wishes import Wishes
from wyoming_stt.front.served import ServedModel

__all__ = [
    "RATES",
    "Action",
    "Audio",
    "Close",
    "Conversation",
    "Leave",
    "Tell",
    "WebSocketCode",
    "error_message",
    "problem_message",
]

RATES: Final = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Sample rates of raw PCM, in Hz; files may have any."""
MAX_MISTAKES: Final = 100
"""Messages of one client that make no sense; each costs an answer and a line in the log."""
MAX_EMPTY_FRAMES: Final = 1_000
"""In a row. Some clients send them to stay connected, none so many."""


class Close(IntEnum):
    """Why a connection ends, in WebSocket's own numbers (RFC 6455, 7.4.1)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009


class WebSocketCode(StrEnum):
    """Error codes that only a WebSocket has; the others are `ErrorCode`s."""

    CONFIGURE_TOO_LATE = "configure_too_late"
    INVALID_SAMPLE_RATE = "invalid_sample_rate"
    IDLE_TIMEOUT = "idle_timeout"
    MAX_SESSION = "max_session_duration_exceeded"
    POLICY_VIOLATION = "policy_violation"


@dataclass(frozen=True, slots=True)
class Audio:
    """Listen to this."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell the client of its mistake, and go on."""

    error: ErrorMessage


@dataclass(frozen=True, slots=True)
class Leave:
    """Send the last final transcript, then the error if there is one, and close."""

    code: Close
    error: ErrorMessage | None = None


Action = Audio | Tell | Leave


class Conversation:
    """One client's side of the protocol.

    Args:
        options: of the door.
        defaults: of an utterance, where the client wishes nothing else.
        model: returns what is served now; asked every time, since it may be exchanged.
    """

    def __init__(
        self,
        options: HttpOptions,
        defaults: UtteranceOptions,
        model: Callable[[], ServedModel],
    ) -> None:
        self.utterance = replace(defaults, format=AudioFormat(DEFAULT_RATE))
        """How to listen; settled with the first audio."""
        self._options = options
        self._defaults = defaults
        self._model = model
        self._has_audio = False
        self._mistakes = 0
        self._empty_frames = 0

    def ready(self) -> Ready:
        """Say what goes first to the client."""
        return Ready(
            model=self._model().name,
            supported_rates=RATES,
            max_session_secs=self._options.max_session_s,
            idle_timeout_secs=self._options.idle_timeout_s,
        )

    def receive(self, message: str | bytes) -> Action | None:
        """Tell what to do about a message, if anything."""
        most = self._options.max_frame_bytes
        if len(message) > most:
            text = f"the frame is too large: the limit is {most} bytes"
            return Leave(Close.TOO_BIG, error_message(ErrorCode.PAYLOAD_TOO_LARGE, text))
        if isinstance(message, bytes):
            return self._hear(message)
        try:
            return self._obey(parse(message))
        except (SttError, HttpError) as error:
            return self._complain(problem_message(problem_of(error)))

    def _hear(self, pcm: bytes) -> Action | None:
        if pcm:
            self._has_audio, self._empty_frames = True, 0
            return Audio(pcm)
        self._empty_frames += 1
        if self._empty_frames <= MAX_EMPTY_FRAMES:
            return None
        return _violation(f"{MAX_EMPTY_FRAMES} empty frames in a row: send audio, or close")

    def _obey(self, message: Configure | Stop) -> Action | None:
        match message:
            case Stop():
                return Leave(Close.NORMAL)
            case Configure() if self._has_audio:
                text = "configure comes too late: send it before the first audio"
                return self._complain(error_message(WebSocketCode.CONFIGURE_TOO_LATE, text))
            case Configure(sample_rate=rate) if rate not in RATES:
                text = f"sample_rate: supported are {', '.join(map(str, RATES))}"
                return self._complain(error_message(WebSocketCode.INVALID_SAMPLE_RATE, text))
        self.utterance = self._configured(message)
        return None

    def _configured(self, wished: Configure) -> UtteranceOptions:
        """Lay the wishes over the defaults; those of a `configure` before are forgotten."""
        wishes = Wishes.of_phrases(
            ",".join(wished.hotwords), wished.language, self._model(), self._options
        )
        audio = AudioFormat(RATES[RATES.index(wished.sample_rate)])
        utterance = wishes.utterance(self._defaults, audio)
        if wished.vad_sensitivity is None:
            return utterance
        endpoint = EndpointOptions.from_sensitivity(wished.vad_sensitivity)
        return replace(utterance, endpoint=endpoint)

    def _complain(self, error: ErrorMessage) -> Action:
        self._mistakes += 1
        if self._mistakes <= MAX_MISTAKES:
            return Tell(error)
        return _violation(f"more than {MAX_MISTAKES} messages that make no sense")


def error_message(code: ErrorCode | WebSocketCode, text: str) -> ErrorMessage:
    """Make an error of this door's own."""
    return ErrorMessage(code=code, message=text)


def problem_message(problem: Problem) -> ErrorMessage:
    """Make the message that tells of a problem."""
    return ErrorMessage(
        code=problem.code, message=problem.message, retry_after_ms=problem.retry_after_ms
    )


def _violation(text: str) -> Leave:
    return Leave(Close.POLICY_VIOLATION, error_message(WebSocketCode.POLICY_VIOLATION, text))
