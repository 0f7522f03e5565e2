"""Our features beside Kaldi's formula in float64, and a stream beside kaldi-native-fbank itself.

The formula checks the options. Its tolerance is the library's rounding in float32, which shows only
where a bin is close to the floor beside loud ones. The same bits as the library in one piece check
that cutting, taking and forking leave no trace.
"""

from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np
import pytest
import soundfile
from numpy.lib.stride_tricks import sliding_window_view

from tests.support.chunks import every
from tests.support.shared import SHARED, needs_shared, recordings
from wyoming_stt.features.fbank import FbankStream, batch

TOLERANCE = 1e-3
ROUNDING = 5e-3


def kaldi(samples: np.ndarray) -> np.ndarray:
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = 80
    options.mel_opts.high_freq = -400
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(16_000, samples.tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])


def streamed(samples: np.ndarray) -> np.ndarray:
    """Packets of 20 ms, encoder chunks of 32 frames, and on in a copy after each of them."""
    stream, blocks = FbankStream(), []
    for piece in every(samples, 320):
        stream.push(piece)
        if stream.num_ready >= 32:
            blocks.append(stream.take(32))
            stream = stream.copy()
    stream.finish()
    return np.concatenate([*blocks, stream.take(stream.num_ready)])


def formula(samples: np.ndarray) -> np.ndarray:
    """Kaldi's definition, written down without regard to speed or rounding."""
    mirrored = np.pad(samples.astype(np.float64), (120, 400), mode="symmetric")
    frames = sliding_window_view(mirrored, 400)[::160][: (len(samples) + 80) // 160]
    frames = frames - frames.mean(axis=1, keepdims=True)
    previous = np.concatenate((frames[:, :1], frames[:, :-1]), axis=1)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
    power = np.abs(np.fft.rfft((frames - 0.97 * previous) * window, 512)) ** 2

    def mel(hertz: np.ndarray | float) -> np.ndarray:
        return 1127 * np.log(1 + np.asarray(hertz) / 700)

    width = (mel(7_600) - mel(20)) / 81
    centres = mel(20) + width * np.arange(1, 81)
    bins = mel(np.arange(257) * 31.25)[:, None]
    weights = np.maximum(0, 1 - np.abs(bins - centres) / width)
    return np.log(np.maximum(power @ weights, np.finfo(np.float32).eps))


def synthetic() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    white = rng.standard_normal(32_000)
    time = np.arange(32_000) / 16_000
    signals = {
        "noise": white / 10,
        "silence": np.zeros(32_000),
        "clipping": np.clip(white * 3, -1, 1),
        "whisper": white * 1e-4,
        "square": np.sign(np.sin(2 * np.pi * 110 * time)),
        "sweep": 0.05 * np.sin(2 * np.pi * 2_000 * time**2),
        "constant": np.full(32_000, 0.5),
        "offset": 0.5 + white * 1e-3,
    } | {f"{size} samples": white[:size] / 10 for size in (80, 119, 120, 200, 241, 399, 1_000)}
    return {name: signal.astype(np.float32) for name, signal in signals.items()}


def real() -> list[Path]:
    if not SHARED.is_dir():
        return []
    speech = [recording.path for recording in recordings("librispeech-other-a", 4)]
    return [*speech, SHARED / "speech" / "noise-household" / "doing_the_dishes.ogg"]


def agree(samples: np.ndarray) -> None:
    features, exact = batch(samples), formula(samples)
    difference = np.abs(features - exact)
    assert difference.max() <= ROUNDING
    assert (difference > TOLERANCE).mean() <= 1e-3
    reference = kaldi(samples)
    assert np.array_equal(features, reference)
    assert np.array_equal(streamed(samples), reference)


@pytest.mark.parametrize("name", synthetic())
def test_synthetic_sound(name: str) -> None:
    agree(synthetic()[name])


@needs_shared
@pytest.mark.model
@pytest.mark.parametrize("path", real(), ids=lambda path: path.stem)
def test_recordings(path: Path) -> None:
    samples, _ = soundfile.read(path, dtype="float32", frames=160_000)
    agree(samples)
