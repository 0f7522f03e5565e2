"""One announcement on one link, by python-zeroconf.

The library sends every record on every interface it was given, so each link gets an instance of its
own, with sockets bound to the device: the only way to tell each link its own addresses.
"""

import contextlib
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self

from zeroconf import RecordUpdate, RecordUpdateListener, Zeroconf
from zeroconf._dns import DNSService
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from wyoming_stt.front.announce.links import IPAddress, Link

__all__ = ["SERVICE_TYPE", "NameTakenError", "Offer", "Responder"]

SERVICE_TYPE = "_wyoming._tcp.local."
"""What Home Assistant's Wyoming integration looks for."""

_PROBE_MS = 2_000
"""Time for three questions, and to answer the last: who answered the same question of another
client a moment ago may wait for more than a second (RFC 6762, 6)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What is said on one link; equal offers are one announcement."""

    link: Link
    name: str
    """Instance name without the service type."""
    host: str
    """Host name in `local.` that the addresses belong to."""
    port: int
    addresses: tuple[IPAddress, ...]


class NameTakenError(Exception):
    """Somebody else on the link already offers a service of this name."""


class Responder:
    """Answers for one offer, on its link only, from `open` to `close`."""

    def __init__(self, resources: contextlib.AsyncExitStack) -> None:
        self._resources = resources

    @classmethod
    async def open(
        cls, offer: Offer, own: Collection[IPAddress], contested: Callable[[Offer], None]
    ) -> Self:
        """Make sure that the name is free, then announce it; takes about three seconds.

        Args:
            offer: what to announce.
            own: all addresses of this machine, to know itself when met on a second link.
            contested: called when later another host turns out to use the same name, and wins.

        Raises:
            NameTakenError: the name is not free.
            OSError, RuntimeError, zeroconf.Error: the link cannot be used (any more).
        """
        async with contextlib.AsyncExitStack() as resources:
            # Leaving it says goodbye, also when an error or a cancellation comes in between.
            zeroconf = await resources.enter_async_context(
                AsyncZeroconf(interfaces=list(offer.link.senders))
            )
            await zeroconf.zeroconf.async_wait_for_start()
            _bind_to_device(zeroconf, offer.link.name)
            await _check_name_is_free(zeroconf.zeroconf, offer, own)
            announced = await zeroconf.async_register_service(
                _service_info(offer), cooperating_responders=True
            )
            zeroconf.zeroconf.async_add_listener(_Rivals(offer, contested), None)
            await announced
            return cls(resources.pop_all())

    async def close(self) -> None:
        """Say goodbye, so that nobody offers the service any longer, and close the sockets."""
        await self._resources.aclose()


class _Rivals(RecordUpdateListener):
    """Watches for others that announce our name (RFC 6762, 9).

    Probing cannot find them when the network was cut in two at that time, for instance while a
    switch was starting. The later record wins, as in 8.2, so that exactly one of two gives way.
    """

    def __init__(self, offer: Offer, contested: Callable[[Offer], None]) -> None:
        self._offer = offer
        self._contested = contested

    def async_update_records(
        self,
        zc: Zeroconf,  # noqa: ARG002 (the library calls it so)
        now: float,
        records: list[RecordUpdate],
    ) -> None:
        offer = self._offer
        key = f"{offer.name}.{SERVICE_TYPE}".lower()
        for record in (update.new for update in records):
            if (
                isinstance(record, DNSService)
                and record.key == key
                and not record.is_expired(now)
                and (record.port, record.server.lower()) > (offer.port, offer.host)
            ):
                self._contested(offer)


def _service_info(offer: Offer) -> AsyncServiceInfo:
    return AsyncServiceInfo(
        SERVICE_TYPE,
        f"{offer.name}.{SERVICE_TYPE}",
        port=offer.port,
        server=offer.host,
        parsed_addresses=[str(address) for address in offer.addresses],
        properties=b"\0",  # RFC 6763, 6.1: a TXT record is never without a string
    )


def _bind_to_device(zeroconf: AsyncZeroconf, device: str) -> None:
    # Otherwise the kernel gives each listening socket the queries of all links, and those that ask
    # for a unicast answer would get it from the responders of all links.
    for reader in zeroconf.zeroconf.engine.readers:
        reader_socket = reader.transport.get_extra_info("socket")
        # Before Linux 5.7 only root may; then the answers are too many, but nothing is missing.
        with contextlib.suppress(PermissionError):
            reader_socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())


async def _check_name_is_free(zeroconf: Zeroconf, offer: Offer, own: Collection[IPAddress]) -> None:
    """Ask who holds the name, before announcing it.

    Not the library's own probe, which only asks for unicast answers: where a second mDNS program
    runs on the machine, Home Assistant for one, the kernel may give those to that one. A look-up
    asks once for a unicast answer, then for multicast ones.

    Raises:
        NameTakenError: it is held, and not by this very service, met over another link.
    """
    held = AsyncServiceInfo(SERVICE_TYPE, f"{offer.name}.{SERVICE_TYPE}")
    await held.async_request(zeroconf, _PROBE_MS)
    if not held.server:
        return
    addresses = {ip_address(text.partition("%")[0]) for text in held.parsed_addresses()}
    if held.port != offer.port or not addresses or not addresses <= set(own):
        raise NameTakenError
