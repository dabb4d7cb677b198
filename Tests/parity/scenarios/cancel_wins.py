# oldest: 3.11
# A cancel that comes after the result but before the step wins; two cancels throw once (C-05, C-06).
import asyncio
from parity import new_loop, outcome, say, say_error

loop = new_loop()


async def waits(future):
    try:
        say("got " + await future)
    except asyncio.CancelledError as error:
        say_error("caught", error)
    await asyncio.sleep(0)
    say("still running")
    return "end"


async def main():
    future = loop.create_future()
    task = loop.create_task(waits(future))
    await asyncio.sleep(0)
    future.set_result("x")
    say(f"cancel: {int(task.cancel('late'))}")
    await task
    outcome("task", task)
    outcome("future", future)
    future = loop.create_future()
    task = loop.create_task(waits(future))
    await asyncio.sleep(0)
    say(f"cancel: {int(task.cancel('first'))}")
    say(f"cancel: {int(task.cancel('second'))}")
    say(f"cancelling: {task.cancelling()}")
    await task
    outcome("task", task)
    outcome("future", future)
    say(f"cancelling: {task.cancelling()}")


loop.run_until_complete(main())
loop.close()
