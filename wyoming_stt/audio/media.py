"""Sound files of any kind to PCM, through FFmpeg's libraries."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

import av
from av.error import FFmpegError

from wyoming_stt.audio.pcm import RATES, AudioFormat
from wyoming_stt.errors import AudioFormatError

__all__ = ["MediaReader"]

# 32 bits hold the samples of 8 to 24 bit files as they are.
_SAMPLE_FORMAT: Final = "s32"
_WIDTH: Final = 4
# Beyond what any recorder writes. To convert from a rate of megahertz, FFmpeg computes a filter for
# minutes and fills the memory with it.
FILE_RATES: Final = (1_000, 768_000)
# A playlist must not make us fetch what it names.
_FILE_OPTIONS: Final = {"protocol_whitelist": "file"}
# What a stranger sends must not even make us open a file here: no protocol has this name, and none
# of these containers names other files (playlists and lists of parts do).
_STREAM_OPTIONS: Final = {
    "protocol_whitelist": "none",
    "format_whitelist": "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,eac3,flac,flv,gsm,"
    "matroska,mov,mp3,mpeg,mpegts,ogg,rm,sox,tta,voc,w64,wav,wv",
    # Of what may be somebody speaking, FFmpeg would otherwise hear five seconds before it begins.
    "analyzeduration": "500000",
}
# What FFmpeg reads at a time. A stream may be somebody speaking: at 32 kbit/s the larger one is
# eight seconds of that.
_FILE_BUFFER: Final = 32_768
_STREAM_BUFFER: Final = 4_096
# Below that, times in a file are not exact enough to tell of a pause: WebM has whole milliseconds,
# and encoders begin a frame early or late.
_GAP_S: Final = 0.1
_LONGEST_GAP_S: Final = 86_400.0


class MediaReader:
    """The first audio stream of a file in any container, as pieces of interleaved PCM.

    It can be iterated over once. `format` is the file's own rate and channels at 32 bits; rates
    outside 8 to 48 kHz are converted to the nearer bound. `duration_s` is what the container
    says, or None.

    Raises:
        AudioFormatError: there is no audio in it, or more than 8 channels of it. The same while
            iterating, when it is damaged.
        OSError: the file cannot be opened or read.
    """

    def __init__(self, source: Path | BinaryIO) -> None:
        self._name = str(source) if isinstance(source, Path) else "the input"
        # Absolute, lest a name such as "http:x" be taken for an address.
        is_file = isinstance(source, Path)
        file = str(source.absolute()) if isinstance(source, Path) else source
        options = _FILE_OPTIONS if is_file else _STREAM_OPTIONS
        size = _FILE_BUFFER if is_file else _STREAM_BUFFER
        try:
            self._container = av.open(
                file, "r", options=options, metadata_errors="replace", buffer_size=size
            )
        except FFmpegError as error:
            if is_file and isinstance(error, OSError):
                raise
            raise AudioFormatError(f"{self._name} is no sound file: {error.strerror}") from error
        # A stream of a codec that FFmpeg does not know has no context, and no rate.
        streams = [s for s in self._container.streams.audio if s.codec_context and s.rate]
        if not streams:
            raise AudioFormatError(f"{self._name} is no sound file: there is no audio in it")
        low, high = FILE_RATES
        if not low <= streams[0].rate <= high:
            raise AudioFormatError(
                f"{self._name} cannot be read: its sampling rate is said to be {streams[0].rate} "
                f"Hz, and {low} to {high} Hz are possible"
            )
        low, high = RATES
        self._stream = streams[0]
        self._start_s = (self._container.start_time or 0) / av.time_base
        self.format = AudioFormat(min(max(streams[0].rate, low), high), _WIDTH, streams[0].channels)
        duration = self._container.duration
        self.duration_s = None if duration is None else duration / av.time_base

    def __iter__(self) -> Iterator[bytes]:
        """Decode to the end, one codec frame at a time.

        What a recorder left out, because nobody spoke or the sound began late, is silence: times
        are those of the file.
        """
        resampler = av.AudioResampler(_SAMPLE_FORMAT, self._stream.layout, self.format.rate)
        second = bytes(self.format.seconds_to_bytes(1))
        num_read = 0
        try:
            for frame in chain(self._container.decode(self._stream), [None]):
                missing = self._missing(frame, num_read)
                num_read += missing
                for left in range(missing * self.format.frame_bytes, 0, -len(second)):
                    yield second[:left]
                for converted in resampler.resample(frame):
                    num_read += converted.samples
                    yield converted.to_ndarray().tobytes()
        except (FFmpegError, ValueError) as error:
            raise AudioFormatError(
                f"{self._name} is damaged after {num_read / self.format.rate:.1f} s: {error}"
            ) from error
        finally:
            self._container.close()

    def _missing(self, frame: av.AudioFrame | None, num_read: int) -> int:
        """Count the samples between what was read and the frame."""
        if frame is None or frame.time is None:
            return 0
        gap_s = frame.time - self._start_s - num_read / self.format.rate
        if gap_s > _LONGEST_GAP_S:
            raise ValueError(f"the next sound is said to come {gap_s:.0f} s later")
        return round(gap_s * self.format.rate) if gap_s > _GAP_S else 0
