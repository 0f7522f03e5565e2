"""What the image is made of says the same everywhere, and is pinned."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wyoming_stt import __version__

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SERVICES = ROOT / "addon" / "rootfs" / "etc" / "s6-overlay" / "s6-rc.d"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PIN = re.compile(
    r"^(\S+)==(\S+)[^\\]* \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
PINS = {
    variant: {
        name: (version, hashes.count("--hash"))
        for name, version, hashes in PIN.findall(
            (ROOT / "addon" / "requirements" / f"{variant}.txt").read_text(encoding="utf-8")
        )
    }
    for variant in ("cpu", "cuda", "cluster")
}
IN_PLACE_OF = {"cuda": {"onnxruntime": "onnxruntime-gpu"}}


@pytest.mark.parametrize("variant", PINS)
def test_every_dependency_is_pinned_within_its_range(variant: str) -> None:
    pins = PINS[variant]
    for line in PROJECT["dependencies"]:
        wanted = Requirement(line)
        name = canonicalize_name(wanted.name)
        name = IN_PLACE_OF.get(variant, {}).get(name, name)
        assert name in pins, f"{name} is not locked: run scripts/lock"
        assert pins[name][0] in wanted.specifier, f"{line}: locked at {pins[name][0]}"


@pytest.mark.parametrize("extra", ["redis", "fsspec", "s3"])
def test_a_cluster_has_what_its_addresses_need(extra: str) -> None:
    for line in PROJECT["optional-dependencies"][extra]:
        wanted = Requirement(line)
        version, _ = PINS["cluster"][canonicalize_name(wanted.name)]
        assert version in wanted.specifier, f"{line}: locked at {version}"


@pytest.mark.parametrize("variant", PINS)
def test_nothing_is_locked_without_a_hash(variant: str) -> None:
    text = (ROOT / "addon" / "requirements" / f"{variant}.txt").read_text(encoding="utf-8")
    assert len(PINS[variant]) == len(re.findall(r"^\S+==", text, re.MULTILINE))


def test_the_base_is_pinned_by_its_digest_and_no_argument_is_relied_on() -> None:
    assert re.search(r"^ARG BASE=ghcr\.io/\S+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)
    assert "BUILD_FROM" not in DOCKERFILE


def test_the_image_has_the_version_of_the_package() -> None:
    assert f"\nARG BUILD_VERSION={__version__}\n" in DOCKERFILE


def test_the_scripts_can_be_started() -> None:
    scripts = [path for path in SERVICES.rglob("*") if path.name in {"run", "finish"}]
    assert len(scripts) == 3
    for script in [*scripts, ROOT / "addon" / "trim", ROOT / "tests/support/image/rootfs/init"]:
        assert os.access(script, os.X_OK), script
        assert b"\r" not in script.read_bytes()


def test_every_service_that_is_named_exists() -> None:
    known = {path.name for path in SERVICES.iterdir()} | {"base"}
    named = {path.name for path in SERVICES.glob("user/contents.d/*")}
    named |= {path.name for path in SERVICES.glob("*/dependencies.d/*")}
    assert named <= known
    for service in known - {"user", "base"}:
        assert (SERVICES / service / "type").read_text() == "longrun\n"


def test_the_server_tells_s6_where_s6_listens() -> None:
    fd = (SERVICES / "wyoming-stt" / "notification-fd").read_text().strip()
    script = (SERVICES / "wyoming-stt" / "run").read_text(encoding="utf-8")
    assert f"WYOMING_STT_READINESS__FD={fd}\n" in script


def test_options_are_not_read_by_scripts() -> None:
    for script in SERVICES.glob("*/run"):
        assert "bashio::config" not in script.read_text(encoding="utf-8")
