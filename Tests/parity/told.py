"""What the scenarios about locks and queues share; told.h says the same in C.

Tasks that wait for one thing and say, with the number of the pass, how that ended.
"""
import asyncio
from parity import Ticks, error_text, new_loop, say

loop = new_loop()
ticks = None
tasks = []


async def told(name, awaitable):
    try:
        value = await awaitable
    except BaseException as error:
        say(f"{ticks.count} {name}: {error_text(error)}")
    else:
        say(f"{ticks.count} {name}: {'ok' if value is None or value is True else value}")


def tell(name, awaitable):
    task = loop.create_task(told(name, awaitable))
    tasks.append(task)
    return task


async def passes(count):
    for _ in range(count):
        await asyncio.sleep(0)


def part(name):
    """A new part of the scenario: the passes are counted from here."""
    global ticks
    if ticks is not None:
        ticks.stop()
    ticks = Ticks(loop)
    say(name)


async def finish(main):
    await main()
    ticks.stop()
    left = [task for task in tasks if not task.done()]
    say(f"left: {len(left)}")
    for task in left:
        task.cancel()
    await passes(10)


def run(main):
    loop.run_until_complete(finish(main))
    loop.close()
