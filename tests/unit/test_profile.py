import pytest

from wyoming_stt.hardware import Hardware
from wyoming_stt.profile import PROFILES, SMALL_MEMORY_BYTES, choose_profile, profile_settings
from wyoming_stt.settings import Settings, load_settings
from wyoming_stt.sources import merge

GIB = 1 << 30


def machine(memory_bytes: int, cores: int) -> Hardware:
    return Hardware("a processor", cores, (), memory_bytes)


@pytest.mark.parametrize(
    ("memory_bytes", "cores", "chosen"),
    [
        (SMALL_MEMORY_BYTES - 1, 4, "small"),
        (SMALL_MEMORY_BYTES, 4, "balanced"),
        (8 * GIB, 1, "small"),
        (8 * GIB, 16, "balanced"),
        (0, 4, "balanced"),  # a machine that does not tell
    ],
)
def test_auto_follows_the_machine(memory_bytes: int, cores: int, chosen: str) -> None:
    profile, reason = choose_profile("auto", machine(memory_bytes, cores))
    assert profile == chosen
    assert reason.startswith("auto: ")


def test_a_profile_that_is_asked_for_is_in_force() -> None:
    assert choose_profile("fast", machine(GIB // 4, 1)) == ("fast", "profile")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("cores", [1, 2, 16])
def test_what_a_profile_changes_are_settings(profile: str, cores: int) -> None:
    tree = profile_settings(profile, machine(GIB, cores))
    Settings.model_validate(tree)
    assert tree.get("ort", {}).get("threads", 1) <= cores


def test_small_takes_less_and_fast_is_sooner() -> None:
    small, auto, fast = (
        Settings.model_validate(profile_settings(name, machine(4 * GIB, 4)))
        for name in ("small", "auto", "fast")
    )
    assert small.engine.max_utterances < auto.engine.max_utterances
    assert small.engine.max_kept_bytes < auto.engine.max_kept_bytes
    assert small.engine.gather_s > auto.engine.gather_s > fast.engine.gather_s
    assert (auto.ort.threads, fast.ort.threads) == (1, 2)
    assert auto == Settings()


def test_a_setting_of_ones_own_is_stronger_than_the_profile() -> None:
    own = {"profile": "small", "engine": {"workers": "3"}}
    engine = load_settings(environment=own).engine
    assert (engine.workers, engine.max_utterances) == (3, 4)


@pytest.mark.parametrize("profile", ["huge", 3, None, ["small"]])
def test_what_is_no_profile_changes_nothing(profile: object) -> None:
    assert merge(profile_settings(profile, machine(GIB, 4)), {}) == {}
