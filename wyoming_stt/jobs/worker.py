"""Takes a job, tries to do it, and says what has become of it."""

import asyncio
import contextlib
import logging
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import TypeAdapter

from wyoming_stt.errors import (
    AudioFormatError,
    InferenceError,
    InferenceTimeoutError,
    JobNotFoundError,
    JobsUnavailableError,
    LimitError,
    ModelError,
    ShuttingDownError,
    SttError,
)
from wyoming_stt.jobs.attempt import Attempt, Tools
from wyoming_stt.jobs.insist import insist
from wyoming_stt.jobs.job import Failure, File, Hold, Job, JobState, LeaseLostError
from wyoming_stt.jobs.store import Change
from wyoming_stt.transcript import Transcript

__all__ = ["RESULT", "JobWorker"]

logger = logging.getLogger(__name__)

RESULT = TypeAdapter(Transcript)
"""How a result is written."""


@dataclass(frozen=True, slots=True)
class JobWorker:
    """Works on jobs that are named to it."""

    name: str
    tools: Tools

    async def work(self, job_id: str) -> JobState | None:
        """Do a job, or as much of it as can be done; return what has become of it.

        None: it was not there to be claimed, or it is not ours any more.

        Raises:
            ModelError, ShuttingDownError, JobsUnavailableError: nothing can be done here now; the
                job waits for better times.
        """
        hold = Hold(self.name, uuid.uuid4().hex)
        try:
            await self.tools.engine.ready()
            return await self._hold(job_id, hold)
        except (LeaseLostError, JobNotFoundError):
            logger.debug("Job %s is another worker's, or nobody wants it any more", job_id)
            return None

    async def _hold(self, job_id: str, hold: Hold) -> JobState:
        started = time.perf_counter()
        try:
            job = await self._insist(job_id, lambda job: job.claimed(hold, _now()))
            return await self._do(job, hold.token, started)
        except asyncio.CancelledError:
            # It may be ours although nobody told us. The next one goes on from its last piece.
            await asyncio.shield(self._release(job_id, hold.token, time.perf_counter() - started))
            raise

    async def _release(self, job_id: str, token: str, ran_s: float) -> None:
        # Suppressed in here: nobody is told of it where whoever waits for it is cancelled again.
        with contextlib.suppress(JobsUnavailableError, LeaseLostError, JobNotFoundError):
            await self.tools.store.update(job_id, lambda job: job.released(token).spent(ran_s))

    async def _do(self, job: Job, token: str, started: float) -> JobState:
        async def settle(change: Change) -> JobState:
            ran_s = time.perf_counter() - started
            done = await self._insist(job.id, lambda job: change(job).spent(ran_s))
            logger.info("Job %s: %s after %.1f s", job.id, done.state, ran_s)
            return done.state

        options = self.tools.options
        try:
            transcript = await Attempt(self.tools, job, token).run()
            name = f"{job.id}.{token}.json"
            result = await self.tools.spool.write(name, RESULT.dump_json(transcript))
        except (AudioFormatError, LimitError, FileNotFoundError) as error:
            failure = _failure(error)
            return await settle(lambda job: job.failed(token, failure, _now()))
        except (InferenceError, InferenceTimeoutError) as error:
            failure = _failure(error)
            logger.warning("Job %s: %s", job.id, failure.message)
            most, first_s = options.max_tries, options.retry_s
            return await settle(lambda job: job.set_back(token, failure, most, _now(), first_s))
        except (OSError, JobsUnavailableError) as error:
            # Not the fault of the job: its folder may be away, or the disk be full. Others may be
            # luckier meanwhile, if it is this recording alone that cannot be read.
            await settle(lambda job: job.put_off(token, _now(), options.retry_s))
            if isinstance(error, OSError):
                message = f"the recording cannot be read: {error.strerror or error}"
                raise JobsUnavailableError(message) from error
            raise
        except (ModelError, ShuttingDownError):
            await settle(lambda job: job.released(token))
            raise
        duration_s = transcript.duration_s
        try:
            return await settle(lambda job: job.completed(token, result, duration_s, _now()))
        except (LeaseLostError, JobNotFoundError):
            await self._remove_unwanted(job.id, result)
            raise

    async def _insist(self, job_id: str, change: Change) -> Job:
        tools = self.tools
        return await insist(tools.store, job_id, change, every_s=tools.options.beat_s)

    async def _remove_unwanted(self, job_id: str, result: File) -> None:
        """Remove a result that came too late."""
        with contextlib.suppress(JobsUnavailableError):  # then it goes with other leftovers
            try:
                is_wanted = (await self.tools.store.get(job_id)).result == result
            except JobNotFoundError:
                is_wanted = False
            if not is_wanted:
                await self.tools.spool.remove(result.name)


def _failure(error: SttError | FileNotFoundError) -> Failure:
    if isinstance(error, SttError):
        return Failure(error.code, str(error))
    return Failure(JobsUnavailableError.code, "the recording is gone: hand it in again")


def _now() -> datetime:
    return datetime.now(UTC)
