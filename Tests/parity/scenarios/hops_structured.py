# oldest: 3.13
# How many passes until the awaiting task runs again: wait, as_completed, TaskGroup (section 0).
import asyncio
from parity import Ticks, new_loop, say

loop = new_loop()


async def quick():
    return "quick"


async def group(count):
    async with asyncio.TaskGroup() as tasks:
        for _ in range(count):
            tasks.create_task(quick())


async def limited(delay):
    try:
        async with asyncio.timeout(delay):
            await loop.create_future()
    except TimeoutError:
        pass


async def under_a_limit():
    async with asyncio.timeout(60):
        await quick()


async def iterated(aws):
    for coroutine in asyncio.as_completed(aws):
        await coroutine


def done():
    future = loop.create_future()
    future.set_result(None)
    return future


async def main():
    for label, make in (
        ("wait for a task", lambda: asyncio.wait([loop.create_task(quick())])),
        ("wait for two", lambda: asyncio.wait([loop.create_task(quick()), loop.create_task(quick())])),
        ("wait for done", lambda: asyncio.wait([done()])),
        ("wait, no time", lambda: asyncio.wait([loop.create_future()], timeout=0)),
        ("as_completed", lambda: iterated([quick()])),
        ("as_completed of two", lambda: iterated([quick(), quick()])),
        ("as_completed of done", lambda: iterated([done()])),
        ("empty group", lambda: group(0)),
        ("group of one", lambda: group(1)),
        ("group of three", lambda: group(3)),
        ("timeout not needed", lambda: under_a_limit()),
        ("timeout of zero", lambda: limited(0)),
    ):
        awaitable = make()
        ticks = Ticks(loop)
        await awaitable
        say(label + ": " + str(ticks.stop()))
        await asyncio.sleep(0)


loop.run_until_complete(main())
loop.close()
