# oldest: 3.13
# timeouts inside of timeouts, and of a task that is cancelled (TO-06 to TO-09, TO-12, TO-13).
import asyncio
import time
from parity import new_loop, outcome, say

loop = new_loop()


async def nested(outer, inner, busy, handles):
    task = asyncio.current_task()
    try:
        async with asyncio.timeout(outer):
            try:
                async with asyncio.timeout(inner):
                    if busy:
                        time.sleep(0.005)
                    await asyncio.sleep(60)
            except BaseException as error:
                say("inner " + type(error).__name__)
                if not handles:
                    raise
            await asyncio.sleep(60)
    except TimeoutError:
        say("outer TimeoutError")
    say(f"cancelling: {task.cancelling()}")


async def limited(delay):
    limit = asyncio.timeout(delay)
    try:
        async with limit:
            await loop.create_future()
    except BaseException as error:
        say(f"left by {type(error).__name__}: {error}, expired: {limit.expired()}")
        raise


async def after_a_cancellation(again):
    task = asyncio.current_task()
    try:
        await loop.create_future()
    except asyncio.CancelledError:
        pass
    try:
        async with asyncio.timeout(0):
            if again:
                task.cancel()
            await asyncio.sleep(60)
    except (TimeoutError, asyncio.CancelledError) as error:
        say(f"left by {type(error).__name__}, cancelling: {task.cancelling()}")


async def main():
    await nested(0.001, 0.002, True, False)
    await nested(0.2, 0.001, False, True)
    await nested(0.001, 60, False, False)
    await nested(60, 0.001, False, False)
    task = loop.create_task(limited(60))
    await asyncio.sleep(0)
    task.cancel("outside")
    await asyncio.wait([task])
    outcome("task", task)
    task = loop.create_task(limited(0))
    await asyncio.sleep(0)
    loop.call_soon(task.cancel, "too")  # behind the timeout's own
    await asyncio.wait([task])
    outcome("task", task)
    say(f"cancelling: {task.cancelling()}")
    for again in (False, True):
        task = loop.create_task(after_a_cancellation(again))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        outcome("task", task)


loop.run_until_complete(main())
loop.close()
