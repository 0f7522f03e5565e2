"""A job: one recording that somebody will come back for, and what may become of it.

    queued ──► processing ──► completed
      │  ▲         │ │ └────► failed
      │  └─────────┘ │
      └──────────────┴──────► cancelled

Pure values: every method returns the job as it is next, a store keeps it. Whoever works on a job
holds it under a token; what comes with any other token comes too late, and changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from wyoming_stt.decoding.options import Hotword
from wyoming_stt.errors import JobFinishedError, JobUnfinishedError
from wyoming_stt.jobs.rest import NO_REST, Rest

__all__ = [
    "OWES_CALLBACK",
    "SPENT",
    "Callback",
    "Failure",
    "File",
    "Hold",
    "Job",
    "JobState",
    "JobWishes",
    "LeaseLostError",
    "Progress",
]

SPENT: Final = "spent"
"""Label of jobs that have ended, and whose audio is still there."""
OWES_CALLBACK: Final = "owes-callback"
"""Label of jobs that have ended, and whose client wants to be told so."""


class LeaseLostError(Exception):
    """The job has ended, or another worker has it: whoever is told so has to let go of it."""


class JobState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    """Nobody works on it; its first pieces may be done."""
    PROCESSING = "processing"
    """A worker holds it."""
    COMPLETED = "completed"
    """Its result can be had."""
    FAILED = "failed"
    """It cannot be done; `error` says why."""
    CANCELLED = "cancelled"
    """Its client does not want it any more."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it."""
        return not LEGAL[self]


LEGAL: Final = {
    JobState.QUEUED: {JobState.PROCESSING, JobState.CANCELLED},
    JobState.PROCESSING: {
        JobState.QUEUED,
        JobState.COMPLETED,
        JobState.FAILED,
        JobState.CANCELLED,
    },
    JobState.COMPLETED: set(),
    JobState.FAILED: set(),
    JobState.CANCELLED: set(),
}
"""Which state may follow which."""


@dataclass(frozen=True, slots=True)
class File:
    """A file in the spool."""

    name: str
    num_bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class JobWishes:
    """How to listen."""

    language: str = "und"
    model: str = ""
    hotwords: tuple[Hotword, ...] = ()
    wants_speakers: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """A worker's hold on a job. It is good as long as `beat` goes on changing."""

    worker: str
    token: str
    beat: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is."""

    settled: int = 0
    """Bytes of the recording's PCM whose words are kept: where the next worker goes on."""
    done_s: float = 0.0
    """Seconds of audio that were decoded."""
    share: float = 0.0
    """The same by what there is, 0 to 1."""

    def at_least(self, done_s: float, share: float) -> Self:
        """Return it, no less than that: who takes a job over is behind the last one at first."""
        return replace(self, done_s=max(self.done_s, done_s), share=max(self.share, share))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job, or a try, came to nothing: the code and the message of an `SttError`."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Callback:
    """Whom to tell the end, and how that went."""

    url: str
    tries: int = 0
    next_at: datetime | None = None
    """When to try again; None: at once."""
    error: str | None = None
    """Of the last try."""
    is_settled: bool = False
    """Told, or given up."""


@dataclass(frozen=True, slots=True)
class Job:
    """One recording and its way through the queue."""

    id: str
    created_at: datetime
    wishes: JobWishes
    audio: File | None
    """None once the job has ended and the file is gone."""
    sha256: str
    """Of the audio, for good."""
    duration_s: float | None = None
    """What the file says of its length; it may say nothing, or be wrong."""
    key: str | None = None
    """The client's own: a second submission with it is the same one."""
    seq: int = 0
    """The place in the order of submission, which the store gives."""
    state: JobState = JobState.QUEUED
    hold: Hold | None = None
    progress: Progress = Progress()
    tries: int = 0
    """How often a worker began."""
    setbacks: int = 0
    """How often in a row a worker came to no further piece."""
    rest: Rest = NO_REST
    """Nobody may have it before this is over."""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    processing_s: float = 0.0
    """Time that workers spent, by clocks that never jump."""
    result: File | None = None
    error: Failure | None = None
    callback: Callback | None = None

    @property
    def labels(self) -> frozenset[str]:
        """What a store finds it by."""
        labels = {self.state.value}
        if self.state.is_final and self.audio is not None:
            labels.add(SPENT)
        if self.state.is_final and self.callback is not None and not self.callback.is_settled:
            labels.add(OWES_CALLBACK)
        return frozenset(labels)

    @property
    def num_bytes(self) -> int:
        """What it takes in the spool."""
        return sum(file.num_bytes for file in self.files)

    @property
    def files(self) -> tuple[File, ...]:
        """What it has in the spool."""
        return tuple(file for file in (self.audio, self.result) if file is not None)

    def claimed(self, hold: Hold, now: datetime) -> Self:
        """Give it to a worker; who has it already did not hear the answer.

        Raises:
            LeaseLostError: somebody else has it, it is left alone for a while, or it has ended.
        """
        if self.hold is not None and self.hold.token == hold.token:
            return self
        if self.state is not JobState.QUEUED or not self.rest.is_over(now):
            raise LeaseLostError(self.id)
        return replace(
            self,
            state=JobState.PROCESSING,
            hold=hold,
            tries=self.tries + 1,
            started_at=self.started_at or now,
        )

    def beaten(self, token: str, done_s: float, share: float) -> Self:
        """Note that its worker lives, and how far it is.

        Raises:
            LeaseLostError: it is not this worker's any more; so do all that take a token.
        """
        hold = self._held(token)
        progress = self.progress.at_least(done_s, share)
        return replace(self, hold=replace(hold, beat=hold.beat + 1), progress=progress)

    def advanced(self, token: str, progress: Progress) -> Self:
        """Note that a piece is done; the store keeps its words beside."""
        hold = self._held(token)
        hold = replace(hold, beat=hold.beat + 1)
        progress = progress.at_least(self.progress.done_s, self.progress.share)
        return replace(self, hold=hold, progress=progress, setbacks=0, rest=NO_REST)

    def completed(self, token: str, result: File, duration_s: float, now: datetime) -> Self:
        """End it with a result."""
        self._held(token)
        progress = replace(self.progress, done_s=duration_s, share=1.0)
        job = replace(self, result=result, duration_s=duration_s, progress=progress)
        return job._ended(JobState.COMPLETED, now)

    def failed(self, token: str, error: Failure, now: datetime) -> Self:
        """End it without one."""
        self._held(token)
        return replace(self, error=error)._ended(JobState.FAILED, now)

    def released(self, token: str) -> Self:
        """Give it back undone, through no fault of its own."""
        self._held(token)
        return replace(self, state=JobState.QUEUED, hold=None)

    def put_off(self, token: str, now: datetime, first_s: float) -> Self:
        """Give it back for a while, through no fault of its own either."""
        return replace(self.released(token), rest=self.rest.again(now, first_s))

    def set_back(
        self, token: str, error: Failure, max_tries: int, now: datetime, first_s: float = 0
    ) -> Self:
        """Put it off after a try that failed; after too many in a row, end it."""
        if self.setbacks + 1 >= max_tries:
            message = f"{error.message} (tried {self.setbacks + 1} times)"
            return self.failed(token, replace(error, message=message), now)
        job = self.put_off(token, now, first_s) if first_s else self.released(token)
        return replace(job, setbacks=self.setbacks + 1)

    def without_audio(self) -> Self:
        """Note that its recording is gone."""
        return replace(self, audio=None)

    def spent(self, processing_s: float) -> Self:
        """Note the time that a worker spent on it."""
        return replace(self, processing_s=self.processing_s + processing_s)

    def cancelled(self, now: datetime) -> Self:
        """End it as its client wishes, whoever works on it.

        Raises:
            JobFinishedError: it has ended already.
        """
        if self.state.is_final:
            raise JobFinishedError(self.id, self.state)
        return self._ended(JobState.CANCELLED, now)

    def finished_result(self) -> File:
        """Return its result.

        Raises:
            JobUnfinishedError: there is none.
        """
        if self.result is None:
            raise JobUnfinishedError(self.id, self.state)
        return self.result

    def _held(self, token: str) -> Hold:
        if self.hold is None or self.hold.token != token:
            raise LeaseLostError(self.id)
        return self.hold

    def _ended(self, state: JobState, now: datetime) -> Self:
        return replace(self, state=state, hold=None, completed_at=now)
