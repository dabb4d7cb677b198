# oldest: 3.13
# Groups in a group in a timeout, cancelled after each number of passes: every order of events.
import asyncio
from parity import Boom, new_loop, say

loop = new_loop()
events = []


async def child(name, count, fails):
    try:
        for _ in range(count):
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        events.append(name + ":cancelled")
        raise
    events.append(name + (":fails" if fails else ":ok"))
    if fails:
        raise Boom(name)


async def parent(inner_fails, outer_fails):
    task = asyncio.current_task()
    try:
        async with asyncio.timeout(60):
            async with asyncio.TaskGroup() as outer:
                outer.create_task(child("a", 5, outer_fails))
                outer.create_task(child("b", 1, False))
                async with asyncio.TaskGroup() as inner:
                    inner.create_task(child("c", 3, inner_fails))
                    inner.create_task(child("d", 6, False))
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                    events.append("body")
                events.append("inner")
                await asyncio.sleep(0)
            events.append("outer")
    except BaseException as error:
        events.append(f"{type(error).__name__}/{task.cancelling()}")
        raise
    events.append("end")


async def main():
    for inner_fails, outer_fails in ((False, False), (True, False), (False, True), (True, True)):
        for point in range(14):
            events.clear()
            task = loop.create_task(parent(inner_fails, outer_fails))
            for _ in range(point):
                await asyncio.sleep(0)
            task.cancel()
            passes = 0
            while not task.done():
                await asyncio.sleep(0)
                passes += 1
            state = "cancelled" if task.cancelled() else "raised" if task.exception() else "result"
            say(f"{point}: {state} after {passes}, cancelling {task.cancelling()}: " + " ".join(events))


loop.run_until_complete(main())
loop.close()
