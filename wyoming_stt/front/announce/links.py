"""The network interfaces of this machine, as far as multicast DNS is concerned.

On each link only the addresses of that link are told (RFC 6762, 15): a neighbour on the LAN can do
nothing with the address of a container bridge, and may well have the same one itself.
"""

import asyncio
import contextlib
import fcntl
import socket
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import ifaddr

__all__ = [
    "IPAddress",
    "Link",
    "bound_addresses",
    "link_events",
    "make_links",
    "passing_addresses",
    "reachable",
    "read_links",
]

IPAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Link:
    """One interface that is up and can multicast, with an address to be reached at."""

    name: str
    addresses: tuple[IPAddress, ...]
    """Where a neighbour can connect to, IPv4 first. Never loopback. Never link-local either: in
    IPv6 it needs an interface index that DNS cannot carry and that differs on every machine, and
    Home Assistant discards such addresses in both families."""
    senders: tuple[str | int, ...]
    """Where to speak from, as python-zeroconf wants it: an IPv4 address and, standing for IPv6,
    the index of the interface. One of each, or every packet would go out several times."""


def read_links() -> tuple[Link, ...]:
    """Read the interfaces of this machine as they are now.

    Raises:
        OSError: the kernel does not tell.
    """
    adapters = list(ifaddr.get_adapters())
    try:
        passing = passing_addresses(_IF_INET6.read_text(encoding="ascii"))
    except FileNotFoundError:  # a kernel without IPv6
        passing = frozenset()
    return make_links(adapters, _read_flags({_device(a) for a in adapters}), passing)


def make_links(
    adapters: Iterable[ifaddr.Adapter],
    flags: Mapping[str, int],
    passing: Collection[tuple[str, IPv6Address]],
) -> tuple[Link, ...]:
    """Keep the interfaces worth announcing on, and of their addresses those that last.

    Args:
        adapters: what `getifaddrs` knows, IPv4 aliases ("eth0:1") as adapters of their own.
        flags: `IFF_*` bits of each interface.
        passing: IPv6 addresses to leave out.
    """
    found: dict[str, set[IPAddress]] = {}
    index: dict[str, int] = {}
    for adapter in adapters:
        name = _device(adapter)
        if flags.get(name, 0) & (_IFF_NEEDED | _IFF_LOOPBACK) != _IFF_NEEDED:
            continue
        index.setdefault(name, adapter.index or 0)
        addresses = {_address(ip) for ip in adapter.ips}
        found.setdefault(name, set()).update(a for a in addresses if (name, a) not in passing)
    return tuple(
        Link(name, usable, _senders(addresses, index[name]))
        for name, addresses in sorted(found.items())
        if (usable := _in_order(a for a in addresses if _is_usable(a)))
    )


def passing_addresses(if_inet6: str) -> frozenset[tuple[str, IPv6Address]]:
    """Find, in the text of `if_inet6` in proc_net(5), the addresses that will not stay.

    Home Assistant keeps the address it was told for good, so a temporary (privacy) address would
    work until tomorrow. A tentative one cannot be used yet; the kernel tells when it can.
    """
    lines = (line.split() for line in if_inet6.splitlines())
    return frozenset(
        (name, IPv6Address(int(address, 16)))
        for address, _, _, _, flags, name in lines
        if int(flags, 16) & _IFA_PASSING
    )


def bound_addresses(socknames: Iterable[Any]) -> tuple[IPAddress, ...]:
    """Take the IP addresses out of what `getsockname` returned; a unix socket has none."""
    hosts = (name[0].partition("%")[0] for name in socknames if isinstance(name, tuple))
    addresses = [ip_address(host) for host in hosts]
    return tuple(getattr(a, "ipv4_mapped", None) or a for a in addresses)


def reachable(link: Link, bound: Collection[IPAddress]) -> tuple[IPAddress, ...]:
    """Return the addresses of `link` at which a server bound to `bound` is listening.

    `::` stands for all of IPv6 and not for IPv4: asyncio sets `IPV6_V6ONLY` on its servers.
    """
    anywhere = {a.version for a in bound if a.is_unspecified}
    return tuple(a for a in link.addresses if a.version in anywhere or a in bound)


@contextlib.contextmanager
def link_events(notify: Callable[[], None]) -> Iterator[None]:
    """Call `notify` in the running loop whenever the kernel says that an interface changed.

    Netlink is only asked when to look, never what there is: that takes no parsing. Where a sandbox
    denies it nothing is called, and the caller's own regular look has to do.
    """
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        try:
            netlink = stack.enter_context(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
            netlink.bind((0, _RTMGRP_LINK | _RTMGRP_IPV4_IFADDR | _RTMGRP_IPV6_IFADDR))
        except OSError:
            yield
            return

        def drain() -> None:
            # ENOBUFS: so much happened that the kernel dropped some of it; still a reason to look.
            with contextlib.suppress(OSError):
                netlink.recv(_NETLINK_READ_BYTES, socket.MSG_DONTWAIT)
            notify()

        loop.add_reader(netlink, drain)
        stack.callback(loop.remove_reader, netlink)
        yield


# Numbers of the Linux kernel that Python has no names for.

_IF_INET6 = Path("/proc/thread-self/net/if_inet6")
"""`/proc/net` would be the network of the main thread, wherever this one is."""
_IFA_PASSING = 0x01 | 0x08 | 0x20 | 0x40
"""`IFA_F_TEMPORARY`, `_DADFAILED`, `_DEPRECATED`, `_TENTATIVE` (linux/if_addr.h)."""

_SIOCGIFFLAGS = 0x8913
_IFF_LOOPBACK = 0x8
_IFF_NEEDED = 0x1 | 0x40 | 0x1000
"""`IFF_UP`, `IFF_RUNNING` (a cable is plugged in), `IFF_MULTICAST` (linux/if.h)."""

_RTMGRP_LINK, _RTMGRP_IPV4_IFADDR, _RTMGRP_IPV6_IFADDR = 0x1, 0x10, 0x100
_NETLINK_READ_BYTES = 65_536


def _read_flags(names: Iterable[str]) -> dict[str, int]:
    flags = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for name in names:
            with contextlib.suppress(OSError):  # it went away since it was listed
                request = struct.pack("16s24x", name.encode())
                answer = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request)
                (flags[name],) = struct.unpack("16xH22x", answer)
    return flags


def _device(adapter: ifaddr.Adapter) -> str:
    return adapter.name.partition(":")[0]


def _address(ip: ifaddr.IP) -> IPAddress:
    return ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])


def _is_usable(address: IPAddress) -> bool:
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)


def _in_order(addresses: Iterable[IPAddress]) -> tuple[IPAddress, ...]:
    return tuple(sorted(addresses, key=lambda a: (a.version, int(a))))


def _senders(addresses: Iterable[IPAddress], index: int) -> tuple[str | int, ...]:
    v4 = _in_order(a for a in addresses if isinstance(a, IPv4Address))[:1]
    v6 = any(isinstance(a, IPv6Address) for a in addresses)
    return (*map(str, v4), *([index] if v6 else []))
