import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.engines import engine_on
from wyoming_stt.degrade import Level
from wyoming_stt.engine import LeaseStats
from wyoming_stt.errors import ModelError
from wyoming_stt.models.base import Recognizer
from wyoming_stt.observability.metrics import Metrics
from wyoming_stt.observability.observer import Report


def broken() -> Recognizer:
    raise ModelError("it is not there")


@pytest.fixture
async def metrics() -> AsyncIterator[Metrics]:
    async with engine_on() as engine:
        yield Metrics(engine)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Read a sample back from the text that Prometheus gets."""
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            if sample.name == f"wyoming_stt_{name}" and sample.labels == labels:
                return sample.value
    return None


async def test_an_utterance_and_what_it_cost(metrics: Metrics) -> None:
    metrics.began("http")
    assert value(metrics, "active_streams", door="http") == 1
    stats = LeaseStats(audio_s=4.0, queue_s=0.02, decode_s=1.0)
    metrics.ended(Report("http", "ok", stats, final_latency_s=0.15, skipped_s=1.0))
    assert value(metrics, "active_streams", door="http") == 0
    assert value(metrics, "utterances_total", door="http", outcome="ok") == 1
    assert value(metrics, "audio_seconds_total") == 4
    assert value(metrics, "queue_wait_seconds_sum") == 0.02
    assert value(metrics, "inference_seconds_sum") == 1
    assert value(metrics, "rtf_sum") == 0.25
    assert value(metrics, "final_latency_seconds_sum", door="http") == 0.15
    assert value(metrics, "vad_skipped_seconds_total") == 1
    assert value(metrics, "vad_speech_ratio_sum") == 0.75


async def test_an_utterance_without_audio_says_nothing_of_speed(metrics: Metrics) -> None:
    metrics.began("wyoming")
    metrics.ended(Report("wyoming", "server-busy", LeaseStats()))
    assert value(metrics, "utterances_total", door="wyoming", outcome="server-busy") == 1
    assert value(metrics, "rtf_count") == 0
    assert value(metrics, "vad_speech_ratio_count") == 0


async def test_errors_are_counted_and_the_servers_own_remembered(metrics: Metrics) -> None:
    metrics.told("http", "invalid_audio", is_ours=False)
    for number in range(20):
        metrics.told("http", f"code_{number}", is_ours=True)
    assert value(metrics, "errors_total", code="invalid_audio") == 1
    assert [error.code for error in metrics.last_errors] == [f"code_{n}" for n in range(19, 9, -1)]


async def test_the_state_of_the_model_is_that_of_now(metrics: Metrics) -> None:
    assert value(metrics, "model_state", state="ready") == 1
    assert value(metrics, "model_state", state="loading") == 0
    assert value(metrics, "model_transitions_total", state="ready") == 1
    assert value(metrics, "model_fallback") == 0
    assert value(metrics, "degrade_level") == 0
    assert value(metrics, "queue_depth") == 0
    assert (value(metrics, "model_load_seconds") or 0) > 0
    assert (value(metrics, "model_warmup_seconds") or 0) > 0
    assert (value(metrics, "memory_bytes") or 0) > 1e7


async def test_the_model_and_what_it_takes(metrics: Metrics) -> None:
    assert value(metrics, "model_info", model="fake", family="fake", version="") == 1
    assert value(metrics, "model_memory_bytes") is not None
    async with engine_on(wait=False, load=broken) as engine:
        absent = Metrics(engine)
        assert b"wyoming_stt_model_info" not in absent.render()
        assert b"wyoming_stt_model_memory_bytes" not in absent.render()


async def test_what_the_server_failed_is_as_in_health(metrics: Metrics) -> None:
    assert value(metrics, "dropped_total") == 0
    for _ in range(3):
        metrics.began("http")
        metrics.ended(Report("http", "inference-failed", LeaseStats()))
    assert value(metrics, "consecutive_errors") == metrics.tally.consecutive_errors == 3


async def test_levels_of_load_are_counted() -> None:
    async with engine_on() as engine:
        engine.relief.counts[Level.WARNING] += 2
        assert value(Metrics(engine), "degrade_levels_total", level="warning") == 2


async def test_two_servers_in_one_process_count_apart(metrics: Metrics) -> None:
    async with engine_on() as engine:
        other = Metrics(engine)
        other.rate_limited()
        await asyncio.sleep(0)
    assert value(other, "rate_limited_total") == 1
    assert value(metrics, "rate_limited_total") == 0
