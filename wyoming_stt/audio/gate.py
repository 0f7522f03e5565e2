"""Keeps silence away from the encoder, and loses no word by it.

    waiting        speech                hangover   withheld         speech
    ──────────────┬────────────────────┬──────────┬─────────────────┬──────────
    dropped │ pre-roll ► fed ► ► ► ► ► fed ► ► ► ►│ fed when speech resumes ► ►

Before the first speech only a pre-roll is kept. After it, silence beyond the hangover is withheld
rather than dropped: when speech resumes the model gets all of it, so that it hears exactly what it
would have heard without a gate. Only the middle of a very long pause is dropped. Whatever is
dropped has whole encoder chunks, so that the chunks of the rest stay where they were.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from wyoming_stt.audio.hold import Hold
from wyoming_stt.audio.vad import VADS, Vad
from wyoming_stt.errors import SettingsError
from wyoming_stt.events import SpeechEnded, SpeechStarted
from wyoming_stt.types import SAMPLE_RATE, Samples

__all__ = ["Gate", "GateOutput", "OpenGate", "SpeechGate", "VadOptions", "make_gate"]

_NOTHING: Final[Samples] = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class VadOptions:
    """Which detector decides, and how; durations in seconds."""

    kind: str = "webrtc"
    """`webrtc`; `silero`, which takes far less noise for speech but 4 % of a core, and misses some
    short words; `energy`, for trying things out; or `off`."""
    sensitivity: float = 0.5
    """Above 0 and up to 1: more lets more through."""
    min_speech_s: float = 0.09
    """Speech this long without a gap opens the gate; a click does not."""
    pre_roll_s: float = 1.3
    """Kept from before the speech: first consonants are too weak for a detector, and models hear
    first words better with some of the room before them."""
    hangover_s: float = 0.5
    """Silence this long closes the gate."""
    max_hold_s: float = 4.0
    """Of a longer pause the middle is dropped."""

    def __post_init__(self) -> None:
        if self.kind != "off" and self.kind not in VADS:
            raise SettingsError(f"no voice detector {self.kind!r}: {', '.join(VADS)} or off")
        if not 0 < self.sensitivity <= 1:
            raise SettingsError(f"vad sensitivity {self.sensitivity} is not in (0, 1]")
        if min(self.min_speech_s, self.pre_roll_s, self.hangover_s, self.max_hold_s) < 0:
            raise SettingsError("vad durations cannot be negative")


@dataclass(frozen=True, slots=True)
class GateOutput:
    """What to feed the model now, and what was heard; positions are those of the utterance."""

    samples: Samples = field(default_factory=lambda: _NOTHING)
    events: tuple[SpeechStarted | SpeechEnded, ...] = ()
    closed: bool = True
    """Whether silence is being withheld: a good time to look ahead at the end."""


class Gate(Protocol):
    """Decides for one utterance what the model gets to hear."""

    @property
    def in_speech(self) -> bool:
        """Whether the gate is open."""
        ...

    @property
    def heard_speech(self) -> bool:
        """Whether it has ever been."""
        ...

    @property
    def speech_end(self) -> int | None:
        """Where the latest speech ended, or has come to; None before any was heard."""
        ...

    def push(self, samples: Samples) -> GateOutput:
        """Take the next samples of the utterance, shape (N,), as many as there are."""
        ...

    def finish(self) -> GateOutput:
        """End the utterance: silence still withheld is never fed."""
        ...

    def true_position(self, fed_position: int) -> int:
        """Translate a position in what was fed to a position in the utterance."""
        ...


def make_gate(options: VadOptions, align: int) -> Gate:
    """Make the gate of one utterance; `align` is the model's encoder chunk in samples."""
    if options.kind == "off":
        return OpenGate()
    return SpeechGate(VADS[options.kind](options.sensitivity), options, align)


class OpenGate:
    """No gate: everything passes, nothing is said about it."""

    in_speech: Final = True
    heard_speech: Final = True
    speech_end: Final = None

    def push(self, samples: Samples) -> GateOutput:
        """Pass the samples on."""
        return GateOutput(samples, closed=False)

    def finish(self) -> GateOutput:
        """Have nothing left."""
        return GateOutput(closed=False)

    def true_position(self, fed_position: int) -> int:
        """Return the same."""
        return fed_position


class SpeechGate:
    """A gate moved by a voice detector. Any chunking of the audio has the same effect."""

    def __init__(self, vad: Vad, options: VadOptions, align: int) -> None:
        self._vad = vad
        self._threshold = 1 - options.sensitivity
        self._min_speech = round(options.min_speech_s * SAMPLE_RATE)
        self._hangover = round(options.hangover_s * SAMPLE_RATE)
        # The speech that opens the gate is itself withheld until it is long enough.
        self._tail = round(options.pre_roll_s * SAMPLE_RATE) + self._min_speech + vad.frame_samples
        self._head = max(0, round(options.max_hold_s * SAMPLE_RATE) - self._tail)
        self._hold = Hold(align)
        self._frame = _NOTHING
        self._position = 0
        self._run = 0
        self._speech_end = 0
        self.in_speech = False
        self.heard_speech = False

    def push(self, samples: Samples) -> GateOutput:
        """Take the next samples of the utterance, shape (N,), as many as there are."""
        released: list[Samples] = []
        events: list[SpeechStarted | SpeechEnded] = []
        while len(samples):
            piece = samples[: self._vad.frame_samples - len(self._frame)]
            samples = samples[len(piece) :]
            self._frame = np.concatenate((self._frame, piece))
            self._position += len(piece)
            self._hold.append(piece)
            was_open = self.in_speech
            if len(self._frame) == self._vad.frame_samples:
                events += self._decide(self._frame)
                self._frame = _NOTHING
            # The frame that closes the gate passes whole, as its first half may have long done.
            if was_open or self.in_speech:
                released += self._hold.release()
        return GateOutput(_join(released), tuple(events), not self.in_speech)

    @property
    def speech_end(self) -> int | None:
        """Where the latest speech ended, or has come to; None before any was heard."""
        return self._speech_end if self.heard_speech else None

    def finish(self) -> GateOutput:
        """End the utterance: silence still withheld is never fed."""
        return GateOutput(events=tuple(self._close()) if self.in_speech else ())

    def true_position(self, fed_position: int) -> int:
        """Translate a position in what was fed to a position in the utterance."""
        return self._hold.true_position(fed_position)

    def _decide(self, frame: Samples) -> list[SpeechStarted | SpeechEnded]:
        """Move the gate by one frame, which ends at the present position."""
        if self._vad.speech_prob(frame) > self._threshold:
            self._run += len(frame)
            self._speech_end = self._position
            if not self.in_speech and self._run >= self._min_speech:
                return self._open()
        else:
            self._run = 0
            if self.in_speech and self._position - self._speech_end >= self._hangover:
                return self._close()
        if not self.in_speech:
            self._hold.trim(self._head if self.heard_speech else 0, self._tail)
        return []

    def _open(self) -> list[SpeechStarted | SpeechEnded]:
        self.in_speech = self.heard_speech = True
        return [SpeechStarted(self._position - self._run)]

    def _close(self) -> list[SpeechStarted | SpeechEnded]:
        self.in_speech = False
        return [SpeechEnded(self._speech_end)]


def _join(pieces: list[Samples]) -> Samples:
    return np.concatenate(pieces) if pieces else _NOTHING
