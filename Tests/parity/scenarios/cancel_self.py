# oldest: 3.11
# A task that cancels itself: at its end, and at its next await, which reaches down (C-09, C-10).
import asyncio
from parity import new_loop, outcome, say

loop = new_loop()


async def at_end():
    asyncio.current_task().cancel()
    return "lost"


async def waits(future):
    await future


async def awaits(sub):
    asyncio.current_task().cancel()
    say("awaiting")
    await sub


async def main():
    task = loop.create_task(at_end())
    await asyncio.sleep(0)
    outcome("at end", task)
    future = loop.create_future()
    sub = loop.create_task(waits(future))
    await asyncio.sleep(0)
    task = loop.create_task(awaits(sub))
    try:
        await task
    except asyncio.CancelledError:
        say("caught")
    outcome("task", task)
    outcome("sub-task", sub)
    outcome("future", future)


loop.run_until_complete(main())
loop.close()
