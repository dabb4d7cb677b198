# oldest: 3.13
# How many passes it takes to ask a generator, inline and in a task, with bodies that await and that do not.
import asyncio
from parity import Boom, Ticks, new_loop, say

loop = new_loop()


async def passes(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def body(before, after):
    try:
        for i in range(3):
            await passes(before)
            yield i
    finally:
        await passes(after)


async def hops(label, awaitable):
    ticks = Ticks(loop)
    try:
        await awaitable
    except (StopAsyncIteration, Boom, asyncio.CancelledError):
        pass
    say(f"{label}: {ticks.stop()}")


async def iterate(before, after, end):
    async for i in body(before, after):
        if i == end:
            break


async def operations(before, after):
    say(f"before {before}, after {after}")
    g = body(before, after)
    await hops("first", g.__anext__())
    await hops("anext", g.__anext__())
    await hops("task", loop.create_task(g.asend(None)))
    await hops("end", g.__anext__())
    await hops("ended", g.__anext__())
    g = body(before, after)
    await g.__anext__()
    await hops("athrow", g.athrow(Boom()))
    g = body(before, after)
    await g.__anext__()
    await hops("aclose", g.aclose())
    await hops("aclose again", g.aclose())
    g = body(before, after)
    await g.__anext__()
    await hops("aclose task", loop.create_task(g.aclose()))
    g = body(before, after)
    await hops("aclose unstarted", g.aclose())
    await hops("async for", iterate(before, after, 9))
    await hops("break", iterate(before, after, 1))
    await passes(10)
    g = body(before, after)
    await g.__anext__()
    task = loop.create_task(g.__anext__())
    task.cancel()
    await hops("cancelled early", task)
    g = body(before, after)
    await g.__anext__()
    del g
    await hops("dropped", asyncio.sleep(0))
    g = body(before, after)
    await g.__anext__()
    await hops("shutdown", loop.shutdown_asyncgens())
    loop._asyncgens_shutdown_called = False


async def main():
    for before in 0, 1, 3:
        for after in 0, 2:
            await operations(before, after)


loop.run_until_complete(main())
loop.close()
