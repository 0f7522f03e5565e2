from pathlib import Path

import pytest

from wyoming_stt.errors import SettingsError
from wyoming_stt.front.announce.names import (
    check_name,
    default_name,
    host_name,
    machine_digest,
    numbered,
)


@pytest.mark.parametrize("name", ["Kitchen", "Küche im Keller", "a", "x" * 63, "ä" * 31])
def test_accepts_what_fits_one_label(name):
    check_name(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "1 to 63 bytes, not 0"),
        ("   ", "not 0"),
        ("x" * 64, "not 64"),
        ("ä" * 32, "not 64"),
        ("living.room", "no dots"),
        ("two\nlines", "no control characters"),
        ("half a surrogate \ud800", "no control characters"),
    ],
)
def test_refuses_what_does_not(name, why):
    with pytest.raises(SettingsError, match=why):
        check_name(name)


def test_the_machine_keeps_its_digest_and_does_not_show_its_id(tmp_path: Path):
    machine_id = tmp_path / "machine-id"
    machine_id.write_text("3d1219c7c4c5404aaa1f6d2a48adfda4\n")
    digest = machine_digest(machine_id)
    assert digest == machine_digest(machine_id)
    assert len(bytes.fromhex(digest)) == 4
    assert digest not in machine_id.read_text()
    machine_id.write_text("00000000000000000000000000000001\n")
    assert machine_digest(machine_id) != digest


@pytest.mark.parametrize("content", [None, b"", b"uninitialized\n", b"\xff\xfe"])
def test_without_a_machine_id_the_host_name_has_to_do(tmp_path: Path, content, monkeypatch):
    machine_id = tmp_path / "machine-id"
    if content is not None:
        machine_id.write_bytes(content)
    digests = set()
    for hostname in ("kitchen", "kitchen", "cellar"):
        monkeypatch.setattr("socket.gethostname", lambda name=hostname: name)
        digests.add(machine_digest(machine_id))
    assert len(digests) == 2


def test_numbers_a_name_that_is_taken_and_keeps_it_one_label():
    assert [numbered("Küche", n) for n in (1, 2, 3)] == ["Küche", "Küche-2", "Küche-3"]
    for name in ("x" * 63, "ä" * 31, "日" * 21):
        assert len(numbered(name, 12).encode()) <= 63
        assert numbered(name, 12).endswith(name[:18][-1] + "-12")


def test_the_host_is_named_after_service_and_machine():
    assert host_name(default_name("1a2b3c4d"), "1a2b3c4d") == "wyoming-stt-1a2b3c4d.local."
    assert host_name("Living Room", "1a2b3c4d") == "living-room-1a2b3c4d.local."
    assert host_name("Küche", "1a2b3c4d") == "k-che-1a2b3c4d.local."
    assert host_name("日本", "1a2b3c4d") == "1a2b3c4d.local."
    assert len(host_name("x" * 63, "1a2b3c4d").removesuffix(".local.")) == 63
