# oldest: 3.11
# Lock: in order, nobody pushes in, wake-ups are handed on (S-03, S-04, S-05).
import asyncio
from told import part, passes, run, tell


async def contended(part_name):
    part(part_name)
    lock = asyncio.Lock()
    await lock.acquire()
    tasks = [tell(name, lock.acquire()) for name in "abc"]
    await passes(1)
    return lock, tasks


async def main():
    lock, _ = await contended("in order")
    for _ in range(3):
        lock.release()
        await passes(2)
    lock, _ = await contended("late")
    lock.release()
    tell("late", lock.acquire())
    for _ in range(3):
        await passes(1)
        lock.release()
    await passes(2)
    lock, tasks = await contended("cancelled, then released")
    tasks[0].cancel()
    lock.release()
    await passes(4)
    lock, tasks = await contended("released, then cancelled")
    lock.release()
    tasks[0].cancel()
    await passes(1)
    tasks[1].cancel()
    await passes(4)
    lock, tasks = await contended("all cancelled")
    for task in tasks:
        task.cancel()
    lock.release()
    tell("late", lock.acquire())
    await passes(3)


run(main)
