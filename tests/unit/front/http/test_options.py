import pytest

from wyoming_stt.errors import SettingsError
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.settings import load_settings
from wyoming_stt.sources import tree_of


@pytest.mark.parametrize("name", ["max_body_bytes", "body_timeout_s", "request_burst"])
def test_bounds_are_above_0(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must be above 0"):
        HttpOptions(**{name: 0})


@pytest.mark.parametrize("name", ["requests_per_minute", "max_session_s"])
def test_0_turns_a_limit_off(name: str) -> None:
    assert getattr(HttpOptions(**{name: 0}), name) == 0
    with pytest.raises(SettingsError, match="cannot be below 0"):
        HttpOptions(**{name: -1})


def test_a_drain_takes_a_second_at_least() -> None:
    with pytest.raises(SettingsError, match="drain_s"):
        HttpOptions(drain_s=0.5)


@pytest.mark.parametrize("origin", ["*", "panel.example", "localhost:3000", ""])
def test_what_can_never_be_an_origin_is_told(origin: str) -> None:
    with pytest.raises(SettingsError, match="is not like https://host:port"):
        HttpOptions(allow_origin=(origin,))


@pytest.mark.parametrize("proxy", ["*", "nginx", "10.0.0.1/8", "10.0.0"])
def test_what_can_never_be_a_proxys_address_is_told(proxy: str) -> None:
    with pytest.raises(SettingsError, match="trusted_proxies"):
        HttpOptions(trusted_proxies=(proxy,))


def test_lists_may_be_written_with_commas() -> None:
    written = {"http.allow_origin": "https://a, https://b", "http.trusted_proxies": "10.0.0.0/8"}
    http = load_settings(command_line=tree_of(written), environment={}).http
    assert http.allow_origin == ("https://a", "https://b")
    assert http.trusted_proxies == ("10.0.0.0/8",)


@pytest.mark.parametrize(
    "values",
    [{"api_token": ["correct-horse"]}, {"api_token": "correct-horse", "drain_s": 0}],
)
def test_a_complaint_does_not_show_the_token(values: dict[str, object]) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(command_line={"http": values}, environment={})
    assert "correct-horse" not in str(caught.value)
