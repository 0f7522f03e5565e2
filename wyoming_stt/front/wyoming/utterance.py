"""One utterance between a connection and the engine."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from wyoming.event import Eventable

from wyoming_stt.engine import Engine
from wyoming_stt.events import FinalTranscript
from wyoming_stt.front.wyoming.conversation import Begin
from wyoming_stt.front.wyoming.inbox import Inbox
from wyoming_stt.observability.observer import Observer, observed

__all__ = ["DOOR", "Send", "transcribe"]

DOOR: Final = "wyoming"
"""Its name in the log and in metrics."""

Send = Callable[[Iterable[Eventable]], Awaitable[None]]


async def transcribe(
    engine: Engine, begin: Begin, inbox: Inbox, send: Send, observer: Observer
) -> None:
    """Listen until the audio or the speech ends, and send everything that is heard.

    Raises:
        SttError: of any kind; the client has no transcript then.
        OSError: the client has gone.
    """
    with observed(observer, DOOR) as watch:
        async with engine.open(begin.options) as lease:
            watch.stats = lease.stats
            final = None
            while final is None:
                pcm = await inbox.take()
                if pcm is None:
                    watch.audio_ended()
                events = await (lease.finish() if pcm is None else lease.accept(pcm))
                final = next((e for e in events if isinstance(e, FinalTranscript)), None)
                if final is not None:
                    watch.skipped_s = lease.stats.skipped_s
                    watch.final(final.text)
                if events:  # mostly there are none, and even sending nothing takes its time
                    await send(begin.transcript.write(events))
