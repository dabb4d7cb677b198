# oldest: 3.11
# Three tasks take turns in the order in which they were made.
import asyncio
from parity import new_loop, outcome, say

loop = new_loop()


async def worker(name):
    for i in range(3):
        say(f"{name} {i}")
        await asyncio.sleep(0)
    return name


async def main():
    tasks = [loop.create_task(worker(name)) for name in "xyz"]
    say("made")
    for task in tasks:
        await task
        outcome("task", task)


loop.run_until_complete(main())
loop.close()
