"""Kaldi's log mel filterbank for a batch in torch, with a warp of the vocal tract."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["LOG_FLOOR", "NUM_BINS", "fbank", "mel_banks"]

NUM_BINS = 80
FRAME, SHIFT, FFT = 400, 160, 512
LOG_FLOOR = math.log(1.1920929e-7)
"""Kaldi floors the energies at the float epsilon."""
LOW_HZ, HIGH_HZ, RATE = 20.0, 7600.0, 16000


def fbank(waves: Tensor, banks: Tensor) -> Tensor:
    """Log mel energies of a batch, equal to kaldi-native-fbank's.

    Args:
        waves: (batch, samples) in [-1, 1]; gives (samples + 80) // 160 frames, as
            `snip_edges=False` does.
        banks: (batch or 1, FFT // 2 + 1, NUM_BINS) from `mel_banks`.

    Returns:
        (batch, frames, NUM_BINS).
    """
    count = (waves.shape[1] + SHIFT // 2) // SHIFT
    left = FRAME // 2 - SHIFT // 2
    right = max(0, (count - 1) * SHIFT + FRAME - left - waves.shape[1])
    mirrored = torch.cat([waves[:, :left].flip(1), waves, waves[:, -right:].flip(1)], 1)
    frames = mirrored.unfold(1, FRAME, SHIFT)[:, :count]
    frames = frames - frames.mean(2, keepdim=True)
    frames = torch.cat([frames[..., :1] * 0.03, frames[..., 1:] - 0.97 * frames[..., :-1]], 2)
    hann = 0.5 - 0.5 * torch.cos(
        2 * math.pi * torch.arange(FRAME, device=waves.device) / (FRAME - 1)
    )
    spectrum = torch.fft.rfft(F.pad(frames * hann**0.85, (0, FFT - FRAME)))
    power = spectrum.real.square() + spectrum.imag.square()
    return torch.matmul(power, banks).clamp_min(math.exp(LOG_FLOOR)).log()


def mel_banks(warps: Tensor) -> Tensor:
    """Mel triangles with warped centres: (len(warps), FFT // 2 + 1, NUM_BINS).

    A factor of 1 is Kaldi's own filterbank. Others are heard as a longer or shorter vocal tract;
    the warp bends back near the ends of the band, so that it stays inside (Jaitly and Hinton,
    2013).
    """
    edges = torch.linspace(_mel(LOW_HZ), _mel(HIGH_HZ), NUM_BINS + 2, device=warps.device)
    hertz = 700 * (torch.exp(edges / 1127) - 1)
    knee = HIGH_HZ * 0.75 / warps.clamp_min(1)[:, None]
    above = warps[:, None] * knee + (HIGH_HZ - warps[:, None] * knee) * (hertz - knee) / (
        HIGH_HZ - knee
    )
    warped = torch.where(hertz <= knee, warps[:, None] * hertz, above)
    points = 1127 * torch.log(1 + warped / 700)
    bins = 1127 * torch.log(
        1 + torch.arange(FFT // 2 + 1, device=warps.device) * (RATE / FFT) / 700
    )
    low, centre, high = points[:, None, :-2], points[:, None, 1:-1], points[:, None, 2:]
    mels = bins[None, :, None]
    return torch.minimum((mels - low) / (centre - low), (high - mels) / (high - centre)).clamp_min(
        0
    )


def _mel(hertz: float) -> float:
    return 1127 * math.log(1 + hertz / 700)
