# oldest: 3.11
# Awaiting a coroutine does not yield: a created task waits for its turn (K-02).
import asyncio
from parity import new_loop, say

loop = new_loop()


async def one(name):
    say(name)
    return name + " result"


async def main():
    task = loop.create_task(one("b"))
    for _ in range(3):
        say(await one("a"))
    say(await task)
    # And the other order: awaiting the task first lets it run.
    task = loop.create_task(one("d"))
    await asyncio.sleep(0)
    say(await one("c"))
    say(await task)


loop.run_until_complete(main())
loop.close()
