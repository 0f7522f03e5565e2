"""Run by a test as a program: the Wyoming door on standard input and output."""

import asyncio

from tests.support.wyoming_door import open_door
from wyoming_stt.front.wyoming import WyomingOptions


async def main() -> None:
    async with open_door(WyomingOptions("stdio://")) as door:
        await door.server.ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
