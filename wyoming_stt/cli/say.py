"""`wyoming-stt say`: play a recording at a server as a voice satellite would."""

from typing import Annotated

import typer

from wyoming_stt.cli.choices import DEFAULT_URI
from wyoming_stt.cli.failure import fail
from wyoming_stt.cli.options import ServerUri

__all__ = ["say"]


def say(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Recording in any container.")],
    *,
    uri: ServerUri = DEFAULT_URI,
    names: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help="Names to favour, sent as transcript_names."),
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="CODE", help="Language to ask for.")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Send at once instead of at the pace of speech.")
    ] = False,
    timeout_s: Annotated[
        float,
        typer.Option("--timeout", metavar="SECONDS", help="Wait no longer after the last audio."),
    ] = 30.0,
) -> None:
    """Play a recording at a server and print what it hears.

    The words that are settled appear while the recording plays, then the transcript and how long
    it took after the last audio. Exits with 0 when a transcript came, with 1 otherwise.
    """
    import asyncio

    from wyoming_stt.cli.satellite import Satellite
    from wyoming_stt.errors import SttError

    satellite = Satellite(
        uri,
        names=tuple(name.strip() for name in (names or "").split(",") if name.strip()),
        language=language,
        real_time=not fast,
        timeout_s=timeout_s,
    )
    try:
        reply = asyncio.run(satellite.play(file, on_words=_show))
    except TimeoutError:
        fail(f"{uri}: no transcript within {timeout_s:g} s after the last audio")
    except SttError as error:
        fail(error)
    except (OSError, EOFError, ValueError, LookupError) as error:
        fail(f"{uri}: {error}")
    typer.echo(reply.text)
    if reply.latency_s is None:
        typer.echo("the server ended the utterance itself, before the last audio", err=True)
    else:
        typer.echo(f"{reply.latency_s * 1000:.0f} ms after the last audio", err=True)


def _show(position_s: float, words: str) -> None:
    typer.echo(f"{position_s:7.2f} s  {words}", err=True)
