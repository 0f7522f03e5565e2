# ruff: noqa: S104 (what is bound to all interfaces here never listens)
import asyncio
import socket
from ipaddress import ip_address

import ifaddr
import pytest

from wyoming_stt.front.announce.links import (
    Link,
    bound_addresses,
    link_events,
    make_links,
    passing_addresses,
    reachable,
    read_links,
)

UP, LOOPBACK, POINT_TO_POINT, RUNNING, MULTICAST = 0x1, 0x8, 0x10, 0x40, 0x1000
ETHERNET = UP | RUNNING | MULTICAST


def adapter(name, *addresses, index=2):
    ips = [ifaddr.IP((a, 0, 0) if ":" in a else a, 24, name) for a in addresses]
    return ifaddr.Adapter(name, name, ips, index=index)


def parsed(*addresses):
    return tuple(map(ip_address, addresses))


LAN = Link("eth0", parsed("192.168.1.5", "fd00::5"), ("192.168.1.5", 2))


def test_a_link_has_its_lasting_addresses_ipv4_first():
    adapters = [adapter("eth0", "fe80::1", "fd00::5", "192.168.1.5")]
    assert make_links(adapters, {"eth0": ETHERNET}, ()) == (LAN,)


def test_the_order_in_which_the_kernel_lists_them_changes_nothing():
    one = [adapter("eth0", "10.0.0.2", "10.0.0.1"), adapter("wlan0", "10.0.1.1", index=3)]
    other = [adapter("wlan0", "10.0.1.1", index=3), adapter("eth0", "10.0.0.1", "10.0.0.2")]
    flags = {"eth0": ETHERNET, "wlan0": ETHERNET}
    assert make_links(one, flags, ()) == make_links(other, flags, ())


@pytest.mark.parametrize(
    "flags",
    [
        UP | RUNNING | MULTICAST | LOOPBACK,
        RUNNING | MULTICAST,  # set down
        UP | MULTICAST,  # no cable
        UP | RUNNING | POINT_TO_POINT,  # a tunnel
    ],
)
def test_interfaces_that_reach_no_neighbour_are_left_out(flags):
    assert make_links([adapter("if0", "10.0.0.1")], {"if0": flags}, ()) == ()


def test_an_interface_that_went_away_meanwhile_is_left_out():
    assert make_links([adapter("eth0", "10.0.0.1")], {}, ()) == ()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.7.7", "fe80::1", "0.0.0.0"])
def test_addresses_of_no_use_to_a_neighbour_are_left_out(address):
    (link,) = make_links([adapter("eth0", address, "10.0.0.1")], {"eth0": ETHERNET}, ())
    assert link.addresses == parsed("10.0.0.1")
    assert make_links([adapter("eth0", address)], {"eth0": ETHERNET}, ()) == ()


def test_a_link_local_address_still_carries_the_announcement():
    (link,) = make_links([adapter("eth0", "fe80::1", "10.0.0.1")], {"eth0": ETHERNET}, ())
    assert link.senders == ("10.0.0.1", 2)
    (link,) = make_links([adapter("eth0", "10.0.0.1")], {"eth0": ETHERNET}, ())
    assert link.senders == ("10.0.0.1",)


def test_an_alias_belongs_to_its_interface():
    adapters = [adapter("eth0", "10.0.0.1"), adapter("eth0:1", "10.0.0.2", index=None)]
    (link,) = make_links(adapters, {"eth0": ETHERNET}, ())
    assert link == Link("eth0", parsed("10.0.0.1", "10.0.0.2"), ("10.0.0.1",))


def test_addresses_that_will_not_stay_are_found_by_their_flags():
    text = (
        "fd000000000000000000000000000005 02 40 00 80     eth0\n"
        "fd0000000000000000000000000000aa 02 40 00 01     eth0\n"  # temporary
        "fd0000000000000000000000000000bb 02 40 00 20     eth0\n"  # deprecated
        "fd0000000000000000000000000000cc 02 40 00 40     eth0\n"  # tentative
        "fd0000000000000000000000000000dd 02 40 00 88     eth0\n"  # duplicate
    )
    passing = passing_addresses(text)
    assert passing == {("eth0", ip_address(f"fd00::{end}")) for end in ("aa", "bb", "cc", "dd")}
    adapters = [adapter("eth0", "fd00::5", "fd00::aa", "fd00::bb", "192.168.1.5")]
    assert make_links(adapters, {"eth0": ETHERNET}, passing) == (LAN,)


@pytest.mark.parametrize(
    ("bound", "told"),
    [
        ("0.0.0.0", ["192.168.1.5"]),
        ("::", ["fd00::5"]),
        ("192.168.1.5", ["192.168.1.5"]),
        ("fd00::5", ["fd00::5"]),
        ("192.168.2.5", []),
        ("127.0.0.1", []),
        ("::1", []),
    ],
)
def test_only_addresses_that_are_listened_on_are_told(bound, told):
    assert reachable(LAN, parsed(bound)) == parsed(*told)


def test_two_sockets_cover_both_families():
    assert reachable(LAN, parsed("0.0.0.0", "::")) == LAN.addresses


def test_bound_addresses_come_from_real_sockets(tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as v4,
        socket.create_server(("0.0.0.0", 0)) as anywhere,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        unix.bind(str(tmp_path / "socket"))
        names = [s.getsockname() for s in (v4, anywhere, unix)]
    assert bound_addresses(names) == parsed("127.0.0.1", "0.0.0.0")


def test_scope_and_ipv4_in_ipv6_are_taken_apart():
    names = [("fe80::1%eth0", 1, 0, 2), ("::ffff:10.0.0.1", 1, 0, 0)]
    assert bound_addresses(names) == parsed("fe80::1", "10.0.0.1")


def test_the_links_of_this_machine_are_real():
    names = {name for _, name in socket.if_nameindex()}
    for link in read_links():
        assert link.name in names
        assert link.addresses
        assert not any(a.is_loopback or a.is_link_local for a in link.addresses)


async def test_a_sandbox_without_netlink_is_no_error(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(socket, "socket", refuse)
    with link_events(lambda: None):
        await asyncio.sleep(0)
