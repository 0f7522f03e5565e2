"""The JSON of the routes for jobs."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from wyoming_stt.front.http.answers import transcription
from wyoming_stt.front.http.errors import ErrorCode, code_of
from wyoming_stt.front.http.schemas import Answer, HeardSegment, HeardWord, NoDiarization
from wyoming_stt.jobs.job import Job, JobState
from wyoming_stt.jobs.store import QueueStats
from wyoming_stt.transcript import Transcript

__all__ = ["JobAnswer", "JobList", "JobNote", "JobResult", "QueueAnswer", "note"]


class JobNote(Answer):
    """A job, and a word about it."""

    job_id: str
    status: JobState
    message: str


class JobResult(Answer):
    """What a recording says."""

    text: str
    language: str
    duration: float = Field(description="Seconds of audio.")
    segments: list[HeardSegment]
    words: list[HeardWord]
    processing_time: float = Field(description="Seconds that workers spent on it, all tries.")
    model: str
    confidence: float = Field(ge=0, le=1)
    diarization: NoDiarization | None = Field(
        default=None, description="Absent, unless speakers were asked for."
    )

    @classmethod
    def of(cls, job: Job, transcript: Transcript) -> Self:
        """Answer with the words."""
        heard = transcription(transcript, 0.0, wants_speakers=job.wishes.wants_speakers)
        fields = heard.model_dump(exclude={"rtf"})
        return cls(**fields, processing_time=round(job.processing_s, 3))


class JobAnswer(Answer):
    """How a job is."""

    job_id: str
    status: JobState
    progress: float = Field(ge=0, le=100, description="Per cent of the audio.")
    done: float = Field(description="Seconds of the audio that were decoded.")
    duration: float | None = Field(description="Seconds of audio, where that is known.")
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    tries: int = Field(description="How often a worker began.")
    sha256: str = Field(description="Of the recording.")
    result: JobResult | None = Field(default=None, description="Once it is completed.")
    error: str | None = Field(default=None, description="Why it failed: a sentence for a person.")
    error_code: ErrorCode | None = None
    callback_error: str | None = Field(
        default=None, description="Why the last call of `callback_url` failed, if it did."
    )

    @classmethod
    def of(cls, job: Job, transcript: Transcript | None = None) -> Self:
        """Answer with what is known."""
        return cls(
            job_id=job.id,
            status=job.state,
            progress=round(100 * job.progress.share, 1),
            done=round(job.progress.done_s, 2),
            duration=job.duration_s,
            created_at=job.created_at,
            started_at=job.started_at,
            completed_at=job.completed_at,
            tries=job.tries,
            sha256=job.sha256,
            result=JobResult.of(job, transcript) if transcript else None,
            error=job.error.message if job.error else None,
            error_code=code_of(job.error.code) if job.error else None,
            callback_error=job.callback.error if job.callback else None,
        )


class JobList(Answer):
    """Jobs without their results, the newest first."""

    jobs: list[JobAnswer]
    next_cursor: int | None = Field(description="For the next page; null on the last.")


class QueueAnswer(Answer):
    """How the queue is."""

    queue_length: int
    processing: int
    workers: int
    backend: Literal["sqlite", "redis"]
    healthy: bool
    redis_healthy: bool | None = Field(default=None, description="Absent without Redis.")

    @classmethod
    def of(cls, stats: QueueStats) -> Self:
        """Answer with the numbers."""
        return cls(
            queue_length=stats.counts.get(JobState.QUEUED, 0),
            processing=stats.counts.get(JobState.PROCESSING, 0),
            workers=stats.workers,
            backend="redis" if stats.backend == "redis" else "sqlite",
            healthy=stats.is_healthy,
            redis_healthy=stats.is_healthy if stats.backend == "redis" else None,
        )


def note(job: Job, message: str) -> JobNote:
    """Say that about a job."""
    return JobNote(job_id=job.id, status=job.state, message=message)
