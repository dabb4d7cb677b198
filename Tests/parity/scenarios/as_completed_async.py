# oldest: 3.13
# as_completed() with async for: the futures and tasks themselves, and going on after a break (G-26).
import asyncio
from parity import new_loop, say

loop = new_loop()


async def passes(name, count):
    for _ in range(count):
        await asyncio.sleep(0)
    return name


async def main():
    future = loop.create_future()
    task = loop.create_task(passes("task", 4))
    future.set_result("future")
    names = {future: "the future", task: "the task"}
    iterator = asyncio.as_completed([task, passes("coroutine", 7), future])
    async for done in iterator:
        say(names.get(done, "a new task") + ": " + done.result())
        break
    async for done in iterator:
        say(names.get(done, "a new task") + ": " + done.result())
    async for done in iterator:
        say("no more")
    future = loop.create_future()
    async for done in asyncio.as_completed([future], timeout=60):
        say("not reached")
        break


async def late():
    future = loop.create_future()
    try:
        async for done in asyncio.as_completed([future], timeout=0):
            say("not reached")
    except TimeoutError:
        say("TimeoutError")
    say("pending: " + str(not future.done()))


async def start():
    task = loop.create_task(main())
    for _ in range(30):
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        say("cancelled")
    await late()


loop.run_until_complete(start())
loop.close()
