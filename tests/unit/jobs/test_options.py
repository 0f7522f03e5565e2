"""Mistakes in the settings are told at the start, not when it is too late."""

import pytest

from wyoming_stt.errors import SettingsError
from wyoming_stt.jobs.options import JobsOptions


@pytest.mark.parametrize(
    "secret",
    ["", "c2VjcmV0", "whsec_", "whsec_c2VjcmV", "whsec_ä", "whsec-c2Vj"],
)
def test_a_secret_that_cannot_sign_is_refused(secret: str) -> None:
    with pytest.raises(SettingsError, match="whsec_ and base64"):
        JobsOptions(callback_secret=secret)


def test_a_secret_as_standard_webhooks_has_it() -> None:
    assert JobsOptions(callback_secret="whsec_c2VjcmV0").callback_secret  # noqa: S106
