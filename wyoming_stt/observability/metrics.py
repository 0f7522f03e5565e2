"""What happened at all doors, counted for Prometheus and for `/health`."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)

from wyoming_stt.engine import Engine, ModelState
from wyoming_stt.memory import resident_bytes
from wyoming_stt.observability.observer import Report
from wyoming_stt.observability.tally import Tally, ToldError

__all__ = ["PREFIX", "Metrics"]

PREFIX: Final = "wyoming_stt"
LATENCY_BUCKETS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 2, 5, 10, 30)
"""Around what a listener notices: 0.2 s feels immediate, after 1 s people speak again."""
DURATION_BUCKETS_S: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
RTF_BUCKETS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 3)
RATIO_BUCKETS: Final = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1)


class Metrics:
    """An `Observer` that keeps count in a registry of its own, and passes all on to the tally.

    Label values come from fixed sets (doors, codes, route templates), never from a client.
    """

    content_type: Final = CONTENT_TYPE_LATEST

    def __init__(self, engine: Engine, tally: Tally | None = None) -> None:
        self.tally = tally or Tally()
        self.registry = CollectorRegistry()
        self.registry.register(_EngineCollector(engine, self.tally))
        ProcessCollector(registry=self.registry)
        self._requests = self._counter(
            "http_requests", "Requests answered.", "method", "route", "status"
        )
        self._request_duration = self._histogram(
            "http_request_duration_seconds",
            "From headers to the last byte.",
            DURATION_BUCKETS_S,
            "method",
            "route",
        )
        self._rate_limited = self._counter("rate_limited", "Requests refused as too many.")
        self._utterances = self._counter("utterances", "Utterances ended.", "door", "outcome")
        self._errors = self._counter("errors", "Errors told to clients.", "code")
        self._active = Gauge(
            "active_streams",
            "Utterances and streams that are open.",
            ["door"],
            namespace=PREFIX,
            registry=self.registry,
        )
        self._queue_wait = self._histogram(
            "queue_wait_seconds", "Time that an utterance waited, all in all.", LATENCY_BUCKETS_S
        )
        self._inference = self._histogram(
            "inference_seconds", "Time that an utterance took to decode.", DURATION_BUCKETS_S
        )
        self._rtf = self._histogram(
            "rtf", "Decoding time by audio time, of an utterance.", RTF_BUCKETS
        )
        self._jobs = Gauge(
            "jobs", "Jobs in each state.", ["status"], namespace=PREFIX, registry=self.registry
        )
        self._final_latency = self._histogram(
            "final_latency_seconds",
            "From the end of the audio to the final transcript.",
            LATENCY_BUCKETS_S,
            "door",
        )
        self._audio = self._counter("audio_seconds", "Audio received.")
        self._speech_ratio = self._histogram(
            "vad_speech_ratio", "Share of an utterance that was decoded.", RATIO_BUCKETS
        )
        self._skipped = self._counter(
            "vad_skipped_seconds", "Audio not decoded, since nobody spoke in it."
        )

    @property
    def last_errors(self) -> deque[ToldError]:
        """The last ones that the server had to answer for, newest first."""
        return self.tally.last_errors

    def began(self, door: str) -> None:
        """Count an open utterance."""
        self.tally.began(door)
        self._active.labels(door).inc()

    def ended(self, report: Report) -> None:
        """Count a closed one, and what it cost."""
        self.tally.ended(report)
        stats = report.stats
        self._active.labels(report.door).dec()
        self._utterances.labels(report.door, report.outcome).inc()
        self._audio.inc(stats.audio_s)
        if stats.audio_s:
            self._queue_wait.observe(stats.queue_s)
            self._inference.observe(stats.decode_s)
            self._rtf.observe(stats.rtf)
        if report.final_latency_s is not None:
            self._final_latency.labels(report.door).observe(report.final_latency_s)
        if report.skipped_s is not None and stats.audio_s:
            self._skipped.inc(report.skipped_s)
            self._speech_ratio.observe(1 - report.skipped_s / stats.audio_s)

    def told(self, door: str, code: str, *, is_ours: bool) -> None:
        """Count an error that a client was told; remember it if the server is to blame."""
        self.tally.told(door, code, is_ours=is_ours)
        self._errors.labels(code).inc()

    def answered(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count a request by the template of its route."""
        self._requests.labels(method, route, status).inc()
        self._request_duration.labels(method, route).observe(duration_s)

    def jobs_counted(self, counts: Mapping[str, int]) -> None:
        """Note how many jobs there are in each state."""
        for status, number in counts.items():
            self._jobs.labels(status).set(number)

    def rate_limited(self) -> None:
        """Count a request that was one too many."""
        self._rate_limited.inc()

    def render(self) -> bytes:
        """Write everything in Prometheus's text format, which `content_type` names."""
        return generate_latest(self.registry)

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(name, documentation, labels, namespace=PREFIX, registry=self.registry)

    def _histogram(
        self, name: str, documentation: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            name, documentation, labels, namespace=PREFIX, buckets=buckets, registry=self.registry
        )


class _EngineCollector:
    """Reads the engine whenever somebody asks; there is nothing to keep in step."""

    def __init__(self, engine: Engine, tally: Tally) -> None:
        self._engine = engine
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        states = GaugeMetricFamily(
            f"{PREFIX}_model_state", "1 for the state that the model is in.", labels=["state"]
        )
        for state in ModelState:
            states.add_metric([state.value], float(state is self._engine.state))
        yield states
        entered = CounterMetricFamily(
            f"{PREFIX}_model_transitions", "How often each state was entered.", labels=["state"]
        )
        for state, count in self._engine.lifecycle.record.counts.items():
            entered.add_metric([state.value], count)
        yield entered
        if (info := self._engine.info) is not None:
            facts = {"model": info.name, "family": info.family, "version": info.version or ""}
            yield InfoMetricFamily(f"{PREFIX}_model", "Which model serves.", facts)
        on_fallback = self._engine.lifecycle.on_fallback
        yield _gauge("model_fallback", "1 while the fallback stands in.", on_fallback)
        level = self._engine.relief.level
        yield _gauge("degrade_level", "0: nothing is done without, to 4: another model.", level)
        levels = CounterMetricFamily(
            f"{PREFIX}_degrade_levels", "How often each level was entered.", labels=["level"]
        )
        for each, count in self._engine.relief.counts.items():
            levels.add_metric([each.name.lower()], count)
        yield levels
        yield CounterMetricFamily(
            f"{PREFIX}_dropped", "Utterances that lost audio: none, whatever the load.", 0
        )
        errors = self._tally.consecutive_errors
        yield _gauge("consecutive_errors", "Utterances in a row that the server failed.", errors)
        yield _gauge("queue_depth", "Utterances that wait for a decoder.", self._engine.queue_depth)
        yield _gauge("memory_bytes", "Resident memory of the process.", resident_bytes())
        if (model := self._engine.lifecycle.active) is not None:
            yield _gauge("model_memory_bytes", "Growth as it was loaded.", model.memory_bytes)
        if (times := self._engine.load_times) is not None:
            yield _gauge("model_load_seconds", "To read the weights.", times.load_s)
            yield _gauge("model_warmup_seconds", "To run the model once.", times.warm_up_s)


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", documentation, value)
