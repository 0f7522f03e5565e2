"""Small networks of hosts that share nothing with this machine's own network.

A host is a thread in a network namespace of its own, with an event loop. When the thread and what
it started have ended, the kernel removes the namespace and all that was in it.
"""

import asyncio
import contextlib
import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, Self, TypeVar

import pytest

_Result = TypeVar("_Result")

_CLONE_NEWNET = 0x40000000
_PATIENCE_S = 30


class Host:
    """Runs coroutines and commands as on another machine."""

    def __enter__(self) -> Self:
        ready: Future[int] = Future()
        self._thread = threading.Thread(target=self._live, args=(ready,), name="host")
        self._thread.start()
        self.id = ready.result(_PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_S)

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_S)

    def start(self, *command: str) -> subprocess.Popen[str]:
        async def start() -> subprocess.Popen[str]:
            # Blocks the host's loop for a moment, but a thread of a pool might be another host's.
            return subprocess.Popen(  # noqa: ASYNC220
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )

        return self.run(start())

    def shell(self, script: str) -> str:
        process = self.start("sh", "-ec", script)
        output, _ = process.communicate(timeout=_PATIENCE_S)
        assert process.returncode == 0, output
        return output

    def _live(self, ready: "Future[int]") -> None:
        try:
            enter_new_network()
        except OSError as error:
            ready.set_exception(error)
            return
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            self._loop.call_soon(ready.set_result, threading.get_native_id())
            self._loop.run_forever()


def enter_new_network() -> None:
    """Move the calling thread, and what it starts from now on, into a new namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


@contextlib.contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Host()) for _ in range(count)]


def connect(one: Host, one_device: str, other: Host, other_device: str) -> None:
    """Lay a cable between two hosts; the interfaces have no addresses yet but link-local ones."""
    one.shell(f"ip link add {one_device} type veth peer name {other_device} netns {other.id}")
    for host, device in ((one, one_device), (other, other_device)):
        # Duplicate address detection takes seconds, and nobody else is there.
        host.shell(f"echo 0 > /proc/sys/net/ipv6/conf/{device}/accept_dad; ip link set {device} up")


def _why_not(tools: Sequence[str]) -> str | None:
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        return f"not installed: {', '.join(missing)}"
    try:
        with hosts(2) as (one, other):
            connect(one, "eth0", other, "eth0")
    except (OSError, AssertionError) as error:
        return f"no network namespaces here: {error}"
    return None


def needs_namespaces(*tools: str) -> pytest.MarkDecorator:
    """Skip, with the reason, where namespaces cannot be made or a program is not installed."""
    reason = _why_not(["ip", *tools])
    return pytest.mark.skipif(reason is not None, reason=reason or "")
