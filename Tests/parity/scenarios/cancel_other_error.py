# oldest: 3.11
# A cancellation turned into another error, and a future cancelled by someone else (C-11, C-12, C-13).
import asyncio
from parity import Boom, new_loop, outcome, say, say_error

loop = new_loop()


async def turns(future):
    try:
        await future
    except asyncio.CancelledError:
        raise Boom("instead")


async def waits(future):
    await future


async def finished(task):
    try:
        await task
    except (asyncio.CancelledError, Boom) as error:
        say_error("caught", error)
    outcome("task", task)


async def main():
    future = loop.create_future()
    task = loop.create_task(turns(future))
    await asyncio.sleep(0)
    task.cancel("why")
    await finished(task)
    say_error("context", task.exception().__context__)
    future = loop.create_future()
    task = loop.create_task(waits(future))
    await asyncio.sleep(0)
    future.cancel("by hand")
    await finished(task)
    say(f"cancelling: {task.cancelling()}")
    future = loop.create_future()
    task = loop.create_task(waits(future))
    await asyncio.sleep(0)
    future.cancel("future")
    task.cancel("task")
    await finished(task)


loop.run_until_complete(main())
loop.close()
