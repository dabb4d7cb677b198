# oldest: 3.11
# Cancelling a gather cancels its children, and ends with it, even with failures as results (G-05, G-06).
import asyncio
from parity import new_loop, outcome, say, say_error

loop = new_loop()


async def child(name):
    try:
        await loop.create_future()
    except asyncio.CancelledError:
        say(name + " cancelled")
        raise


async def one(flag):
    tasks = [loop.create_task(child(name)) for name in "ab"]
    group = asyncio.gather(*tasks, return_exceptions=flag)
    await asyncio.sleep(0)
    say(f"cancel: {int(group.cancel())}")
    say(f"done: {int(group.done())}")
    try:
        await group
    except asyncio.CancelledError as error:
        say_error("caught", error)
    say(f"cancelled: {int(group.cancelled())}")
    for task in tasks:
        outcome("child", task)
    say(f"cancel again: {int(group.cancel())}")


loop.run_until_complete(one(False))
loop.run_until_complete(one(True))
loop.close()
