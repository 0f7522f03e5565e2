"""Which model is recommended for which machine."""

from dataclasses import replace

import pytest

from wyoming_stt.fitting import MEMORY_FACTOR
from wyoming_stt.hardware import Hardware, detect
from wyoming_stt.selection import (
    COMPACT,
    CUDA,
    DESKTOP,
    MODEST,
    TIERS,
    TINY,
    Tier,
    recommend,
    tier_of,
)
from wyoming_stt.store import Catalog

GIB = 1 << 30
CPU = ["CPUExecutionProvider"]
GPU = ["CUDAExecutionProvider", *CPU]
ZERO_2 = Hardware("BCM2710", 4, ("asimd",), GIB // 2, "aarch64", "Raspberry Pi Zero 2 W", "0xd03")
PI_4 = Hardware("BCM2711", 4, ("asimd",), 4 * GIB, "aarch64", "Raspberry Pi 4 Model B", "0xd08")
PI_5 = Hardware("BCM2712", 4, ("asimd", "asimddp"), 8 * GIB, "aarch64", "Raspberry Pi 5", "0xd0b")
N100 = Hardware("N100", 4, ("avx2", "fma"), 4 * GIB, "x86_64")
DESK = Hardware("a desktop", 8, ("avx", "avx2", "fma"), 16 * GIB, "x86_64")
ATOM = Hardware("an old Atom", 2, ("sse4_1",), 2 * GIB, "x86_64")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.read()


@pytest.mark.parametrize(
    ("hardware", "tier"),
    [
        (ZERO_2, TINY),
        (PI_4, MODEST),
        (PI_5, COMPACT),
        (N100, COMPACT),
        (DESK, DESKTOP),
        (replace(DESK, physical_cores=4), DESKTOP),
        (replace(DESK, physical_cores=2), COMPACT),
        (ATOM, MODEST),
        (replace(PI_5, features=()), TINY),
    ],
)
def test_tiers(hardware: Hardware, tier: Tier) -> None:
    assert tier_of(hardware, CPU) is tier


@pytest.mark.parametrize(
    ("providers", "provider", "tier"),
    [(GPU, "cuda", CUDA), (GPU, "cpu", COMPACT), (CPU, "cuda", COMPACT)],
)
def test_a_gpu_counts_if_it_is_there_and_used(
    catalog: Catalog, providers: list[str], provider: str, tier: Tier
) -> None:
    assert tier_of(N100, providers, provider) is tier
    found = recommend(N100, providers, catalog, "en", provider)
    assert found.tier is tier
    assert found.model is not None
    assert found.model.speed in tier.speeds
    is_idle = providers is GPU and provider == "cpu"
    assert ("CUDA not used (ort.provider)" in found.reason) is is_idle


def test_this_machine_has_a_tier(catalog: Catalog) -> None:
    found = recommend(detect(), CPU, catalog, "en")
    assert found.tier in TIERS
    assert found.reason


def test_a_tiny_machine_keeps_the_built_in_model(catalog: Catalog) -> None:
    found = recommend(ZERO_2, CPU, catalog, "en")
    assert found.model is None
    assert "built-in" in found.reason
    assert "Raspberry Pi Zero 2 W" in found.reason


@pytest.mark.parametrize(
    ("hardware", "speed"), [(PI_4, "fast"), (PI_5, "medium"), (N100, "medium")]
)
def test_a_model_that_keeps_up_is_chosen(catalog: Catalog, hardware: Hardware, speed: str) -> None:
    found = recommend(hardware, CPU, catalog, "en")
    assert found.model is not None
    assert (found.model.speed, found.model.streaming, found.model.conditions) == (speed, True, None)
    assert found.model.id in found.reason


def test_one_that_does_not_fit_is_not(catalog: Catalog) -> None:
    found = recommend(replace(PI_5, memory_bytes=GIB // 2), CPU, catalog, "en")
    chosen = found.model
    assert chosen is None or (chosen.download_bytes or 0) < 70_000_000
    assert any("of memory" in why for _, why in found.rejected)


def test_what_others_have_taken_does_not_count(catalog: Catalog) -> None:
    roomy = recommend(replace(PI_5, available_bytes=5 * GIB), CPU, catalog, "en")
    assert roomy == recommend(PI_5, CPU, catalog, "en")
    assert roomy.model is not None
    narrow = recommend(replace(PI_5, available_bytes=GIB // 4), CPU, catalog, "en")
    assert "memory 8192 MiB, of which 256 MiB are left" in narrow.reason
    assert narrow.model is not None
    assert narrow.model.speed == "fast"
    assert "256 MiB of memory are left" in dict(narrow.rejected)[roomy.model.id]
    assert recommend(replace(PI_5, available_bytes=0), CPU, catalog, "en").model is None


def test_what_is_recommended_will_be_loaded(catalog: Catalog) -> None:
    """Whatever is left: who decides on a download is not more generous than who loads."""
    sizes = {spec.id: spec.download_bytes or 0 for spec in catalog}
    for available in range(0, GIB, 1 << 24):
        model = recommend(replace(DESK, available_bytes=available), CPU, catalog, "en").model
        if model is not None:
            assert sizes[model.id] * MEMORY_FACTOR <= available


def test_of_an_archive_only_what_is_kept_takes_memory(catalog: Catalog) -> None:
    found = recommend(replace(DESK, memory_bytes=GIB), CPU, catalog, "ko")
    assert found.model is not None
    assert found.model.archive is not None
    assert (found.model.archive.size or 0) * MEMORY_FACTOR > GIB / 2
    large = found.model.model_copy(update={"memory": "large"})
    (rejected,) = recommend(replace(DESK, memory_bytes=GIB), CPU, [large], "ko").rejected
    assert "of memory" in rejected[1]


def test_an_archive_of_unknown_size_is_not_fetched_unasked(catalog: Catalog) -> None:
    spec = catalog.find("zipformer-ko")
    assert spec.archive is not None
    unknown = spec.model_copy(update={"archive": spec.archive.model_copy(update={"size": None})})
    found = recommend(DESK, CPU, [unknown], "ko")
    assert (found.model, found.rejected) == (None, (("zipformer-ko", "of unknown size"),))


def test_unknown_memory_is_taken_for_little(catalog: Catalog) -> None:
    unknown = recommend(replace(DESK, memory_bytes=0), CPU, catalog, "en").model
    little = recommend(replace(DESK, memory_bytes=GIB), CPU, catalog, "en").model
    assert unknown == little


def test_every_other_model_of_the_language_is_told_why(catalog: Catalog) -> None:
    found = recommend(DESK, CPU, catalog, "en")
    spoken = {spec.id for spec in catalog if "en" in spec.languages and not spec.inside}
    assert {name for name, _ in found.rejected} | {found.model and found.model.id} == spoken
    assert all(why for _, why in found.rejected)


def test_a_language_nobody_speaks_has_no_model(catalog: Catalog) -> None:
    assert recommend(DESK, CPU, catalog, "tlh").model is None


def test_models_with_conditions_are_left_to_people(catalog: Catalog) -> None:
    for language in {language for spec in catalog for language in spec.languages}:
        model = recommend(DESK, CPU, catalog, language).model
        assert model is None or model.conditions is None
