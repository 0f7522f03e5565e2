"""Announcements in networks of several machines, as a browser and as avahi see them."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.support import avahi
from tests.support.avahi import Avahi
from tests.support.logs import Logged
from tests.support.mdns import Browser
from tests.support.netns import Host, connect, hosts, needs_namespaces
from wyoming_stt.front.announce.announcer import AnnounceOptions, Announcer

pytestmark = [pytest.mark.slow, needs_namespaces()]

PORT = 10300
ANYWHERE = [("0.0.0.0", PORT), ("::", PORT, 0, 0)]  # noqa: S104 (nothing is bound here)
NAME = "kitchen"


@pytest.fixture
def lan() -> Iterator[tuple[Host, Host]]:
    """Two machines on one cable: a server, and a client with an address."""
    with hosts(2) as (server, client):
        connect(server, "eth0", client, "eth0")
        add_addresses(client, "eth0", "10.0.0.2/24", "fd00::2/64")
        yield server, client


def add_addresses(host: Host, device: str, *addresses: str) -> None:
    for address in addresses:
        # Usable at once: on a busy machine the kernel may be late to drop "tentative".
        detection = "nodad" if ":" in address else ""
        host.shell(f"ip address add {address} dev {device} {detection}")


@contextlib.contextmanager
def announcing(host: Host, bound=ANYWHERE) -> Iterator[Announcer]:
    async def start() -> Announcer:
        announcer = Announcer(AnnounceOptions(name=NAME))
        await announcer.start(bound, PORT)
        return announcer

    announcer = host.run(start())
    try:
        yield announcer
    finally:
        host.run(announcer.close())


@contextlib.contextmanager
def browsing(host: Host, address: str) -> Iterator[Browser]:
    async def start() -> Browser:
        return await Browser([address, socket.if_nametoindex("eth0")]).__aenter__()

    browser = host.run(start())
    try:
        yield browser
    finally:
        host.run(browser.__aexit__())


def addresses_seen(host: Host, browser: Browser) -> set[str]:
    host.run(browser.until(lambda names: NAME in names))
    host.run(asyncio.sleep(0.5))  # for answers that should not come
    found = host.run(browser.look_up(NAME))
    assert found.port == PORT
    return set(found.parsed_addresses())


def test_follows_the_network_as_it_comes_changes_and_goes(lan):
    server, client = lan
    server.shell("ip link set eth0 down")
    with browsing(client, "10.0.0.2") as browser:
        with announcing(server):
            server.shell("ip link set eth0 up")
            add_addresses(server, "eth0", "10.0.0.1/24", "fd00::1/64")
            assert addresses_seen(client, browser) == {"10.0.0.1", "fd00::1"}

            server.shell("ip address del 10.0.0.1/24 dev eth0")
            add_addresses(server, "eth0", "10.0.0.9/24")
            client.run(browser.until(lambda names: NAME not in names))
            assert addresses_seen(client, browser) == {"10.0.0.9", "fd00::1"}
        client.run(browser.until(lambda names: NAME not in names))


def test_each_link_is_told_its_own_lasting_addresses():
    with hosts(3) as (server, one, other):
        connect(server, "lan", one, "eth0")
        connect(server, "iot", other, "eth0")
        add_addresses(server, "lan", "10.0.1.1/24", "fd01::1/64")
        server.shell("ip address add fd01::7/64 dev lan preferred_lft 0")  # as a prefix that ends
        add_addresses(server, "iot", "10.0.2.1/24", "169.254.2.1/16", "fd02::1/64")
        add_addresses(one, "eth0", "10.0.1.2/24", "fd01::2/64")
        add_addresses(other, "eth0", "10.0.2.2/24", "fd02::2/64")
        # Without this the kernel could not send one network's answers into the other.
        one.shell("ip route add default via 10.0.1.1")
        other.shell("ip route add default via 10.0.2.1")
        with Logged("wyoming_stt.front.announce") as log, announcing(server):
            server.run(log.until("announced", times=2))
            with browsing(one, "10.0.1.2") as from_one, browsing(other, "10.0.2.2") as from_other:
                assert addresses_seen(one, from_one) == {"10.0.1.1", "fd01::1"}
                assert addresses_seen(other, from_other) == {"10.0.2.1", "fd02::1"}


def test_a_server_on_one_address_announces_only_that(lan):
    server, client = lan
    add_addresses(server, "eth0", "10.0.0.1/24", "10.0.0.3/24", "fd00::1/64")
    with hosts(1) as (elsewhere,), Logged("wyoming_stt.front.announce") as log:
        connect(server, "eth1", elsewhere, "eth0")
        add_addresses(server, "eth1", "10.0.9.1/24")
        with announcing(server, [("10.0.0.3", PORT)]), browsing(client, "10.0.0.2") as browser:
            assert addresses_seen(client, browser) == {"10.0.0.3"}
            server.run(log.until("announced"))
    assert [m for _, m in log.lines] == [f"announced on eth0 as {NAME!r}: 10.0.0.3, port {PORT}"]


def test_gives_way_though_another_program_on_the_machine_takes_the_answers(lan):
    """Of two sockets with one port and address, the kernel may give unicast answers to either."""
    first, second = lan
    add_addresses(first, "eth0", "fd00::1/64")
    with (
        browsing(second, "10.0.0.2") as browser,
        announcing(first),
    ):
        assert addresses_seen(second, browser) == {"fd00::1"}
        with announcing(second) as announcer:
            second.run(browser.until(lambda names: f"{NAME}-2" in names))
            assert announcer.name == f"{NAME}-2"


@needs_namespaces(*avahi.TOOLS)
def test_avahi_finds_it_resolves_it_and_sees_it_go(lan):
    server, client = lan
    add_addresses(server, "eth0", "10.0.0.1/24", "fd00::1/64")
    with Avahi(client).running() as seen, browsing(client, "10.0.0.2") as browser:
        with announcing(server):
            addresses_seen(client, browser)
            found = seen.browse()
            assert {tuple(fields[1:4]) for fields in found} == {
                ("eth0", "IPv4", NAME),
                ("eth0", "IPv6", NAME),
            }
            (host,) = {fields[6] for fields in found}
            assert seen.resolve(4, host) == "10.0.0.1"
            assert seen.resolve(6, host) == "fd00::1"
            assert {fields[8] for fields in found} == {str(PORT)}
        client.run(browser.until(lambda names: NAME not in names))
        while seen.browse():  # a record that said goodbye has one more second (RFC 6762, 10.1)
            pass


@needs_namespaces(*avahi.TOOLS)
@pytest.mark.parametrize("avahi_side", ["client", "server"])
def test_gives_way_to_a_service_that_avahi_has_of_that_name(lan, avahi_side):
    """Also where avahi runs beside it, and the kernel gives answers to either."""
    server, client = lan
    add_addresses(server, "eth0", "10.0.0.1/24", "fd00::1/64")
    with (
        Avahi(client if avahi_side == "client" else server).running() as other,
        other.publishing(NAME, PORT + 1),
        browsing(client, "10.0.0.2") as browser,
        announcing(server) as announcer,
    ):
        client.run(browser.until(lambda names: {NAME, f"{NAME}-2"} <= names))
        assert announcer.name == f"{NAME}-2"
        assert client.run(browser.look_up(NAME)).port == PORT + 1
        ours = client.run(browser.look_up(f"{NAME}-2"))
        assert (ours.port, set(ours.parsed_addresses())) == (PORT, {"10.0.0.1", "fd00::1"})
