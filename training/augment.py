"""What happens to clean speech on its way to a microphone: rooms, noise, colour, level.

All of it keeps the time axis, so that the teacher's frames of the clean recording stay the right
answer. Everything works on a whole batch; rooms, colour and telephone bands share one Fourier
transform.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.features import LOG_FLOOR
from training.recordings import read_audio

__all__ = ["Augmenter", "NoiseBank", "is_noise_held_out", "mask_features", "unit_power"]

RATE = 16_000
ROOM_SAMPLES = 6400
SNR_DB = (0.0, 32.0)
LEVEL_DB = (-30.0, 0.0)
SOUNDS_SHARE, RECORDED_SHARE = 0.3, 0.7
"""Of the noises: music and signals, and up to which share they are recorded at all."""
BANDS, BAND_BINS = 2, 18
"""Masked bands of an utterance, each of at most so many of 80 bins."""
FRAMES_PER_GAP, GAP_FRAMES = 150, 25
"""At most one gap, and one for each 1.5 s; each of at most 250 ms and an eighth of it all."""


def is_noise_held_out(path: Path) -> bool:
    """Half of the noise files is never trained on: false words are counted on it."""
    return hashlib.sha256(path.name.encode()).digest()[0] % 2 == 0


class NoiseBank:
    """Recorded noise (half of what there is), room responses, and other sounds, in memory."""

    def __init__(
        self,
        noise: list[NDArray[np.float32]],
        rooms: list[NDArray[np.float32]],
        sounds: list[NDArray[np.float32]] | None = None,
    ) -> None:
        self.noise = noise
        self.rooms = rooms
        self.sounds = sounds or []

    @classmethod
    def load(cls, speech: Path, *, sounds: Path | None = None, held_out: bool = False) -> NoiseBank:
        """Read `noise-*`, the half for training or the other, `rooms-*`, and a folder of sounds."""
        noise = [p for p in _audio_files(speech, "noise-*/*") if is_noise_held_out(p) == held_out]
        return cls(
            _at_unit_power(noise),
            [_direct_first(read_audio(p)) for p in _audio_files(speech, "rooms-*/*")],
            _at_unit_power(_audio_files(sounds, "*") if sounds else []),
        )


class Augmenter:
    """Draws one acoustic scene for each utterance of a batch.

    Args:
        bank: Recorded noise and rooms.
        rng: Source of chance.
        share: Of the utterances, put into a scene; the others keep all but their level.
    """

    def __init__(self, bank: NoiseBank, rng: np.random.Generator, share: float = 1.0) -> None:
        self._bank = bank
        self._rng = rng
        self._share = share

    def __call__(self, waves: Tensor, lengths: list[int]) -> Tensor:
        """Put clean utterances (batch, samples) into scenes; returns samples in [-1, 1]."""
        count, samples = waves.shape
        size = _fast_size(samples + ROOM_SAMPLES)
        spectrum = torch.fft.rfft(waves, size)
        frequency = torch.linspace(0, 1, spectrum.shape[1])
        in_scene = torch.from_numpy((self._rng.random(count) < self._share).astype(np.float32))[
            :, None
        ]
        rooms, gains = zip(*(self._channel(frequency) for _ in range(count)), strict=True)
        spectrum = spectrum * torch.fft.rfft(torch.stack(rooms), size) * torch.stack(gains)
        heard = torch.fft.irfft(spectrum, size)[:, :samples]
        power = torch.stack(
            [h[:n].square().mean() for h, n in zip(heard, lengths, strict=True)]
        ).clamp_min(1e-9)
        noise = torch.stack([self._background(samples) for _ in range(count)])
        babble = heard.roll(1, 0) / power.roll(1).sqrt()[:, None]
        heard = heard + (noise + babble * self._amounts(count, 0.12, 5)) * power.sqrt()[:, None]
        return self._microphone(in_scene * heard + (1 - in_scene) * waves)

    def _channel(self, frequency: Tensor) -> tuple[Tensor, Tensor]:
        """Room response (ROOM_SAMPLES) and spectral gain of one utterance."""
        rng = self._rng
        room = torch.zeros(ROOM_SAMPLES)
        room[0] = 1
        kind = rng.random()
        if kind < 0.4:
            room = self._simulated_room()
        elif kind < 0.5 and self._bank.rooms:
            response = torch.from_numpy(
                self._bank.rooms[rng.integers(len(self._bank.rooms))][:ROOM_SAMPLES]
            )
            room = torch.zeros(ROOM_SAMPLES)
            room[: len(response)] = response
        gain = torch.ones_like(frequency)
        if rng.random() < 0.5:
            tilt, ripple, rate, phase = (
                rng.uniform(-1, 1),
                rng.uniform(0, 0.4),
                rng.uniform(3, 25),
                rng.uniform(0, 6.3),
            )
            gain = 10 ** (tilt * frequency * 0.7 + ripple * torch.sin(frequency * rate + phase))
        if rng.random() < 0.15:
            low, high = rng.uniform(0.005, 0.045), rng.uniform(0.42, 0.95)
            gain = (
                gain
                * torch.sigmoid((frequency - low) * 400)
                * torch.sigmoid((high - frequency) * 100)
            )
        return room, gain

    def _simulated_room(self) -> Tensor:
        """Direct sound, then noise that dies away: 0.1 to 0.8 s of reverberation time."""
        rng = self._rng
        time = torch.arange(ROOM_SAMPLES) / RATE
        decay = torch.exp(-6.9 * time / rng.uniform(0.1, 0.8))
        tail = torch.from_numpy(rng.standard_normal(ROOM_SAMPLES).astype(np.float32)) * decay
        tail[: int(rng.uniform(16, 160))] = 0
        tail *= 10 ** (rng.uniform(-18, 2) / 20) / tail.square().sum().sqrt()
        tail[0] = 1
        return tail

    def noise(self, samples: int) -> Tensor:
        """Recorded, coloured or tonal noise of power 1."""
        rng = self._rng
        kind = rng.random()
        recorded = (kind < SOUNDS_SHARE and self._bank.sounds) or self._bank.noise
        if kind < RECORDED_SHARE and recorded:
            source = recorded[rng.integers(len(recorded))]
            rolled = np.roll(source, int(rng.integers(len(source))))
            return torch.from_numpy(np.resize(rolled, samples))
        return self._coloured(samples) if kind < 0.9 else self._tones(samples)

    def _background(self, samples: int) -> Tensor:
        """Noise at its drawn level below speech of power 1; sometimes none."""
        if self._rng.random() < 0.25:
            return torch.zeros(samples)
        return self.noise(samples) * 10 ** (-self._rng.uniform(*SNR_DB) / 20)

    def _coloured(self, samples: int) -> Tensor:
        size = _fast_size(samples)
        white = torch.from_numpy(self._rng.standard_normal(size // 2 + 1).astype(np.float32))
        phase = torch.from_numpy(self._rng.uniform(0, 6.3, size // 2 + 1).astype(np.float32))
        slope = torch.arange(1, size // 2 + 2) ** -(self._rng.uniform(0, 2.2) / 2)
        noise = torch.fft.irfft(torch.polar(white.abs() * slope, phase), size)[:samples]
        return noise / noise.square().mean().sqrt().clamp_min(1e-9)

    def _tones(self, samples: int) -> Tensor:
        """Chords that change a few times a second, with overtones: music from afar, beeps, hum."""
        rng = self._rng
        time, noise = torch.arange(samples) / RATE, torch.zeros(samples)
        step = max(1, int(rng.uniform(0.2, 0.8) * RATE))
        for start in range(0, samples, step):
            span = slice(start, start + step)
            fade = torch.exp(-(time[span] - time[start]) * rng.uniform(0, 6))
            for _ in range(rng.integers(1, 4)):
                pitch = 55 * 2 ** (rng.integers(0, 48) / 12)
                for overtone in range(1, 5):
                    noise[span] += (
                        torch.sin(6.2832 * pitch * overtone * time[span]) * fade / overtone**1.3
                    )
        return noise / noise.square().mean().sqrt().clamp_min(1e-9)

    def _microphone(self, heard: Tensor) -> Tensor:
        """Level, now and then clipping and coarse quantisation."""
        rng, count = self._rng, len(heard)
        heard = heard / heard.abs().amax(1, keepdim=True).clamp_min(1e-6)
        drive = torch.from_numpy(
            np.where(rng.random(count) < 0.1, rng.uniform(1, 4, count), 1.0).astype(np.float32)
        )
        heard = (heard * drive[:, None]).clamp(-1, 1)
        coarse = torch.from_numpy(rng.random(count) < 0.08)
        heard[coarse] = _mu_law(heard[coarse])
        level = 10 ** (rng.uniform(*LEVEL_DB, count) / 20)
        return heard * torch.from_numpy(level.astype(np.float32))[:, None]

    def _amounts(self, count: int, share: float, snr_from: float) -> Tensor:
        present = self._rng.random(count) < share
        amounts = present * 10 ** (-self._rng.uniform(snr_from, 30, count) / 20)
        return torch.from_numpy(amounts.astype(np.float32))[:, None]


def mask_features(features: Tensor, lengths: list[int], rng: np.random.Generator) -> None:
    """SpecAugment in place: bands of the spectrum and gaps in time, of random widths.

    A few hours of people are learned by heart unless every hearing of them lacks something else.
    """
    for row, length in zip(features, lengths, strict=True):
        fill = float(row[:length].mean()) if length else LOG_FLOOR
        for _ in range(BANDS):
            width = int(rng.integers(0, BAND_BINS + 1))
            start = int(rng.integers(0, row.shape[1] - width))
            row[:, start : start + width] = fill
        widest = min(GAP_FRAMES, length // 8)
        for _ in range(int(rng.integers(0, 2 + length // FRAMES_PER_GAP))):
            width = int(rng.integers(0, widest + 1))
            start = int(rng.integers(0, max(1, length - width)))
            row[start : start + width] = fill


def _mu_law(samples: Tensor) -> Tensor:
    """Samples in [-1, 1] as 8 bits of a telephone line give them back (ITU-T G.711)."""
    companded = samples.sign() * (1 + 255 * samples.abs()).log() / np.log(256)
    coded = (companded * 128).round() / 128
    return coded.sign() * (256 ** coded.abs() - 1) / 255


def _audio_files(folder: Path, pattern: str) -> list[Path]:
    return [p for p in sorted(folder.glob(pattern)) if p.suffix in (".ogg", ".flac", ".wav")]


def _at_unit_power(paths: list[Path]) -> list[NDArray[np.float32]]:
    """Those of them that last longer than half a second."""
    return [unit_power(a) for a in map(read_audio, paths) if len(a) > RATE // 2]


def unit_power(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Samples at a level at which their mean square is 1."""
    return audio / np.sqrt(np.mean(audio**2) + 1e-9)


def _direct_first(response: NDArray[np.float32]) -> NDArray[np.float32]:
    """Let a response start at its direct sound, of height 1: it must not move speech."""
    peak = int(np.abs(response).argmax())
    return response[peak:] / response[peak]


def _fast_size(samples: int) -> int:
    step = 1 << max(8, samples.bit_length() - 4)
    return -(-samples // step) * step
