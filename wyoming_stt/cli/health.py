"""`wyoming-stt health`: one describe round trip, for Docker's HEALTHCHECK and for people."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from wyoming_stt.cli.failure import fail
from wyoming_stt.cli.options import DEFAULT_URI, ServerUri

if TYPE_CHECKING:
    from wyoming.info import Info

__all__ = ["health"]


def health(
    uri: ServerUri = DEFAULT_URI,
    timeout_s: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="Wait no longer for the answer.")
    ] = 5.0,
) -> None:
    """Ask a server what it serves.

    Exits with 0 when it answers as a speech-to-text server, with 1 otherwise.
    """
    started = time.monotonic()
    try:
        info = asyncio.run(asyncio.wait_for(_describe(uri), timeout_s))
    except TimeoutError:
        fail(f"{uri}: no answer within {timeout_s:g} s")
    except (OSError, EOFError) as error:
        fail(f"{uri}: {error}")
    except (ValueError, LookupError, TypeError, AttributeError):
        # What the wyoming package raises for a URI or an answer that is none.
        info = None
    if info is None or not info.asr:
        fail(f"{uri}: not a Wyoming speech-to-text server")
    elapsed_ms = (time.monotonic() - started) * 1000
    for program in info.asr:
        for model in program.models:
            languages = ", ".join(model.languages)
            typer.echo(f"{program.name} {program.version}: {model.name} ({languages})")
    typer.echo(f"{uri}: answered in {elapsed_ms:.0f} ms")


async def _describe(uri: str) -> "Info | None":
    """Return what the server says of itself; None when it says something else or nothing."""
    from wyoming.client import AsyncClient
    from wyoming.info import Describe, Info

    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Describe().event())
        event = await client.read_event()
        return Info.from_event(event) if event and Info.is_type(event.type) else None
