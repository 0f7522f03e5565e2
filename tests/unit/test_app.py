from urllib.parse import urlsplit

import pytest

from wyoming_stt.app import _is_shared


@pytest.mark.parametrize(
    ("address", "shared"),
    [
        ("tcp://0.0.0.0:10300", True),
        ("tcp://192.0.2.7:10300", True),
        ("tcp://[::]:10300", True),
        ("tcp://[fe80::1%eth0]:10300", True),
        ("tcp://127.0.0.1:10300", False),
        ("tcp://[::1]:10300", False),
        ("unix:///run/stt.sock", False),
        ("stdio://", False),
    ],
)
def test_who_can_reach_an_address(address: str, *, shared: bool) -> None:
    assert _is_shared(urlsplit(address)) is shared
