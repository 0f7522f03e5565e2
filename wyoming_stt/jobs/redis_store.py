"""Jobs in Redis: for any number of machines. Needs the extra `redis`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter
from redis.asyncio import Redis
from redis.exceptions import RedisError, WatchError

from wyoming_stt.errors import JobNotFoundError, JobsUnavailableError, QueueFullError
from wyoming_stt.jobs.job import Job, JobState
from wyoming_stt.jobs.store import Change, Page

__all__ = ["PREFIX", "RedisStore"]

T = TypeVar("T")

PREFIX: Final = "wyoming-stt:"
"""Of all our keys: a Redis server is often shared."""
_ALL: Final = "all"
_DOCUMENT: Final = TypeAdapter(Job)


class RedisStore:
    """A `JobStore`. It is as durable as Redis is told to be (`appendonly yes`).

    Each change is a transaction that is begun anew where somebody else was faster. One that was
    made although the answer was lost on its way changes nothing more when it is made again.
    """

    backend = "redis"

    def __init__(self, client: Redis) -> None:
        self._redis: Any = client  # whose types cannot tell bytes from strings

    async def add(self, job: Job, max_queued: int) -> Job:
        """Keep a new job; see `JobStore`."""
        by_key = _name("key", job.key) if job.key is not None else _name("job", job.id)

        async def add(pipe: Any) -> Job:
            known = await pipe.get(by_key) if job.key is not None else None
            document = await pipe.get(_name("job", known.decode() if known else job.id))
            if document is not None:
                return _DOCUMENT.validate_json(document)
            queued = await pipe.zcard(_name("label", JobState.QUEUED))
            if queued >= max_queued:
                raise QueueFullError(queued)
            numbered = replace(job, seq=await pipe.incr(_name("seq")))
            pipe.multi()
            if job.key is not None:
                pipe.set(by_key, job.id)
            pipe.zadd(_name("label", _ALL), {job.id: numbered.seq})
            _write(pipe, None, numbered)
            await pipe.execute()
            return numbered

        return await self._transact(add, by_key, _name("job", job.id))

    async def find(self, key: str) -> Job | None:
        """Return the job with this key."""
        async with _errors():
            job_id = await self._redis.get(_name("key", key))
            found = await self._read([job_id] if job_id is not None else [])
        return found[0] if found else None

    async def get(self, job_id: str) -> Job:
        """Return it as it is now."""
        async with _errors():
            document = await self._redis.get(_name("job", job_id))
        if document is None:
            raise JobNotFoundError(job_id)
        return _DOCUMENT.validate_json(document)

    async def update(self, job_id: str, change: Change, piece: bytes | None = None) -> Job:
        """Change a job; see `JobStore`."""
        pieces = _name("pieces", job_id)

        async def update(pipe: Any) -> Job:
            before = await _found(pipe, job_id)
            after = change(before)
            pipe.multi()
            _write(pipe, before, after)
            if piece is not None:
                pipe.hset(pieces, str(after.progress.settled), piece.decode())
            if after.state.is_final:
                pipe.delete(pieces)
            await pipe.execute()
            return after

        return await self._transact(update, _name("job", job_id))

    async def pieces(self, job_id: str) -> list[bytes]:
        """Return the pieces that were kept."""
        async with _errors():
            kept = await self._redis.hgetall(_name("pieces", job_id))
        return [kept[settled] for settled in sorted(kept, key=int)]

    async def remove(self, job_id: str) -> None:
        """Forget a job."""

        async def remove(pipe: Any) -> None:
            job = await _found(pipe, job_id)
            pipe.multi()
            for label in (_ALL, *job.labels):
                pipe.zrem(_name("label", label), job_id)
            if job.key is not None:
                pipe.delete(_name("key", job.key))
            pipe.decrby(_name("bytes"), job.num_bytes)
            pipe.delete(_name("job", job_id), _name("pieces", job_id))
            await pipe.execute()

        with suppress(JobNotFoundError):
            await self._transact(remove, _name("job", job_id))

    async def newest(self, label: str | None, limit: int, before: int | None = None) -> Page:
        """Return the last jobs, the newest first."""
        first = "+inf" if before is None else f"({before}"
        async with _errors():
            ids = await self._redis.zrange(
                _name("label", label or _ALL), first, "-inf",
                desc=True, byscore=True, offset=0, num=limit + 1,
            )  # fmt: skip
            jobs = await self._read(ids[:limit])
        more = len(ids) > limit and jobs
        return Page(tuple(jobs), jobs[-1].seq if more else None)

    async def oldest(self, label: str, limit: int) -> Sequence[Job]:
        """Return the first jobs with the label."""
        async with _errors():
            return await self._read(await self._redis.zrange(_name("label", label), 0, limit - 1))

    async def counts(self) -> Mapping[JobState, int]:
        """Return how many there are in each state."""
        async with _errors():
            return {state: await self._redis.zcard(_name("label", state)) for state in JobState}

    async def num_bytes(self) -> int:
        """Return what all jobs take in the spool."""
        async with _errors():
            return int(await self._redis.get(_name("bytes")) or 0)

    async def greet(self, worker: str, for_s: float) -> None:
        """Note that a worker is there."""
        async with _errors():
            if for_s:
                await self._redis.zadd(_name("workers"), {worker: await self._now_s() + for_s})
            else:
                await self._redis.zrem(_name("workers"), worker)

    async def num_workers(self) -> int:
        """Return how many are there."""
        async with _errors():
            now_s = await self._now_s()
            await self._redis.zremrangebyscore(_name("workers"), "-inf", now_s)
            return int(await self._redis.zcard(_name("workers")))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _read(self, ids: Sequence[bytes]) -> list[Job]:
        """Return those that are still there."""
        if not ids:
            return []
        documents = await self._redis.mget([_name("job", job_id.decode()) for job_id in ids])
        return [_DOCUMENT.validate_json(document) for document in documents if document]

    async def _now_s(self) -> float:
        """Return Redis's own time, which is the same for everybody."""
        seconds, microseconds = await self._redis.time()
        return float(seconds + microseconds / 1e6)

    async def _transact(self, attempt: Callable[[Any], Awaitable[T]], *watched: str) -> T:
        """Make the attempt, again and again until nobody interferes."""
        async with _errors(), self._redis.pipeline() as pipe:
            while True:
                await pipe.watch(*watched)
                with suppress(WatchError):
                    return await attempt(pipe)


def _name(*parts: str) -> str:
    return PREFIX + ":".join(parts)


async def _found(pipe: Any, job_id: str) -> Job:
    document = await pipe.get(_name("job", job_id))
    if document is None:
        raise JobNotFoundError(job_id)
    return _DOCUMENT.validate_json(document)


def _write(pipe: Any, before: Job | None, after: Job) -> None:
    """Note what to write, with the indexes."""
    pipe.set(_name("job", after.id), _DOCUMENT.dump_json(after))
    old = before.labels if before is not None else frozenset()
    for label in old - after.labels:
        pipe.zrem(_name("label", label), after.id)
    for label in after.labels - old:
        pipe.zadd(_name("label", label), {after.id: after.seq})
    grown = after.num_bytes - (before.num_bytes if before is not None else 0)
    if grown:
        pipe.incrby(_name("bytes"), grown)


@asynccontextmanager
async def _errors() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise JobsUnavailableError(f"Redis cannot be used: {error}") from error
