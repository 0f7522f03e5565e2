"""Telling the local network where the server is, so that Home Assistant finds it by itself."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import zeroconf

from wyoming_stt.front.announce.links import (
    IPAddress,
    Link,
    bound_addresses,
    link_events,
    reachable,
    read_links,
)
from wyoming_stt.front.announce.names import (
    default_name,
    host_name,
    machine_digest,
    numbered,
)
from wyoming_stt.front.announce.options import AnnounceOptions
from wyoming_stt.front.announce.responder import NameTakenError, Offer, Responder

__all__ = ["AnnounceOptions", "Announcer"]

_log = logging.getLogger(__name__)

SETTLE_S = 1.0
"""A DHCP renewal or an interface coming up is a burst of events; look when it has passed."""

MAX_RENAMES = 10
"""Names to try in a row. Nobody has that many servers; somebody just says yes to every name."""


class Announcer:
    """Keeps the announcement true on every link until closed. What fails is logged and retried."""

    def __init__(
        self, options: AnnounceOptions, links: Callable[[], tuple[Link, ...]] = read_links
    ) -> None:
        self._options = options
        self._read_links = links
        self._machine = machine_digest()
        self._number = 1
        self._responders: dict[Offer, Responder] = {}
        self._reported: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The instance name in use: as set or derived, and numbered where that was taken."""
        return numbered(self._options.name or default_name(self._machine), self._number)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def start(self, addresses: Sequence[Any], port: int) -> None:
        """Begin to announce a server, and return at once.

        Args:
            addresses: what `getsockname` returns for each listening socket; unspecified ones stand
                for all addresses, those of unix sockets are passed over.
            port: TCP port they listen on.
        """
        bound = bound_addresses(addresses)
        if not self._options.enabled or not bound:
            return
        if all(address.is_loopback for address in bound):
            _log.info("not announced: listening on loopback only (%s)", _listed(bound))
            return
        self._task = asyncio.create_task(self._keep_announced(bound, port), name="announcer")

    async def close(self) -> None:
        """Say goodbye on every link."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._withdraw(list(self._responders))

    async def _keep_announced(self, bound: Sequence[IPAddress], port: int) -> None:
        with link_events(self._wake.set):
            while True:
                self._wake.clear()
                await self._refresh(bound, port)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._options.poll_s):
                        await self._wake.wait()
                        await asyncio.sleep(SETTLE_S)

    async def _refresh(self, bound: Sequence[IPAddress], port: int) -> None:
        """Look at the links, and make what is announced true again."""
        try:
            links = self._read_links()
        except OSError as error:
            self._report("", f"cannot read the network interfaces: {error}")
            return
        own = [address for link in links for address in link.addresses]
        for _ in range(MAX_RENAMES):
            wanted = self._offers(links, bound, port)
            if await self._offer_only(wanted, own):
                break
            self._rename()
        else:
            self._number = 1
            self._report("", f"not announced: {MAX_RENAMES} names in a row are taken")
            return
        if wanted:
            self._reported.pop("", None)
        else:
            self._report("", "not announced: there is no network address yet", logging.INFO)

    async def _offer_only(self, wanted: Sequence[Offer], own: Sequence[IPAddress]) -> bool:
        """Withdraw all other offers, announce the missing; return whether the name was free."""
        await self._withdraw([offer for offer in self._responders if offer not in wanted])
        missing = [offer for offer in wanted if offer not in self._responders]
        return all(await asyncio.gather(*(self._announce(offer, own) for offer in missing)))

    def _offers(
        self, links: Iterable[Link], bound: Sequence[IPAddress], port: int
    ) -> tuple[Offer, ...]:
        host = host_name(self.name, self._machine)
        return tuple(
            Offer(link, self.name, host, port, addresses)
            for link in links
            if (addresses := reachable(link, bound))
        )

    async def _announce(self, offer: Offer, own: Sequence[IPAddress]) -> bool:
        """Return whether the name was free; another failure is reported and left for later."""
        link = offer.link.name
        try:
            responder = await Responder.open(offer, own, self._give_way)
        except NameTakenError:
            return False
        except (OSError, RuntimeError, zeroconf.Error) as error:
            self._report(link, f"cannot announce on {link}: {error or type(error).__name__}")
            return True
        self._responders[offer] = responder
        self._reported.pop(link, None)
        _log.info(
            "announced on %s as %r: %s, port %d",
            link,
            offer.name,
            _listed(offer.addresses),
            offer.port,
        )
        return True

    async def _withdraw(self, offers: Iterable[Offer]) -> None:
        await asyncio.gather(*(self._responders.pop(offer).close() for offer in offers))

    def _give_way(self, offer: Offer) -> None:
        if offer.name == self.name:  # the same rival may be met on several links
            self._rename()
            self._wake.set()

    def _rename(self) -> None:
        taken = self.name
        self._number += 1
        _log.warning("another server on the network is called %r; now %r", taken, self.name)

    def _report(self, about: str, message: str, level: int = logging.WARNING) -> None:
        """Log once what every retry would say again."""
        if self._reported.get(about) != message:
            self._reported[about] = message
            _log.log(level, "%s; trying again", message)


def _listed(addresses: Iterable[IPAddress]) -> str:
    return ", ".join(map(str, addresses))
