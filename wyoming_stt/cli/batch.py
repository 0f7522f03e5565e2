"""Many recordings at once, their results in the order in which they were named."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from wyoming_stt.app import running_engine
from wyoming_stt.cli.choices import OutputFormat
from wyoming_stt.cli.display import Display
from wyoming_stt.cli.formats import Transcription, render
from wyoming_stt.cli.recording import transcribe_file
from wyoming_stt.errors import SttError
from wyoming_stt.session import UtteranceOptions
from wyoming_stt.settings import Settings

__all__ = ["in_order", "transcribe_all"]

T = TypeVar("T")


async def transcribe_all(
    settings: Settings, files: Sequence[str], output: OutputFormat, *, partials: bool, jobs: int
) -> bool:
    """Transcribe and write each file; tells whether all could be.

    Raises:
        ModelError: the model cannot be loaded.
    """
    utterance = UtteranceOptions(search=settings.search, vad=settings.vad)
    all_well = True
    async with running_engine(settings, fallback=False) as engine:
        await engine.ready()
        with Display(len(files), partials=partials) as display:
            work = (
                _attempt(
                    file, transcribe_file(engine, file, utterance, partial(display.advance, index))
                )
                for index, file in enumerate(files)
            )
            # One at a time with partials: those of two files would mix.
            async for result in in_order(work, 1 if partials else jobs):
                if isinstance(result, Transcription):
                    display.result(render(result, output))
                else:
                    all_well = False
                    display.note(f"wyoming-stt: {result}")
    return all_well


async def in_order(work: Iterable[Coroutine[Any, Any, T]], most: int) -> AsyncIterator[T]:
    """Run up to `most` coroutines at once; results come in the order of the coroutines."""
    running: deque[asyncio.Task[T]] = deque()
    for coroutine in work:
        running.append(asyncio.create_task(coroutine))
        if len(running) == most:
            yield await running.popleft()
    while running:
        yield await running.popleft()


async def _attempt(file: str, work: Coroutine[Any, Any, Transcription]) -> Transcription | str:
    """Return what went wrong with one file, so that the others go on."""
    try:
        return await work
    except (SttError, OSError) as error:
        reason = str(error)
        return reason if file in reason else f"{file}: {reason}"
