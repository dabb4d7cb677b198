# oldest: 3.13
# Semaphore: units in order, cancelled ones passed over, units handed on (S-16, S-20, S-21).
import asyncio
from parity import say
from told import part, passes, run, tell
import told


async def four(part_name):
    part(part_name)
    semaphore = asyncio.Semaphore(0)
    tasks = [tell(name, semaphore.acquire()) for name in "abcd"]
    await passes(1)
    return semaphore, tasks


async def twice(semaphore, name):
    for i in 1, 2:
        await semaphore.acquire()
        say(f"{told.ticks.count} {name}_{i}")
        await passes(1)
        semaphore.release()
        await passes(1)


async def main():
    semaphore, tasks = await four("two cancelled")
    tasks[0].cancel()
    tasks[1].cancel()
    semaphore.release()
    say(f"locked {int(semaphore.locked())}")
    await passes(3)
    semaphore, tasks = await four("given, then cancelled")
    semaphore.release()
    tasks[0].cancel()
    await passes(3)
    tell("late", semaphore.acquire())
    semaphore.release()
    semaphore.release()
    tasks[2].cancel()
    say(f"locked {int(semaphore.locked())}")
    await passes(1)
    semaphore.release()
    await passes(3)
    say(f"locked {int(semaphore.locked())}")
    semaphore, tasks = await four("more than there are")
    for _ in range(6):
        semaphore.release()
    say(f"locked {int(semaphore.locked())}")
    tell("late", semaphore.acquire())
    await passes(2)
    say(f"locked {int(semaphore.locked())}")
    part("by turns")
    semaphore = asyncio.Semaphore(1)
    for name in "c1", "c2", "c3":
        tell(name, twice(semaphore, name))
    await passes(20)


run(main)
