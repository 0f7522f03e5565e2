"""The profile can be loaded, is enough, and is no more than that."""

import re
import shutil
import subprocess

import pytest

from tests.support.apparmor import Profiles
from tests.support.appfiles import ROOT

FILE = ROOT / "apparmor.txt"
TEXT = FILE.read_text(encoding="utf-8")
PROFILES = Profiles(FILE)
OUTER, SERVER = "wyoming-stt", "server"


@pytest.mark.skipif(
    not shutil.which("apparmor_parser"), reason="needs apparmor_parser (apt install apparmor)"
)
def test_apparmors_own_parser_accepts_it() -> None:
    # -Q: not into the kernel, -K: no cache.
    parsed = subprocess.run(
        ["apparmor_parser", "-Q", "-K", FILE], capture_output=True, text=True, check=False
    )
    assert parsed.returncode == 0, parsed.stderr
    assert "rror" not in parsed.stderr


def test_the_supervisor_finds_one_profile() -> None:
    assert re.findall(r"^profile ([^ ]+).*$", TEXT, re.MULTILINE) == [OUTER]
    assert PROFILES.rules.keys() == {OUTER, SERVER}


def test_only_includes_that_every_host_has() -> None:
    includes = set(re.findall(r"^\s*#include <(.+)>$", TEXT, re.MULTILINE))
    assert includes == {"tunables/global", "abstractions/base"}


@pytest.mark.parametrize(
    ("path", "permissions"),
    [
        ("/opt/wyoming-stt/bin/wyoming-stt", "r"),
        ("/usr/bin/python3.13", "mrx"),
        ("/opt/wyoming-stt/lib/python3.13/site-packages/wyoming_stt/app.py", "r"),
        ("/opt/wyoming-stt/lib/python3.13/site-packages/onnxruntime/capi/x.so", "mr"),
        ("/usr/lib/python3.13/lib-dynload/_ssl.so", "mr"),
        ("/usr/lib/aarch64-linux-gnu/libstdc++.so.6", "mr"),
        ("/run/wyoming-stt/options.json", "r"),
        ("/share/speech/german/tokens.txt", "r"),
        ("/data/models/vi/encoder.onnx", "rwk"),
        ("/data/models/.graphs/1.onnx.part", "rw"),
        ("/data/checksums.json", "rw"),
        ("/etc/resolv.conf", "r"),
        ("/proc/1234/cgroup", "r"),
        ("/sys/fs/cgroup/memory.max", "r"),
        ("/sys/devices/system/cpu/online", "r"),
        ("/tmp/spool-1", "rw"),  # noqa: S108
    ],
)
def test_the_server_may_do_what_it_must(path: str, permissions: str) -> None:
    assert set(permissions) <= PROFILES.allowed(SERVER, path)


@pytest.mark.parametrize(
    ("path", "permissions"),
    [
        ("/bin/sh", "rx"),
        ("/usr/bin/curl", "rx"),
        ("/command/s6-setuidgid", "rx"),
        ("/opt/wyoming-stt/lib/python3.13/site-packages/wyoming_stt/app.py", "wx"),
        ("/opt/wyoming-stt/bin/wyoming-stt", "w"),
        ("/usr/bin/python3.13", "w"),
        ("/data/options.json", "rw"),
        ("/data/models/evil", "xm"),
        ("/tmp/evil", "xm"),  # noqa: S108
        ("/share/recording.wav", "w"),
        ("/ssl/privkey.pem", "r"),
        ("/etc/shadow", "rw"),
        ("/etc/passwd", "w"),
        ("/root/.ssh/id_ed25519", "r"),
        ("/run/s6/basedir/bin/halt", "rwx"),
        ("/run/s6-linux-init-container-results/exitcode", "w"),
        ("/proc/sysrq-trigger", "w"),
        ("/sys/kernel/security/apparmor/.load", "rw"),
    ],
)
def test_the_server_may_not_do_anything_else(path: str, permissions: str) -> None:
    assert not set(permissions) & PROFILES.allowed(SERVER, path)


@pytest.mark.parametrize(
    ("path", "permissions"),
    [
        ("/init", "rx"),
        ("/command/s6-svwait", "rx"),
        ("/usr/bin/curl", "rx"),
        ("/etc/s6-overlay/s6-rc.d/wyoming-stt/run", "rx"),
        ("/run/s6/basedir/bin/halt", "rwx"),
        ("/run/wyoming-stt/options.json", "rw"),
        ("/data/options.json", "r"),
        ("/data/models/vi", "w"),
        ("/data/checksums.json", "w"),
    ],
)
def test_the_scripts_may_do_what_they_must(path: str, permissions: str) -> None:
    assert set(permissions) <= PROFILES.allowed(OUTER, path)


@pytest.mark.parametrize("profile", [OUTER, SERVER])
def test_nothing_leaves_the_profiles(profile: str) -> None:
    rules = PROFILES.rules[profile]
    assert not [
        rule
        for rule in rules
        if re.fullmatch(r"(capability|network|file|mount|ptrace|dbus),?", rule)
    ]
    assert not [rule for rule in rules if re.search(r" \w*[uU]x?,| [a-z]*[pP]x", rule)]
    assert not PROFILES.allowed(profile, "/anything/else")
    assert not PROFILES.allowed(profile, "/share/x") - {"r"}


def test_the_server_has_no_capability() -> None:
    assert not [rule for rule in PROFILES.rules[SERVER] if rule.startswith("capability")]
    assert sorted(rule for rule in PROFILES.rules[OUTER] if rule.startswith("capability")) == [
        f"capability {name},"
        for name in ("chown", "dac_override", "fowner", "kill", "setgid", "setuid")
    ]
