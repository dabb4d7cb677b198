# oldest: 3.11
# Event: all at once, in order, also when it is cleared before they run (S-08).
import asyncio
from told import part, passes, run, tell


async def main():
    event = asyncio.Event()
    part("set")
    tasks = [tell(name, event.wait()) for name in "abc"]
    await passes(2)
    tasks[1].cancel()
    event.set()
    event.set()
    tell("late", event.wait())
    await passes(3)
    part("cleared")
    event.clear()
    tell("d", event.wait())
    await passes(1)
    event.set()
    event.clear()
    tell("late", event.wait())
    await passes(3)
    part("woken, then cancelled")
    task = tell("e", event.wait())
    await passes(1)
    event.set()
    task.cancel()
    await passes(3)


run(main)
