"""What each voice detector hears, what it takes for speech, and what it costs.

    python -m bench.vad --speech FOLDER… --noise FOLDER…

Each recording goes through the speech gate as served. Printed for each detector: the share of the
speech recordings that open the gate, as they are and 20 dB softer; the same of the noises, and how
much of their sound the model would be fed; and the CPU time for a second of audio.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from wyoming_stt.audio.gate import VadOptions, make_gate
from wyoming_stt.types import SAMPLE_RATE, Samples

DETECTORS = [
    ("webrtc", 1.0),
    ("webrtc", 0.5),
    ("webrtc", 0.3),
    ("silero", 0.8),
    ("silero", 0.5),
]
SOFT = np.float32(0.1)
ENCODER_CHUNK = 5_120


@dataclass
class Heard:
    recordings: int = 0
    opened: int = 0
    samples: int = 0
    fed: int = 0
    cpu_s: float = 0.0

    def listen(self, samples: Samples, options: VadOptions) -> None:
        gate = make_gate(options, ENCODER_CHUNK)
        began = time.process_time()
        self.fed += len(gate.push(samples).samples)
        self.cpu_s += time.process_time() - began
        self.samples += len(samples)
        self.opened += gate.heard_speech
        self.recordings += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--speech", type=Path, nargs="+", required=True)
    parser.add_argument("--noise", type=Path, nargs="+", required=True)
    parser.add_argument("--most", type=int, default=200, help="recordings of each folder")
    arguments = parser.parse_args()

    speech, noise = (
        [read(file) for folder in folders for file in spread(folder, arguments.most)]
        for folders in (arguments.speech, arguments.noise)
    )
    print(f"{len(speech)} recordings of speech, {len(noise)} of noise")
    print("| detector | sensitivity | speech | 20 dB softer | noise | noise fed | CPU ms/s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind, sensitivity in DETECTORS:
        options = VadOptions(kind=kind, sensitivity=sensitivity)
        plain, soft, room = Heard(), Heard(), Heard()
        for samples in speech:
            plain.listen(samples, options)
            soft.listen(samples * SOFT, options)
        for samples in noise:
            room.listen(samples, options)
        cpu_ms = 1_000 * sum(h.cpu_s for h in (plain, soft, room))
        seconds = sum(h.samples for h in (plain, soft, room)) / SAMPLE_RATE
        print(
            f"| {kind} | {sensitivity} | {plain.opened / plain.recordings:.1%} "
            f"| {soft.opened / soft.recordings:.1%} | {room.opened / room.recordings:.1%} "
            f"| {room.fed / room.samples:.1%} | {cpu_ms / seconds:.2f} |",
            flush=True,
        )


def spread(folder: Path, most: int) -> list[Path]:
    """Recordings of a folder, evenly over its order."""
    files = sorted(file for file in folder.iterdir() if file.suffix in {".ogg", ".flac", ".wav"})
    return files[:: max(1, -(-len(files) // most))]


def read(file: Path) -> Samples:
    samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    if rate != SAMPLE_RATE:
        raise SystemExit(f"{file}: {rate} Hz; this comparison takes {SAMPLE_RATE} Hz")
    return samples[: 15 * SAMPLE_RATE, 0].copy()


if __name__ == "__main__":
    main()
