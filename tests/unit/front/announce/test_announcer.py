import asyncio
import logging
import uuid
from ipaddress import ip_address

import pytest

from tests.support.logs import Logged
from wyoming_stt.errors import SettingsError
from wyoming_stt.front.announce.announcer import AnnounceOptions, Announcer
from wyoming_stt.front.announce.links import Link

LOOPBACK = Link("lo", (ip_address("127.0.0.1"),), ("127.0.0.1",))
"""No real link would be this one: what is sent on it does not leave the machine."""

ANYWHERE = [("0.0.0.0", 10300)]  # noqa: S104 (nothing is bound here)


def forbidden():
    raise AssertionError("there is nothing to announce, so nobody may look for a place to do it")


def test_options_are_checked():
    with pytest.raises(SettingsError, match="no dots"):
        AnnounceOptions(name="living.room")
    with pytest.raises(SettingsError, match="poll_s"):
        AnnounceOptions(poll_s=0)
    with pytest.raises(SettingsError, match="poll_s"):
        AnnounceOptions(poll_s=float("nan"))


def test_the_default_name_is_the_same_for_every_announcer():
    assert Announcer(AnnounceOptions()).name == Announcer(AnnounceOptions()).name
    assert Announcer(AnnounceOptions(name="Kitchen")).name == "Kitchen"


@pytest.mark.parametrize(
    ("options", "addresses"),
    [
        (AnnounceOptions(enabled=False), ANYWHERE),
        (AnnounceOptions(), ["/run/wyoming-stt.sock"]),
        (AnnounceOptions(), []),
    ],
)
async def test_says_nothing_when_off_or_without_a_network_socket(options, addresses, caplog):
    caplog.set_level(logging.INFO)
    async with Announcer(options, forbidden) as announcer:
        await announcer.start(addresses, 10300)
        await asyncio.sleep(0)
    assert not caplog.messages


async def test_a_server_on_loopback_is_not_announced(caplog):
    caplog.set_level(logging.INFO)
    async with Announcer(AnnounceOptions(), forbidden) as announcer:
        await announcer.start([("127.0.0.1", 10300), ("::1", 10300, 0, 0)], 10300)
        await asyncio.sleep(0)
    assert caplog.messages == ["not announced: listening on loopback only (127.0.0.1, ::1)"]


async def test_what_fails_is_one_warning_and_tried_again():
    gone = Link("gone0", LOOPBACK.addresses, LOOPBACK.senders)
    looks = asyncio.Queue[str]()

    def links() -> tuple[Link, ...]:
        looks.put_nowait("look")
        match looks.qsize():
            case 1 | 2 | 3:
                raise OSError("out of memory")
            case 4 | 5 | 6:
                return (gone,)
            case 7 | 8 | 9:
                return ()
        return (LOOPBACK,)

    options = AnnounceOptions(name=f"test-{uuid.uuid4()}", poll_s=0.01)
    with Logged("wyoming_stt.front.announce") as log:
        async with Announcer(options, links) as announcer:
            await announcer.start(ANYWHERE, 10300)
            await log.until("announced")
    assert log.lines == [
        ("WARNING", "cannot read the network interfaces: out of memory; trying again"),
        ("WARNING", "cannot announce on gone0: [Errno 19] No such device; trying again"),
        ("INFO", "not announced: there is no network address yet; trying again"),
        ("INFO", f"announced on lo as {options.name!r}: 127.0.0.1, port 10300"),
    ]


async def test_closes_while_it_is_still_asking_whether_the_name_is_free():
    looked = asyncio.Event()

    def links() -> tuple[Link, ...]:
        looked.set()
        return (LOOPBACK,)

    async with Announcer(AnnounceOptions(name=f"test-{uuid.uuid4()}"), links) as announcer:
        await announcer.start(ANYWHERE, 10300)
        await looked.wait()
