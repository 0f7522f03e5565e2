"""One utterance from PCM to transcript: no sockets, no clock, no threads.

pcm ► samples ► 16 kHz ► gate ► recogniser ► partial and final transcripts
                          └► endpointer: has the speaker finished?
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

import numpy as np

from wyoming_stt.audio.endpoint import Endpointer, EndpointOptions
from wyoming_stt.audio.gate import GateOutput, VadOptions, make_gate
from wyoming_stt.audio.pcm import AudioFormat, PcmReader
from wyoming_stt.audio.resample import Resampler
from wyoming_stt.decoding.hypothesis import EMPTY, Hypothesis
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.events import Endpoint, Event, FinalTranscript, PartialTranscript, Word
from wyoming_stt.models.base import Recognizer
from wyoming_stt.text import words
from wyoming_stt.types import SAMPLE_RATE, Samples

__all__ = ["Session", "SessionState", "UtteranceOptions"]

_ENDPOINT_STEP: Final = 640
"""The endpointer is asked every 40 ms of audio, however the audio was cut."""
_BETWEEN_WORDS: Final = SAMPLE_RATE // 2
"""Wordless speech, by the detector, that is no silence yet: between two words of one sentence there
is often more than the 0.25 s of the shortest `vad_sensitivity`."""
_BEFORE_WORDS: Final = round(2.4 * SAMPLE_RATE)
"""The same before the first word, which takes the recogniser a while to hear; as long as nobody
need say anything at all."""
_MAX_OFFLINE_LOOK_AHEAD: Final = 15 * SAMPLE_RATE
"""An offline model decodes all it has heard for a look ahead; beyond this it would not pay."""


@dataclass(frozen=True, slots=True)
class UtteranceOptions:
    """How to listen to one utterance."""

    format: AudioFormat = field(default_factory=AudioFormat)
    search: SearchOptions = field(default_factory=SearchOptions)
    vad: VadOptions = field(default_factory=VadOptions)
    endpoint: EndpointOptions | None = None
    """When to end by itself; None: never, the caller says when."""
    partials: bool = True
    """Whether to tell the words before the end."""


class SessionState(Enum):
    """Where the utterance is."""

    LISTENING = auto()
    """Audio is decoded as it comes."""
    ENDED = auto()
    """The final transcript is out; further audio is not listened to."""


class Session:
    """The state machine of one utterance."""

    def __init__(self, recognizer: Recognizer, options: UtteranceOptions) -> None:
        self._info = recognizer.info
        self._tokens = recognizer.tokens
        self._pcm = PcmReader(options.format)
        self._resampler = Resampler(options.format.rate)
        self._gate = make_gate(options.vad, self._info.chunk_samples)
        self._stream = recognizer.open(options.search)
        self._endpointer = Endpointer(options.endpoint) if options.endpoint else None
        self._partials = options.partials
        self._has_told = False
        self._min_confidence = 0.0 if options.search.hotwords else options.search.min_confidence
        self._rest: Samples = np.empty(0, np.float32)
        self._position = 0
        self._num_fed = 0
        self._hypothesis = EMPTY
        self._look_ahead: Hypothesis | None = None
        self.state = SessionState.LISTENING

    @property
    def num_skipped(self) -> int:
        """Samples at 16 kHz in which nobody spoke, so that the recogniser did not get them."""
        return self._position - self._num_fed

    def accept(self, pcm: bytes) -> list[Event]:
        """Take PCM in the utterance's format, of any length; return what it brought about."""
        if self.state is SessionState.ENDED:
            return []
        return self._listen(self._resampler.push(self._pcm.push(pcm)), last=False)

    def finish(self) -> list[Event]:
        """End the utterance; the final transcript is the last event, and comes exactly once."""
        if self.state is SessionState.ENDED:
            return []
        events = self._listen(self._resampler.finish(), last=True)
        return events if _is_final(events) else events + self._end()

    def _listen(self, samples: Samples, *, last: bool) -> list[Event]:
        events: list[Event] = []
        for block in self._blocks(samples, last=last):
            self._position += len(block)
            output = self._gate.push(block)
            events += output.events
            events += self._feed(output)
            endpoint = self._endpoint()
            if endpoint is not None:
                return [*events, endpoint, *self._end()]
        return events

    def _blocks(self, samples: Samples, *, last: bool) -> Iterator[Samples]:
        """Cut at multiples of the endpointer's step, for equal endpoints in any chunking."""
        if self._endpointer is None:
            yield samples
            return
        self._rest = np.concatenate((self._rest, samples))
        while len(self._rest) >= _ENDPOINT_STEP:
            yield self._rest[:_ENDPOINT_STEP]
            self._rest = self._rest[_ENDPOINT_STEP:]
        if last:
            yield self._rest

    def _feed(self, output: GateOutput) -> list[Event]:
        events: list[Event] = []
        if len(output.samples):
            self._look_ahead = None
            self._num_fed += len(output.samples)
            events = self._partial(self._stream.push(output.samples))
        if output.closed and self._look_ahead is None and self._may_look_ahead():
            # The silence that follows is not fed, so what the end would be is known already:
            # when it comes, the transcript is ready.
            self._look_ahead = self._stream.fork().finish()
        return events

    def _may_look_ahead(self) -> bool:
        return self._num_fed > 0 and (
            self._info.streaming or self._num_fed <= _MAX_OFFLINE_LOOK_AHEAD
        )

    def _partial(self, hypothesis: Hypothesis) -> list[Event]:
        before, self._hypothesis = self._hypothesis, hypothesis
        if not self._partials or hypothesis.token_ids == before.token_ids:
            return []
        if not self._is_speech(hypothesis):
            return []
        text = self._tokens.decode(hypothesis.token_ids).rstrip()
        stays = hypothesis.committed()
        committed = ""
        if self._is_likely(self._group(stays)):
            committed = self._tokens.decode(stays.token_ids).rstrip()
            self._has_told |= bool(committed)
        return [PartialTranscript(self._position, text, committed)]

    def _is_speech(self, hypothesis: Hypothesis) -> bool:
        """Noise is heard as words now and then, none of which is likely.

        What was told to stay is not taken back, should its last word have become unlikely since.
        """
        if self._has_told or not hypothesis.token_ids:
            return True
        return self._is_likely(self._group(hypothesis))

    def _is_likely(self, heard: Sequence[Word]) -> bool:
        floor = self._min_confidence
        return floor <= 0 or any(word.confidence >= floor for word in heard)

    def _group(self, hypothesis: Hypothesis) -> tuple[Word, ...]:
        return words.group(hypothesis, self._tokens, self._info.frame_samples)

    def _endpoint(self) -> Endpoint | None:
        if self._endpointer is None:
            return None
        return self._endpointer.update(self._position, self._speech_end())

    def _speech_end(self) -> int | None:
        """Where the last word ended, by the recogniser or by the detector, whichever is earlier.

        The recogniser lags behind the sound, so its silence is counted in decoded frames. The
        detector may take noise for speech, so it alone can keep an utterance open for a while
        only; where it misses soft speech, the words correct it. An offline model has no words to
        ask.
        """
        if not self._info.streaming:
            return self._gate.speech_end
        detected = self._gate.speech_end
        hears_speech = self._gate.in_speech and detected is not None
        silence = self._hypothesis.trailing_blanks * self._info.frame_samples
        ends: list[int] = []
        if self._hypothesis.token_ids:
            ends.append(self._position - max(0, silence - _BETWEEN_WORDS * hears_speech))
        elif hears_speech and silence < _BEFORE_WORDS:
            return self._position
        known = self._look_ahead or self._hypothesis
        if known.token_ids and detected is not None:
            last = self._gate.true_position((known.frames[-1] + 1) * self._info.frame_samples)
            ends.append(max(detected, last))
        return min(ends, default=None)

    def _end(self) -> list[Event]:
        self.state = SessionState.ENDED
        closing = self._gate.finish()
        hypothesis = self._look_ahead or self._stream.finish()
        if not self._is_speech(hypothesis):
            hypothesis = EMPTY
        final = FinalTranscript(
            position=self._position,
            text=self._tokens.decode(hypothesis.token_ids).rstrip(),
            token_ids=hypothesis.token_ids,
            words=tuple(self._words(hypothesis)),
            confidence=words.confidence(hypothesis.log_probs),
        )
        return [*closing.events, final]

    def _words(self, hypothesis: Hypothesis) -> Iterator[Word]:
        """Move the words from where they were fed to where they were said.

        The last one may have been heard in the silence that the model was given after the end.
        """
        for word in self._group(hypothesis):
            start, end = map(self._gate.true_position, (word.start, word.end))
            last = self._position
            yield Word(word.text, min(start, last), min(end, last), word.confidence)


def _is_final(events: list[Event]) -> bool:
    return bool(events) and isinstance(events[-1], FinalTranscript)
