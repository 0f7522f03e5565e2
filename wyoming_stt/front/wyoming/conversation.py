"""The rules of one connection, without the connection: events in, what to do out."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event, Eventable
from wyoming.info import Describe, SelectProgram
from wyoming.ping import Ping, Pong

from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.engine import UtteranceOptions
from wyoming_stt.errors import BadRequestError
from wyoming_stt.front.served import ServedModel
from wyoming_stt.front.wyoming.info import PROGRAM, describe
from wyoming_stt.front.wyoming.messages import ChunkFormat, PingData, SelectProgramData, check
from wyoming_stt.front.wyoming.options import WyomingOptions
from wyoming_stt.front.wyoming.transcript import TranscriptWriter
from wyoming_stt.front.wyoming.wishes import Wishes, read_wishes

__all__ = ["Action", "Audio", "Begin", "Conversation", "End", "Reply", "State"]


class State(Enum):
    """Where a connection is in its present utterance."""

    IDLE = auto()
    """Nothing is said, nothing is owed."""
    LISTENING = auto()
    """Audio comes in."""
    FINISHING = auto()
    """`audio-stop` has come, the transcript has not gone out."""
    ANSWERED = auto()
    """The transcript has gone out, `audio-stop` has not come; the rest is not listened to."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Send this at once."""

    message: Eventable


@dataclass(frozen=True, slots=True)
class Begin:
    """Open an utterance; what happens in it goes through the writer."""

    options: UtteranceOptions
    transcript: TranscriptWriter


@dataclass(frozen=True, slots=True)
class Audio:
    """Give this to the open utterance."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The open utterance gets no more audio."""


Action = Reply | Begin | Audio | End


class Conversation:
    """One client's side of the protocol.

    Args:
        options: of the door.
        defaults: of an utterance, where the client wishes nothing else.
        model: returns what is served now; asked every time, since it may still be loading.
    """

    def __init__(
        self,
        options: WyomingOptions,
        defaults: UtteranceOptions,
        model: Callable[[], ServedModel],
    ) -> None:
        self._options = options
        self._defaults = defaults
        self._model = model
        self._state = State.IDLE
        self._wishes = Wishes()
        self._format: ChunkFormat | None = None

    @property
    def state(self) -> State:
        """Where the connection is."""
        return self._state

    @property
    def owes_transcript(self) -> bool:
        """Whether the client waits, or will wait, for the words of an utterance."""
        return self._state in {State.LISTENING, State.FINISHING}

    def answered(self) -> None:
        """Note that the transcript of the present utterance has gone out."""
        self._state = State.ANSWERED if self._state is State.LISTENING else State.IDLE

    def receive(self, event: Event) -> Action | None:
        """Tell what to do about an event; nothing, if its type is unknown.

        While the state is FINISHING, everything but `describe` and `ping` must be held back.

        Raises:
            BadRequestError: the protocol does not allow it, or not here; or a class below it.
        """
        match event.type:
            case kind if Describe.is_type(kind):
                return Reply(describe(self._model(), self._options))
            case kind if Ping.is_type(kind):
                return Reply(Pong(check(PingData, event).text))
            case kind if SelectProgram.is_type(kind):
                self._select_program(check(SelectProgramData, event))
            case kind if Transcribe.is_type(kind):
                self._expect_between_utterances(kind)
                self._wishes = read_wishes(event, self._model(), self._options)
            case kind if AudioStart.is_type(kind):
                self._expect_between_utterances(kind)
                return self._begin(check(ChunkFormat, event))
            case kind if AudioChunk.is_type(kind):
                self._expect_utterance(kind)
                return self._hear(check(ChunkFormat, event), event.payload or b"")
            case kind if AudioStop.is_type(kind):
                self._expect_utterance(kind)
                return self._end()
        return None

    def _select_program(self, data: SelectProgramData) -> None:
        if data.name != PROGRAM:
            raise BadRequestError(f"select-program: name: there is only {PROGRAM} here")

    def _begin(self, chunk_format: ChunkFormat) -> Begin:
        audio_format = AudioFormat(chunk_format.rate, chunk_format.width, chunk_format.channels)
        self._format = chunk_format
        self._state = State.LISTENING
        wishes, self._wishes = self._wishes, Wishes()
        return Begin(
            wishes.utterance(self._defaults, audio_format, self._options),
            TranscriptWriter(wishes.language or self._model().only_language, wishes.context),
        )

    def _hear(self, chunk_format: ChunkFormat, pcm: bytes) -> Audio | None:
        if chunk_format != self._format:
            raise BadRequestError("audio-chunk: its rate, width, channels are not audio-start's")
        return Audio(pcm) if self._state is State.LISTENING else None

    def _end(self) -> End | None:
        if self._state is State.ANSWERED:
            self._state = State.IDLE
            return None
        self._state = State.FINISHING
        return End()

    def _expect_between_utterances(self, kind: str) -> None:
        if self._state is State.LISTENING:
            raise BadRequestError(f"{kind}: the utterance before has not ended with audio-stop")

    def _expect_utterance(self, kind: str) -> None:
        if self._state is State.IDLE:
            raise BadRequestError(f"{kind}: there was no audio-start before it")
