# oldest: 3.12
# Cancelling the waiter of wait_for, alone and together with the result (G-32, G-33; 3.12).
import asyncio
from parity import new_loop, outcome, say, say_error

loop = new_loop()


async def waiter(future):
    try:
        say("got " + await asyncio.wait_for(future, 60))
    except asyncio.CancelledError as error:
        say_error("waiter", error)
        raise


async def one(finish_first):
    future = loop.create_future()
    task = loop.create_task(waiter(future))
    await asyncio.sleep(0)
    if finish_first:
        future.set_result("done")
    task.cancel("stop")
    try:
        await task
    except asyncio.CancelledError as error:
        say_error("main", error)
    outcome("task", task)
    outcome("future", future)


loop.run_until_complete(one(False))
loop.run_until_complete(one(True))
loop.close()
