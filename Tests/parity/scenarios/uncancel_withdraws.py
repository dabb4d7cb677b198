# oldest: 3.13
# uncancel() to zero withdraws a cancellation that was not delivered yet (C-07, C-15; 3.13).
import asyncio
from parity import new_loop, outcome, say

loop = new_loop()


async def waits(future):
    return await future


async def main():
    future = loop.create_future()
    task = loop.create_task(waits(future))
    await asyncio.sleep(0)
    future.set_result("x")
    task.cancel()
    task.cancel()
    say(f"cancelling: {task.cancelling()}")
    say(f"uncancel: {task.uncancel()}")
    say(f"uncancel: {task.uncancel()}")
    say(f"uncancel: {task.uncancel()}")
    say(await task)
    outcome("task", task)


loop.run_until_complete(main())
loop.close()
