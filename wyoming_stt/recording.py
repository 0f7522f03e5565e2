"""Audio without end, as uploads, files and microphones send it, cut into pieces for the engine.

    async with Listening(engine, options) as listening:
        async for pcm in source:
            events = await listening.accept(pcm)    # of one piece after the other
        events = await listening.finish()

Every piece with a word in it yields a final transcript. Positions are those of the recording.
"""

import math
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final, Self

from wyoming_stt.audio.cut import CutOptions, Cutter
from wyoming_stt.audio.endpoint import EndpointOptions
from wyoming_stt.audio.gate import VadOptions
from wyoming_stt.audio.wake import Wake
from wyoming_stt.engine import Engine, LeaseStats, UtteranceOptions
from wyoming_stt.errors import SttError
from wyoming_stt.events import Event, FinalTranscript
from wyoming_stt.piece import Piece
from wyoming_stt.types import SAMPLE_RATE

__all__ = ["Listening", "RecordingOptions"]

FILE_STEP_S: Final = 0.5
"""Audio handed on at a time. Fixed, for the same events however it arrives; longer steps cost less
and show words later."""
MICROPHONE_STEP_S: Final = 0.16
"""The same while a person waits for the words."""
BEYOND_PRE_ROLL_S: Final = 0.5
"""Audio kept before speech is heard, beyond the detector's pre-roll: hearing takes a while."""


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """How to listen to audio that may be long."""

    keep_silence: bool = True
    """Every sample reaches the model, and the detector only chooses where to cut: for files. False,
    for microphones: the engine is only asked while someone speaks, and the endpoint rules end each
    utterance; silence costs next to nothing."""
    cut: CutOptions = field(default_factory=CutOptions)
    place_timeout_s: float | None = None
    """Longest wait for a place in the engine, where it is not `engine.admission_timeout_s`. Between
    its pieces a file lets others have its place, and then waits for as long as it takes."""
    background: bool = False
    """Nobody waits for it: it is decoded while nothing else is to do."""


class Listening:
    """One recording on its way through the engine. Its calls must not overlap.

    After an error the piece in hand is lost, its lease is free, and listening may go on. Where
    `accept` has heard something before the error, it returns that, and the next call raises.
    """

    def __init__(
        self,
        engine: Engine,
        options: UtteranceOptions,
        recording: RecordingOptions | None = None,
    ) -> None:
        recording = recording or RecordingOptions()
        self._engine = engine
        self._format = options.format
        # Whoever wants no detector in front of the model still needs one that finds the pauses.
        has_vad = options.vad.kind != "off"
        self._vad = options.vad if has_vad else replace(options.vad, kind=VadOptions().kind)
        self._cut = recording.cut.within(engine.options.max_utterance_s)
        self._lead_s = self._vad.pre_roll_s + BEYOND_PRE_ROLL_S
        self._place_timeout_s = recording.place_timeout_s
        self._is_background = recording.background
        self._keeps_silence = recording.keep_silence
        if recording.keep_silence:
            step_s = FILE_STEP_S
            self._options = replace(options, vad=replace(self._vad, kind="off"), endpoint=None)
        else:
            step_s = MICROPHONE_STEP_S
            endpoint = _patient(options.endpoint or EndpointOptions(), self._lead_s)
            self._options = replace(options, vad=self._vad, endpoint=endpoint)
        self._wake = Wake(self._format, self._vad)
        self._step = self._format.seconds_to_bytes(step_s)
        self._waiting = bytearray()
        self._lead = bytearray()
        self._received = 0
        self._piece: Piece | None = None
        self._past = LeaseStats()
        self._late_error: SttError | None = None
        self._finished = False
        self.settled = 0
        """Bytes of the recording whose words are known: up to where its last piece ended."""
        self.model: str | None = None
        """Name of the model that decoded its last piece; None before that."""

    @property
    def position(self) -> int:
        """Samples at 16 kHz that were received."""
        return self._received // self._format.frame_bytes * SAMPLE_RATE // self._format.rate

    @property
    def holds_lease(self) -> bool:
        """Whether it has a place in the engine now."""
        return self._piece is not None

    @property
    def stats(self) -> LeaseStats:
        """What the recording has cost; `audio_s` is all that was received."""
        return replace(self._fed, audio_s=self._received / self._format.seconds_to_bytes(1))

    @property
    def skipped_s(self) -> float:
        """Audio that the engine was spared."""
        waiting_s = len(self._waiting) / self._format.seconds_to_bytes(1)
        return max(0.0, self.stats.audio_s - waiting_s - self._fed.audio_s)

    async def accept(self, pcm: bytes) -> list[Event]:
        """Take PCM of any length; return what it brought about.

        Raises:
            OverloadedError, ShuttingDownError, ModelError: the engine takes nothing now.
            InferenceTimeoutError, InferenceError: the model failed on this piece.
        """
        if self._finished:
            return []
        self._received += len(pcm)
        self._waiting += pcm
        self._raise_late_error()
        return await self._listen(self._step)

    async def finish(self) -> list[Event]:
        """End the recording; the last event is a final transcript, without text if need be.

        Raises:
            The same as `accept`.
        """
        if self._finished:
            return []
        self._finished = True
        self._raise_late_error()
        events = await self._listen(self._format.frame_bytes)
        while self._piece is not None:
            events += await self._hear(self._piece, b"", last=True)
            events += await self._listen(self._format.frame_bytes)
        self._raise_late_error()
        if not events or not isinstance(events[-1], FinalTranscript):
            events.append(FinalTranscript(self.position, "", (), (), 0.0))
        return events

    async def aclose(self) -> None:
        """Free everything, at any time."""
        piece, self._piece = self._piece, None
        if piece is not None:
            self._past = _sum(self._past, piece.stats)
            await piece.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _listen(self, least: int) -> list[Event]:
        """Take steps of what waits, as long as there are at least so many bytes of it."""
        events: list[Event] = []
        while len(self._waiting) >= least:
            size = min(self._step, len(self._waiting))
            size -= size % self._format.frame_bytes
            pcm = bytes(self._waiting[:size])
            del self._waiting[:size]
            if self._piece is None:
                pcm = self._from_speech_on(pcm)
            try:
                if pcm:
                    events += await self._hear(self._piece or await self._open(len(pcm)), pcm)
            except SttError as error:
                if not events:
                    raise
                self._late_error = error
                break
        return events

    def _raise_late_error(self) -> None:
        error, self._late_error = self._late_error, None
        if error is not None:
            raise error

    def _from_speech_on(self, pcm: bytes) -> bytes:
        """Return what the next piece begins with, if it begins now."""
        if self._keeps_silence:
            return pcm
        self._lead += pcm
        del self._lead[: -self._format.seconds_to_bytes(self._lead_s)]
        return bytes(self._lead) if self._wake.push(pcm) else b""

    async def _open(self, size: int) -> Piece:
        """Begin a piece with the last `size` bytes that were taken."""
        first = self._received - len(self._waiting) - size
        cutter = Cutter(self._format, self._vad, self._cut)
        piece = Piece(self._engine, self._options, cutter, first)
        await piece.open(self._place_timeout_s, background=self._is_background)
        self._piece = piece
        if self._keeps_silence:
            self._place_timeout_s = math.inf  # who was let in is not turned away half-way
        self._lead.clear()
        self._wake = Wake(self._format, self._vad)
        return piece

    async def _hear(self, piece: Piece, pcm: bytes, *, last: bool = False) -> list[Event]:
        try:
            events = await (piece.finish() if last else piece.accept(pcm))
            self.model = piece.model or self.model
        except SttError:
            await self.aclose()
            raise
        if piece.end is not None:
            self.settled = piece.end
            self._waiting[:0] = piece.leftover
            await self.aclose()
        return events

    @property
    def _fed(self) -> LeaseStats:
        return _sum(self._past, self._piece.stats) if self._piece else self._past


def _patient(options: EndpointOptions, lead_s: float) -> EndpointOptions:
    """Adapt the rules to audio that begins `lead_s` before the speech, and may go on for long.

    Rules that end it while someone speaks are left out: the cutter finds a better place.
    """
    rules = (
        rule
        if rule.must_contain_speech
        else replace(rule, min_trailing_silence_s=rule.min_trailing_silence_s + lead_s)
        for rule in options.rules
        if rule.min_trailing_silence_s > 0
    )
    return EndpointOptions(tuple(rules))


def _sum(one: LeaseStats, other: LeaseStats) -> LeaseStats:
    return LeaseStats(
        one.audio_s + other.audio_s, one.queue_s + other.queue_s, one.decode_s + other.decode_s
    )
