# oldest: 3.11
# Cancelling the task that is inside wait(): what it waits for goes on (C-19), at each point.
import asyncio
from parity import new_loop, outcome, say_error

loop = new_loop()


async def inner(future):
    return await future


async def waits(task):
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError as error:
        say_error("waiter", error)
        raise


async def main():
    for point in range(4):
        future = loop.create_future()
        task = loop.create_task(inner(future))
        waiter = loop.create_task(waits(task))
        await asyncio.sleep(0)
        if point > 0:
            future.set_result("done")
        for _ in range(point):
            await asyncio.sleep(0)
        waiter.cancel("out")
        await asyncio.sleep(0)
        outcome("task", task)
        if point == 0:
            future.set_result("done")
        for _ in range(4):
            await asyncio.sleep(0)
        outcome("task", task)
        outcome("waiter", waiter)


loop.run_until_complete(main())
loop.close()
