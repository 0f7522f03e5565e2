"""Announcements as a real browser sees them, on loopback: nothing leaves the machine."""

import asyncio
import itertools
import uuid
from ipaddress import ip_address

import pytest
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from tests.support.logs import Logged
from tests.support.mdns import SERVICE_TYPE, Browser
from wyoming_stt.front.announce.announcer import MAX_RENAMES, AnnounceOptions, Announcer
from wyoming_stt.front.announce.links import Link
from wyoming_stt.front.announce.names import numbered

LOOPBACK = Link("lo", (ip_address("127.0.0.1"),), ("127.0.0.1",))
ANYWHERE = [("0.0.0.0", 10300)]  # noqa: S104 (nothing is bound here)


@pytest.fixture
def name():
    # Others may be testing on the same loopback.
    return f"test-{uuid.uuid4()}"


def announcer(name):
    return Announcer(AnnounceOptions(name=name), lambda: (LOOPBACK,))


def service(name, port):
    return AsyncServiceInfo(
        SERVICE_TYPE,
        f"{name}.{SERVICE_TYPE}",
        port=port,
        server=f"rival-{name}.local.",
        parsed_addresses=["127.0.0.1"],
        properties={},
    )


async def test_a_browser_finds_the_server_and_sees_it_go(name):
    async with Browser(["127.0.0.1"]) as browser:
        async with announcer(name) as announced:
            await announced.start(ANYWHERE, 10300)
            await browser.until(lambda names: name in names)
            found = await browser.look_up(name)
            assert found.parsed_addresses() == ["127.0.0.1"]
            assert found.port == 10300
            assert found.server.startswith(name)
            assert found.server.endswith(".local.")
            assert found.server.count(".") == 2
            assert found.text == b"\0"
        await browser.until(lambda names: name not in names)


@pytest.mark.slow
async def test_a_second_server_of_the_same_name_is_numbered(name):
    async with Browser(["127.0.0.1"]) as browser, announcer(name) as first:
        await first.start(ANYWHERE, 10300)
        await browser.until(lambda names: name in names)
        async with announcer(name) as second:
            await second.start(ANYWHERE, 10301)
            await browser.until(lambda names: {name, f"{name}-2"} <= names)
            assert (await browser.look_up(name)).port == 10300
            assert (await browser.look_up(f"{name}-2")).port == 10301
            assert second.name == f"{name}-2"


@pytest.mark.slow
async def test_meeting_itself_over_a_second_link_is_no_conflict(name):
    """As with Ethernet and Wi-Fi in one network, the second of which comes up later."""
    second_link = Link("lo", (ip_address("127.0.0.2"),), ("127.0.0.2",))
    looks = itertools.count()

    def links():
        return (LOOPBACK, second_link) if next(looks) else (LOOPBACK,)

    options = AnnounceOptions(name=name, poll_s=0.01)
    with Logged("wyoming_stt.front.announce") as log:
        async with Announcer(options, links) as announced:
            await announced.start(ANYWHERE, 10300)
            await log.until("announced on lo", times=2)
    assert [message for _, message in log.lines] == [
        f"announced on lo as {name!r}: 127.0.0.1, port 10300",
        f"announced on lo as {name!r}: 127.0.0.2, port 10300",
    ]


@pytest.mark.slow
async def test_gives_up_for_a_while_where_every_name_is_taken(name):
    names = [numbered(name, number + 1) for number in range(MAX_RENAMES)]
    with Logged("wyoming_stt.front.announce") as log:
        async with AsyncZeroconf(interfaces=["127.0.0.1"]) as greedy, announcer(name) as announced:
            await asyncio.gather(
                *[
                    await greedy.async_register_service(
                        service(taken, 10299), cooperating_responders=True
                    )
                    for taken in names
                ]
            )
            await announced.start(ANYWHERE, 10300)
            await log.until("not announced")
            assert announced.name == name  # to begin with when it tries again
    assert log.lines[-1] == (
        "WARNING",
        "not announced: 10 names in a row are taken; trying again",
    )


@pytest.mark.slow
@pytest.mark.parametrize(("rival_port", "name_after"), [(10299, "{}"), (10301, "{}-2")])
async def test_of_two_that_were_not_seen_in_time_exactly_one_gives_way(
    name, rival_port, name_after
):
    """A rival that does not ask first, as after a cut in the network; the later record wins."""
    name_after = name_after.format(name)
    async with (
        Browser(["127.0.0.1"]) as browser,
        announcer(name) as announced,
        AsyncZeroconf(interfaces=["127.0.0.1"]) as other,
    ):
        await announced.start(ANYWHERE, 10300)
        await browser.until(lambda names: name in names)
        await (
            await other.async_register_service(
                service(name, rival_port), cooperating_responders=True
            )
        )
        await browser.until(lambda names: name_after in names)
        assert announced.name == name_after
