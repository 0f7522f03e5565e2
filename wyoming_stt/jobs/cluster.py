"""How workers hear of jobs on any number of machines: taskiq, on a stream of Redis.

A message only names a job. It is acknowledged when the worker has done with it; what a worker
leaves unacknowledged, another one gets. Whether the job can be had then, the store decides: so a
message may come twice, and one that was lost is sent again.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeAlias

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from taskiq.acks import AckableMessage, AcknowledgeType
from taskiq.exceptions import TaskiqError
from taskiq.kicker import AsyncKicker
from taskiq.receiver import Receiver
from taskiq.utils import maybe_awaitable
from taskiq_redis import RedisStreamBroker

from wyoming_stt.errors import JobsUnavailableError, ModelError, ShuttingDownError
from wyoming_stt.jobs.cancellation import keep_cancellations
from wyoming_stt.jobs.job import Job, JobState
from wyoming_stt.jobs.redis_store import PREFIX

__all__ = ["ClusterFeed"]

logger = logging.getLogger(__name__)

STREAM: Final = f"{PREFIX}queue"
GROUP: Final = "workers"
TASK: Final = "transcribe"
LEAVE_S: Final = 5.0
"""For the last message that was handed out: it is announced again, which asks Redis."""
LEAVE_STEP_S: Final = 0.2
PAUSE_S: Final = 5.0
"""After something that more haste would not mend: no model, no disk space."""
RECONNECT_S: Final = 1.0
BLOCK_MS: Final = 1_000
"""How long a read waits for a message. After one that brought some, the reader looks for those that
others left behind; where none comes, `remind` sends one."""
LOCK_S: Final = 10.0
"""After this time others look for what was left behind, where the one who does so has died."""
MOST_MESSAGES: Final = 100_000
"""Older ones are dropped from the stream, most of them long done; the others are sent again."""
_Position: TypeAlias = tuple[int, int]
"""Of a message in the stream: milliseconds, and a number within these."""
_START: Final = (0, 0)


class ClusterFeed:
    """A `JobFeed` for `RedisStore`."""

    def __init__(self, client: Redis, url: str, lease_s: float, **connection: Any) -> None:
        self._redis = client
        self._broker = _Broker(
            url,
            queue_name=STREAM,
            consumer_group_name=GROUP,
            consumer_id="0",  # also what was sent before the first worker came
            xread_block=BLOCK_MS,
            xread_count=1,  # who is busy leaves the rest to others
            idle_timeout=round(1_000 * lease_s),
            unacknowledged_lock_timeout=LOCK_S,
            maxlen=MOST_MESSAGES,
            **connection,
        )
        keep_cancellations(self._broker.connection_pool)
        self._kicker = AsyncKicker[[str], None](TASK, self._broker, {})
        self._waiting: dict[str, _Position | None] = {}

    async def announce(self, job_id: str) -> None:
        """Send a message; one that cannot be sent now is sent by `remind`."""
        try:
            await self._kicker.kiq(job_id)
        except (TaskiqError, RedisError, OSError) as error:
            logger.warning("Job %s is announced later: %s", job_id, error)

    async def remind(self, queued: Sequence[Job]) -> None:
        """Announce again what still waits when all is read that was announced before.

        So nothing is lost with a message, or with the worker that has read it; and however much is
        announced meanwhile, no job waits for longer than for what was there before it.
        """
        read, last = await self._positions()
        known, self._waiting = self._waiting, {}
        for job in queued:
            position = known.get(job.id)
            if position is None:
                # At the second look: at the first one, its message may be on its way.
                self._waiting[job.id] = last if job.id in known else None
            elif read < min(position, last):  # the stream may be another one since
                self._waiting[job.id] = position
            else:
                self._waiting[job.id] = None
                await self.announce(job.id)

    async def _positions(self) -> tuple[_Position, _Position]:
        """Return up to where the workers have read, and where the last message is."""
        try:
            stream = await self._redis.xinfo_stream(STREAM)
            groups = await self._redis.xinfo_groups(STREAM)
        except ResponseError:
            return _START, _START  # there is no stream yet, or not any more
        except (RedisError, OSError) as error:
            raise JobsUnavailableError(f"Redis cannot be used: {error}") from error
        read = [group["last-delivered-id"] for group in groups if group["name"] == GROUP.encode()]
        return _position(read[0]) if read else _START, _position(stream["last-generated-id"])

    async def run(self, work: Callable[[str], Awaitable[object]], num_workers: int) -> None:
        """Work on what is announced until cancelled; reconnect as often as it takes."""
        if not num_workers:
            return
        running: set[asyncio.Task[None]] = set()

        async def _transcribe(job_id: str) -> None:
            # A task of its own, since taskiq would not let it be cancelled.
            task = asyncio.create_task(self._work(work, job_id))
            running.add(task)
            task.add_done_callback(running.discard)
            await asyncio.wait([task])

        self._broker.register_task(_transcribe, task_name=TASK)
        finish = asyncio.Event()
        with ThreadPoolExecutor(1) as executor:  # which taskiq wants for what is not asynchronous
            listening = asyncio.create_task(self._listen(executor, num_workers, finish))
            try:
                await asyncio.shield(listening)
            finally:
                finish.set()
                await _leave(listening, running)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._broker.shutdown()

    async def _listen(
        self, executor: ThreadPoolExecutor, num_workers: int, finish: asyncio.Event
    ) -> None:
        while not finish.is_set():
            receiver = Receiver(
                self._broker,
                executor,
                validate_params=False,
                max_async_tasks=num_workers,
                run_startup=True,
                ack_type=AcknowledgeType.WHEN_EXECUTED,
            )
            try:
                await receiver.listen(finish)
            except* (RedisError, OSError) as errors:
                logger.warning("Jobs wait: Redis cannot be used: %s", errors.exceptions[0])
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(finish.wait(), RECONNECT_S)

    async def _work(self, work: Callable[[str], Awaitable[object]], job_id: str) -> None:
        """Do a job; announce it again, before this message is acknowledged, if it is not done."""
        is_left = True
        try:
            is_left = await work(job_id) is JobState.QUEUED
        except (JobsUnavailableError, ModelError) as error:
            logger.warning("Jobs wait: %s", error)
            await asyncio.sleep(PAUSE_S)
        except ShuttingDownError as error:
            logger.debug("Job %s: %s", job_id, error)
        finally:
            if is_left:
                await asyncio.shield(self.announce(job_id))


class _Broker(RedisStreamBroker):
    """Lets messages go unacknowledged where Redis is away: they come again, and do no harm."""

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        async with contextlib.aclosing(super().listen()) as messages:
            async for message in messages:
                yield AckableMessage(data=message.data, ack=partial(_acknowledge, message))


async def _acknowledge(message: AckableMessage) -> None:
    try:
        await maybe_awaitable(message.ack())
    except (RedisError, OSError) as error:
        logger.debug("A message is not acknowledged: %s", error)


def _position(message_id: bytes) -> _Position:
    milliseconds, _, number = message_id.partition(b"-")
    return int(milliseconds), int(number)


async def _leave(listening: asyncio.Task[None], running: set[asyncio.Task[None]]) -> None:
    """Give up what runs, and what is still handed out meanwhile; wait for the end, not for ever.

    Whoever cannot say goodbye to Redis leaves without: others notice.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + LEAVE_S
    while not listening.done() and loop.time() < until:
        for task in set(running):
            task.cancel()
        await asyncio.wait([listening], timeout=LEAVE_STEP_S)
    listening.cancel()
    await asyncio.wait([listening, *running], timeout=LEAVE_STEP_S)
