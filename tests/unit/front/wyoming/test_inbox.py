import asyncio

from wyoming_stt.front.wyoming.inbox import MAX_WAITING_BYTES, Inbox


async def test_what_has_come_is_taken_at_once() -> None:
    inbox = Inbox()
    for chunk in (b"a", b"", b"bc"):
        await inbox.put(chunk)
    assert await inbox.take() == b"abc"
    inbox.end()
    assert await inbox.take() is None


async def test_last_audio_comes_before_the_end() -> None:
    inbox = Inbox()
    await inbox.put(b"a")
    inbox.end()
    assert [await inbox.take(), await inbox.take(), await inbox.take()] == [b"a", None, None]


async def test_taking_waits_for_audio() -> None:
    inbox = Inbox()
    taking = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    await inbox.put(b"a")
    assert await taking == b"a"


async def test_putting_waits_while_much_is_there() -> None:
    inbox = Inbox()
    await inbox.put(bytes(MAX_WAITING_BYTES))
    putting = asyncio.create_task(inbox.put(b"a"))
    await asyncio.sleep(0)
    assert not putting.done()
    assert len(await inbox.take() or b"") == MAX_WAITING_BYTES
    await putting
    assert await inbox.take() == b"a"


async def test_putting_does_not_wait_for_one_who_has_gone() -> None:
    inbox = Inbox()
    await inbox.put(bytes(MAX_WAITING_BYTES))
    putting = asyncio.create_task(inbox.put(b"a"))
    await asyncio.sleep(0)
    inbox.close()
    await putting
