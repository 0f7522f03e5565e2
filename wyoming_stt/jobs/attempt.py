"""One worker's try at one job: audio from the spool, through the engine, to a transcript.

Each piece that is done is kept at once. Whoever has the job next goes on from there, with the same
words as if nothing had happened: a piece begins with a fresh decoder anyway.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO, Final

from pydantic import TypeAdapter

from wyoming_stt.audio.pcm import AudioFormat
from wyoming_stt.engine import Engine, UtteranceOptions
from wyoming_stt.errors import AudioFormatError
from wyoming_stt.events import Event, FinalTranscript, moved
from wyoming_stt.jobs.insist import insist
from wyoming_stt.jobs.job import File, Job, Progress
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.spool import Spool
from wyoming_stt.jobs.store import JobStore
from wyoming_stt.media_stream import MediaOptions, MediaStream
from wyoming_stt.observability.observer import Observer, observed
from wyoming_stt.recording import Listening, RecordingOptions
from wyoming_stt.transcript import Transcript
from wyoming_stt.types import SAMPLE_RATE

__all__ = ["Attempt", "Tools"]

DOOR: Final = "jobs"
"""The name of jobs in the log and the metrics, among those of the doors."""
NEARLY: Final = 0.99
"""The most that is said to be done before the end: files are often longer than they say."""
LOOK_S: Final = 1.0
"""Between two looks at whether jobs may go on, while the machine is overloaded."""
_PIECE: Final = TypeAdapter(list[FinalTranscript])
_RECORDING: Final = RecordingOptions(background=True)


@dataclass(frozen=True, slots=True)
class Tools:
    """What it takes."""

    engine: Engine
    store: JobStore
    spool: Spool
    options: JobsOptions
    defaults: UtteranceOptions
    observer: Observer


class Attempt:
    """Made by the worker that holds the job under `token`."""

    def __init__(self, tools: Tools, job: Job, token: str) -> None:
        if job.audio is None:
            raise ValueError(f"job {job.id} has no audio")
        self._tools = tools
        self._job = job
        self._token = token
        self._source = _Source(tools.spool, job.audio)
        self._progress = job.progress
        self._done_s = job.progress.done_s
        self._finals: list[FinalTranscript] = []

    async def run(self) -> Transcript:
        """Transcribe to the end, giving signs of life.

        Raises:
            LeaseLostError, JobNotFoundError: somebody else decides over the job now.
            AudioFormatError, LimitError: the recording cannot be transcribed.
            InferenceError, InferenceTimeoutError, ModelError, ShuttingDownError: of the engine.
            JobsUnavailableError, OSError: the audio, or what was kept of it, cannot be read.
        """
        work = asyncio.create_task(self._transcribe())
        beat = asyncio.create_task(self._beat())
        try:
            await asyncio.wait({work, beat}, return_when=asyncio.FIRST_COMPLETED)
            if beat.done():
                beat.result()
            return work.result()
        finally:
            beat.cancel()
            work.cancel()
            await asyncio.gather(beat, work, return_exceptions=True)

    async def _beat(self) -> None:
        """Tell that somebody works on it, until told that it is not ours."""
        beat_s = self._tools.options.beat_s
        while True:
            await asyncio.sleep(beat_s)
            beaten = partial(_beaten, self._token, self._done_s, self._share)
            await insist(self._tools.store, self._job.id, beaten, every_s=beat_s)

    async def _transcribe(self) -> Transcript:
        for piece in await self._tools.store.pieces(self._job.id):
            self._finals += _PIECE.validate_json(piece)
        limits = MediaOptions(self._tools.options.max_duration_s, section="jobs")
        async with MediaStream(self._source.open, limits) as media:
            options = self._utterance(media.format)
            with observed(self._tools.observer, DOOR) as watch:
                async with Listening(self._tools.engine, options, _RECORDING) as listening:
                    try:
                        await self._listen(media, listening)
                    finally:
                        watch.stats = listening.stats
            num_bytes = self._job.progress.settled + round(
                listening.stats.audio_s * media.format.seconds_to_bytes(1)
            )
        info = self._tools.engine.info
        return Transcript.join(
            self._finals,
            duration_s=num_bytes / media.format.seconds_to_bytes(1),
            language=self._job.wishes.language,
            model=info.name if info else "",
        )

    async def _listen(self, media: MediaStream, listening: Listening) -> None:
        start = self._job.progress.settled
        second = media.format.seconds_to_bytes(1)
        position = start
        fresh: list[FinalTranscript] = []
        async for pcm in self._after(media, start):
            fresh += self._placed(await listening.accept(pcm), media.format)
            position += len(pcm)
            self._done_s = position / second
            if start + listening.settled > self._progress.settled:
                await self._keep(start + listening.settled, fresh)
                fresh = []
        if position < start:
            raise AudioFormatError("the recording has become shorter than it was")
        self._finals += fresh + self._placed(await listening.finish(), media.format)

    async def _keep(self, settled: int, finals: list[FinalTranscript]) -> None:
        """Keep what is done, so that nobody has to do it again."""
        self._finals += finals
        progress = self._progress = Progress(settled, self._done_s, self._share)
        piece = _PIECE.dump_json([final for final in finals if final.text])
        await insist(
            self._tools.store,
            self._job.id,
            lambda job: job.advanced(self._token, progress),
            piece,
            every_s=self._tools.options.beat_s,
        )

    async def _after(self, media: MediaStream, num_bytes: int) -> AsyncIterator[bytes]:
        """Yield the PCM behind so many bytes. To find them is work, too, of minutes for a day."""
        async for pcm in media:
            await self._may_go_on()
            rest = pcm[num_bytes:]
            num_bytes = max(0, num_bytes - len(pcm))
            if rest:
                yield rest

    def _placed(self, events: list[Event], audio: AudioFormat) -> list[FinalTranscript]:
        """Move final transcripts to where they belong in the recording."""
        start = self._job.progress.settled // audio.frame_bytes * SAMPLE_RATE // audio.rate
        there = (moved(event, start) for event in events)
        return [event for event in there if isinstance(event, FinalTranscript)]

    def _utterance(self, audio: AudioFormat) -> UtteranceOptions:
        defaults = self._tools.defaults
        hotwords = defaults.search.hotwords + self._job.wishes.hotwords
        search = replace(defaults.search, hotwords=hotwords)
        return replace(defaults, format=audio, search=search, partials=False)

    @property
    def _share(self) -> float:
        duration_s = self._job.duration_s
        share = self._done_s / duration_s if duration_s else self._source.share
        return min(NEARLY, share)

    async def _may_go_on(self) -> None:
        """Let those who wait go first; pause while the machine cannot even keep up with them."""
        while self._tools.engine.relief.refuses_background:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(LOOK_S)
        await self._tools.engine.until_idle()


class _Source:
    """A recording that tells how far it was read, where it does not say how long it is."""

    def __init__(self, spool: Spool, file: File) -> None:
        self._spool = spool
        self._file = file
        self._opened: BinaryIO | None = None

    def open(self) -> BinaryIO:
        self._opened = self._spool.open(self._file.name)
        return self._opened

    @property
    def share(self) -> float:
        if self._opened is None or self._opened.closed:
            return 0.0
        return self._opened.tell() / max(1, self._file.num_bytes)


def _beaten(token: str, done_s: float, share: float, job: Job) -> Job:
    return job.beaten(token, done_s, share)
