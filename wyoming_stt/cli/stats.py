"""`wyoming-stt stats`: what was counted, restarts or not."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import typer

from wyoming_stt.cli.models.common import (
    AsJson,
    ConfigFile,
    DataDir,
    answering,
    reply,
    table,
)
from wyoming_stt.cli.options import read_settings

if TYPE_CHECKING:
    from wyoming_stt.observability.tally import Counts

__all__ = ["stats"]

_TITLES: Final = {
    "starts": "Starts",
    "utterances": "Utterances",
    "audio_s": "Audio heard, s",
    "decode_s": "Decoding, s",
    "queue_s": "Waiting for a decoder, s",
    "errors": "Errors told",
    "model_states": "Model became",
    "load_levels": "Load became",
}
"""Counters in the order in which they are shown."""


def stats(*, as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Print what the server counted, also before its last start.

    The numbers are up to a minute old while it runs.
    """
    with answering(as_json=as_json):
        from wyoming_stt.data_folder import data_folder
        from wyoming_stt.observability.history import FILE, History

        file = data_folder(read_settings(config, (), {"data_dir": data_dir})) / FILE
        history, now = History(file), datetime.now(UTC)
        since = {
            "last_24_h": now - timedelta(days=1),
            "last_7_days": now - timedelta(days=7),
            "all": None,
        }
        counted = {name: history.totals(begin) for name, begin in since.items()}
        beginning = history.beginning()
        if as_json:
            first = beginning.isoformat() if beginning else None
            nested = {name: _nested(counts) for name, counts in counted.items()}
            reply({"file": str(file), "since": first, **nested})
            return
    if beginning is None:
        typer.echo(f"Nothing was counted yet: {file} is written by wyoming-stt serve")
        return
    columns = ["", "last 24 h", "last 7 days", f"since {beginning.astimezone():%Y-%m-%d}"]
    table(columns, _rows([*counted.values()]), numbers=3)


def _rows(counted: list["Counts"]) -> list[list[str]]:
    names = [*_TITLES]
    keys = {key: None for counts in counted for key in sorted(counts) if key[0] in names}
    rows = [
        [f"{_TITLES[name]} {label}".strip(), *(f"{c.get((name, label), 0):.0f}" for c in counted)]
        for name, label in sorted(keys, key=lambda key: (names.index(key[0]), key[1]))
    ]
    factors = [_rtf(counts) for counts in counted]
    if any(factors):
        rows.append(
            ["Real-time factor", *(f"{factor:.3f}" if factor else "" for factor in factors)]
        )
    return rows


def _rtf(counts: "Counts") -> float | None:
    audio_s = counts.get(("audio_s", ""), 0.0)
    return counts.get(("decode_s", ""), 0.0) / audio_s if audio_s else None


def _nested(counts: "Counts") -> dict[str, Any]:
    """Return counters by name; those with labels by label, too."""
    nested: dict[str, Any] = {"rtf": _rtf(counts)}
    for (name, label), amount in sorted(counts.items()):
        if label:
            nested.setdefault(name, {})[label] = amount
        else:
            nested[name] = amount
    return nested
