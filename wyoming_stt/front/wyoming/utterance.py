"""One utterance between a connection and the engine."""

import logging
from collections.abc import Awaitable, Callable, Iterable

from wyoming.event import Eventable

from wyoming_stt.engine import Engine, LeaseStats
from wyoming_stt.events import FinalTranscript
from wyoming_stt.front.wyoming.conversation import Begin
from wyoming_stt.front.wyoming.inbox import Inbox

__all__ = ["Send", "transcribe"]

logger = logging.getLogger(__name__)

Send = Callable[[Iterable[Eventable]], Awaitable[None]]


async def transcribe(engine: Engine, begin: Begin, inbox: Inbox, send: Send) -> None:
    """Listen until the audio or the speech ends, and send everything that is heard.

    Raises:
        SttError: of any kind; the client has no transcript then.
        OSError: the client has gone.
    """
    async with engine.open(begin.options) as lease:
        final = None
        while final is None:
            pcm = await inbox.take()
            events = await (lease.finish() if pcm is None else lease.accept(pcm))
            if events:  # mostly there are none, and even sending nothing takes its time
                await send(begin.transcript.write(events))
            final = next((event for event in events if isinstance(event, FinalTranscript)), None)
        _log(final, lease.stats)


def _log(final: FinalTranscript, stats: LeaseStats) -> None:
    logger.info(
        "wyoming: %.2f s of audio, queue %.0f ms, decode %.0f ms, RTF %.3f",
        stats.audio_s,
        stats.queue_s * 1000,
        stats.decode_s * 1000,
        stats.rtf,
    )
    logger.debug("wyoming: %r", final.text)
