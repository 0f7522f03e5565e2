"""A real avahi daemon on a host of its own: what most of the world's mDNS clients are."""

import contextlib
import subprocess
from collections.abc import Iterator

from tests.support.netns import Host

TOOLS = ("avahi-daemon", "avahi-browse", "avahi-publish", "dbus-daemon", "unshare", "nsenter")

# Both daemons want /run for themselves; the machine's own may be in use.
_START_DBUS = """
mount -t tmpfs tmpfs /run
mkdir -p /run/dbus
echo ready
exec dbus-daemon --system --nofork --nopidfile --nosyslog
"""


class Avahi:
    def __init__(self, host: Host) -> None:
        self._host = host

    @contextlib.contextmanager
    def running(self) -> Iterator["Avahi"]:
        with contextlib.ExitStack() as stack:
            dbus = stack.enter_context(
                self._started("ready", "unshare", "--mount", "sh", "-ec", _START_DBUS)
            )
            self._inside = ("nsenter", f"--target={dbus.pid}", "--mount")
            self._wait_for_dbus()
            stack.enter_context(
                self._started("startup complete", *self._inside, "avahi-daemon", "--no-rlimits")
            )
            yield self

    def browse(self) -> list[list[str]]:
        """Return the fields of all resolved Wyoming services."""
        lines = self._host.shell(self._command("avahi-browse", "-rpt", "_wyoming._tcp"))
        return [line.split(";") for line in lines.splitlines() if line.startswith("=")]

    def resolve(self, version: int, host: str) -> str:
        """Return the address of that IP version of a host name."""
        output = self._host.shell(self._command("avahi-resolve", f"-{version}", "-n", host))
        return output.split()[-1]

    @contextlib.contextmanager
    def publishing(self, name: str, port: int) -> Iterator[None]:
        command = (*self._inside, "avahi-publish", "-s", name, "_wyoming._tcp", str(port))
        with self._started("Established", *command):
            yield

    def _command(self, *words: str) -> str:
        return " ".join((*self._inside, *words))

    def _wait_for_dbus(self) -> None:
        self._host.shell(
            self._command(
                "timeout 20 sh -c 'until test -S /run/dbus/system_bus_socket; do sleep 0.05; done'"
            )
        )

    @contextlib.contextmanager
    def _started(self, ready: str, *command: str) -> Iterator[subprocess.Popen[str]]:
        process = self._host.start(*command)
        with process:
            try:
                lines = iter(process.stdout)
                assert any(ready in line for line in lines), f"{command[-1]} did not start"
                yield process
            finally:
                process.terminate()
