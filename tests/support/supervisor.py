"""Home Assistant Supervisor's rules for an app, as far as ours needs them; from its documentation
and from how version 2026.08 behaves. What is not known here is a complaint, never ignored."""

import os
import re
from pathlib import Path
from typing import Any

Config = dict[str, Any]

# Keys and what they are when nothing is said.
DEFAULTS: Config = {
    "apparmor": True,
    "audio": False,
    "auth_api": False,
    "backup": "hot",
    "boot": "auto",
    "devicetree": False,
    "docker_api": False,
    "full_access": False,
    "gpio": False,
    "hassio_api": False,
    "hassio_role": "default",
    "homeassistant_api": False,
    "host_dbus": False,
    "host_ipc": False,
    "host_network": False,
    "host_pid": False,
    "host_uts": False,
    "ingress": False,
    "ingress_port": 8099,
    "ingress_stream": False,
    "init": True,
    "journald": False,
    "kernel_modules": False,
    "options": {},
    "panel_admin": True,
    "panel_icon": "mdi:puzzle",
    "realtime": False,
    "schema": {},
    "stage": "stable",
    "startup": "application",
    "stdin": False,
    "timeout": 10,
    "tmpfs": False,
    "uart": False,
    "udev": False,
    "ulimits": {},
    "usb": False,
    "video": False,
}
PATTERNS = {
    "version": r"\d+\.\d+\.\d+",
    "slug": r"[-_.A-Za-z0-9]+",
    "name": r".+",
    "description": r".+",
    "url": r"https?://\S+",
    "homeassistant": r"\d{4}\.\d+\.\d+",
    "image": r"[-\w.:/{}]+",
    "panel_title": r".+",
    "ingress_entry": r".+",
}
LISTS = {
    "arch": r"aarch64|amd64",  # the others are deprecated
    "discovery": r"[a-z_]+",
    "map": r"(data|ssl|share|media|backup|homeassistant_config|app_config)(:r[ow])?",
    "backup_exclude": r".+",
    "devices": r"/dev/[^:]+",
    "privileged": r"[A-Z_]+",
    "services": r"(mqtt|mysql):(provide|want|need)",
    "breaking_versions": r"\d+\.\d+\.\d+",
}
REQUIRED = {"name", "version", "slug", "description", "arch"}
ELEMENT = re.compile(
    r"(bool|email|url|port|device(\(subsystem=[a-z]+\))?|(str|password)(\(\d*,\d*\))?|int(\(-?\d*,-?\d*\))?"
    r"|float(\(-?[\d.]*,-?[\d.]*\))?|match\((?P<match>.*)\)|list\((?P<list>.+)\))\??"
)
DANGEROUS = {
    *("BPF", "CHECKPOINT_RESTORE", "DAC_READ_SEARCH", "NET_ADMIN", "NET_RAW", "PERFMON"),
    *("SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO"),
}


def complaints(config: Config) -> list[str]:
    """Return what the Supervisor would refuse, drop or warn about."""
    found = [f"{name} is missing" for name in sorted(REQUIRED - config.keys())]
    for name, value in config.items():
        if name in PATTERNS:
            fits = isinstance(value, str) and re.fullmatch(PATTERNS[name], value)
        elif name in LISTS:
            fits = all(re.fullmatch(LISTS[name], item) for item in value)
        elif name == "ports":
            fits = all(_is_port(port, host) for port, host in value.items())
        else:
            fits = name in DEFAULTS and isinstance(value, type(DEFAULTS[name]))
        if not fits:
            found.append(f"{name}: {value!r}")
    schema = config.get("schema", {})
    found += [f"schema: {name}: {kind!r}" for name, kind in schema.items() if not _is_kind(kind)]
    return found or option_complaints(schema, config.get("options", {}))


def option_complaints(schema: Config, options: Config) -> list[str]:
    """Return what the Supervisor would say about options that someone chose."""
    found = [f"{name} is not in the schema" for name in options.keys() - schema.keys()]
    for name, kind in schema.items():
        if name not in options:
            first = kind[0] if isinstance(kind, list) else kind
            found += [] if first.endswith("?") else [f"{name} is missing"]
        elif isinstance(kind, list):
            values = options[name]
            if not isinstance(values, list) or not all(_fits(kind[0], each) for each in values):
                found.append(f"{name}: {values!r}")
        elif not _fits(kind, options[name]):
            found.append(f"{name}: {options[name]!r}")
    return found


def linter_complaints(config: Config) -> list[str]:
    """Return what the published linter for apps (2.21) would call an error, beyond the above."""
    found = [
        f"{name} has its default" for name in config if config[name] == DEFAULTS.get(name, ...)
    ]
    # It does not know the new names of 2026, and the Supervisor warns of the old ones.
    found += [f"map: {item}" for item in config.get("map", []) if item.startswith("app_config")]
    if "watchdog" in config:
        found.append("watchdog: HEALTHCHECK does it")
    if config.get("ingress") and (config.get("webui") or config.get("ingress_port") == 0):
        found.append("ingress: without webui, and with a port")
    if config.get("backup") == "cold" and config.keys() & {"backup_pre", "backup_post"}:
        found.append("backup: cold")
    return found


def rating(config: Config, *, own_profile: bool) -> int:
    """Return the security rating that the store shows, 1 to 8."""
    if config.get("docker_api") or config.get("full_access"):
        return 1
    points = 5
    points += (1 if own_profile else 0) if config.get("apparmor", True) else -1
    points += 2 if config.get("ingress") else 1 if config.get("auth_api") else 0
    privileged = set(config.get("privileged", []))
    points -= 1 if privileged & DANGEROUS or config.get("kernel_modules") else 0
    points -= {"manager": 1, "admin": 2}.get(config.get("hassio_role", "default"), 0)
    points -= 1 if config.get("host_network") else 0
    points -= 2 if config.get("host_pid") else 0
    points -= 1 if config.get("host_uts") and "SYS_ADMIN" in privileged else 0
    return min(max(points, 1), 8)


def manifests(repository: Path) -> list[Path]:
    """Return every file that a scan of the repository takes for the manifest of an app."""
    found = []
    for folder, folders, files in os.walk(repository):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "rootfs"]
        found += [
            Path(folder, name)
            for name in files
            if name.startswith("config.") and Path(name).suffix in {".json", ".yaml", ".yml"}
        ]
    return found


def _is_port(port: str, host: object) -> bool:
    return bool(re.fullmatch(r"\d+/(tcp|udp)", port)) and (host is None or isinstance(host, int))


def _is_kind(kind: object) -> bool:
    if isinstance(kind, list):
        return len(kind) == 1 and isinstance(kind[0], str) and _is_kind(kind[0])
    return isinstance(kind, str) and ELEMENT.fullmatch(kind) is not None


def _fits(kind: str, value: object) -> bool:
    element = ELEMENT.fullmatch(kind)
    assert element is not None, kind
    if element["list"]:
        return str(value) in element["list"].split("|")
    if element["match"]:
        return re.match(element["match"], str(value)) is not None
    if kind.startswith("bool"):
        return isinstance(value, bool)
    if kind.startswith("str"):
        least, most = (re.findall(r"\((\d*),(\d*)\)", kind) or [("", "")])[0]
        return isinstance(value, str) and int(least or 0) <= len(value) <= int(most or 10**9)
    raise AssertionError(f"no option of ours is of the kind {kind}")
