# oldest: 3.13
# Condition: notifications, the lock taken again on cancellation, what is handed on (S-12, S-13, S-14).
import asyncio
from parity import say
from told import part, passes, run, tell
import told

condition = asyncio.Condition()


async def waits(name):
    async with condition:
        try:
            await condition.wait()
            say(f"{told.ticks.count} {name} woken, locked {int(condition.locked())}")
        except asyncio.CancelledError as error:
            say(f"{told.ticks.count} {name} cancelled {error}, locked {int(condition.locked())}")
            raise
        await passes(1)


async def four(part_name):
    part(part_name)
    tasks = [tell(name, waits(name)) for name in "abcd"]
    await passes(1)
    return tasks


async def notify(count):
    async with condition:
        condition.notify(count)


async def main():
    await four("one, two, all")
    await notify(1)
    await passes(3)
    await notify(2)
    await passes(6)
    await notify(9)
    await passes(4)
    tasks = await four("notified, then cancelled")
    await notify(1)
    tasks[0].cancel("x")
    await passes(6)
    tasks[2].cancel("y")
    await notify(1)
    await passes(6)
    tasks = await four("cancelled while it takes the lock again")
    await notify(1)
    await condition.acquire()
    await passes(1)
    for message in "xyz":
        tasks[0].cancel(message)
        await passes(2)
    condition.release()
    await passes(6)
    async with condition:
        condition.notify_all()
    await passes(9)
    part("wait_for")
    left = [2]

    async def until_zero():
        async with condition:
            return await condition.wait_for(lambda: 42 if left[0] == 0 else 0)

    tell("number", until_zero())
    await passes(1)
    await notify(1)
    await passes(3)
    left[0] = 0
    await passes(2)
    await notify(1)
    await passes(3)


run(main)
