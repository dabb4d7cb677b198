# oldest: 3.12
# How many passes until the awaiting task runs again (section 0 of the rules; 3.12's wait_for).
import asyncio
from parity import Ticks, new_loop, say

loop = new_loop()


async def quick():
    return "quick"


async def hop(label, make):
    awaitable = make()
    ticks = Ticks(loop)
    await awaitable
    say(f"{label}: {ticks.stop()}")
    await asyncio.sleep(0)  # the ticker ends


def done():
    future = loop.create_future()
    future.set_result(None)
    return future


def pending():
    future = loop.create_future()
    loop.call_soon(future.set_result, None)
    return future


def task():
    return loop.create_task(quick())


async def main():
    await hop("done future", done)
    await hop("coroutine", quick)
    await hop("empty gather", asyncio.gather)
    await hop("wait_for coroutine", lambda: asyncio.wait_for(quick(), 60))
    await hop("pending future", pending)
    await hop("task", task)
    await hop("sleep(0)", lambda: asyncio.sleep(0))
    await hop("wait_for task", lambda: asyncio.wait_for(task(), 60))
    await hop("gather of one", lambda: asyncio.gather(quick()))
    await hop("gather of three", lambda: asyncio.gather(quick(), quick(), quick()))
    await hop("gather of done", lambda: asyncio.gather(done()))
    await hop("shield", lambda: asyncio.shield(task()))
    await hop("shield of done", lambda: asyncio.shield(done()))


loop.run_until_complete(main())
loop.close()
