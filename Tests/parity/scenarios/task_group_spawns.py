# oldest: 3.13
# TaskGroup: children that make children, eager children, a timeout around it (TG-13, TG-16).
import asyncio
from parity import new_loop, say

loop = new_loop()


async def passes(name, count):
    for _ in range(count):
        await asyncio.sleep(0)
    say(name)


async def makes(tasks, depth):
    await asyncio.sleep(0)
    say("depth " + str(depth))
    if depth > 0:
        tasks.create_task(makes(tasks, depth - 1))


async def waits():
    try:
        await loop.create_future()
    finally:
        say("child ends")


async def main():
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(makes(tasks, 3))
        say("body ends")
    say("group ends")
    loop.set_task_factory(asyncio.eager_task_factory)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(passes("eager", 0))
        tasks.create_task(passes("eager, one pass", 1))
        say("body ends")
    loop.set_task_factory(None)
    say("group ends")
    try:
        async with asyncio.timeout(0.001):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(waits())
    except TimeoutError:
        say("TimeoutError")
    async with asyncio.TaskGroup() as tasks:
        try:
            async with asyncio.timeout(0):
                await asyncio.sleep(60)
        except TimeoutError:
            say("TimeoutError inside")
        tasks.create_task(passes("goes on", 1))


loop.run_until_complete(main())
loop.close()
