"""Training figures as a picture."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.figure import Figure

__all__ = ["plot_log"]


def plot_log(log: Path, picture: Path) -> None:
    """Draw losses and word error rates over the hours of audio seen."""
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    figure = Figure(figsize=(11, 4), layout="tight")
    losses, rates = figure.subplots(1, 2)
    for name in ("teacher", "ctc", "transducer"):
        points = [(row["hours"], row[name]) for row in rows if name in row and "wer" not in row]
        if points:
            losses.plot(*zip(*points, strict=True), label=name)
    scored = [row for row in rows if "wer" in row]
    for name in sorted({name for row in scored for name in row["wer"]}):
        rates.plot(
            [row["hours"] for row in scored],
            [row["wer"][name] for row in scored],
            marker=".",
            label=name,
        )
    losses.set(title="losses", xlabel="hours of audio seen", yscale="log")
    rates.set(title="word error rate of the dev sets", xlabel="hours of audio seen", ylim=(0, 1.1))
    for axes in (losses, rates):
        if axes.lines:
            axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=110)
