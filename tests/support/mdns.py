"""What a client on the network sees: a real browser, on the interface it is given."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from zeroconf import ServiceListener, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

SERVICE_TYPE = "_wyoming._tcp.local."
_PATIENCE_S = 20


@dataclass
class Browser(ServiceListener):
    """Knows at any time the names of the Wyoming services that it can see."""

    interfaces: list[str | int]
    names: set[str] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._changed = asyncio.Event()
        self._zeroconf = AsyncZeroconf(interfaces=self.interfaces)
        await self._zeroconf.zeroconf.async_wait_for_start()
        self._browser = AsyncServiceBrowser(self._zeroconf.zeroconf, SERVICE_TYPE, listener=self)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._browser.async_cancel()
        await self._zeroconf.async_close()

    async def until(self, condition: Callable[[set[str]], bool]) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while not condition(self.names):
                self._changed.clear()
                await self._changed.wait()

    async def look_up(self, name: str) -> AsyncServiceInfo:
        found = await self._zeroconf.async_get_service_info(SERVICE_TYPE, f"{name}.{SERVICE_TYPE}")
        assert found is not None, f"{name} has no records"
        return found

    def add_service(self, _zc: Zeroconf, _type: str, name: str) -> None:
        self.names.add(name.removesuffix("." + SERVICE_TYPE))
        self._changed.set()

    def remove_service(self, _zc: Zeroconf, _type: str, name: str) -> None:
        self.names.discard(name.removesuffix("." + SERVICE_TYPE))
        self._changed.set()

    def update_service(self, _zc: Zeroconf, _type: str, _name: str) -> None:
        self._changed.set()
