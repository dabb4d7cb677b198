# oldest: 3.13
# How many passes until the awaiting task runs again, for locks and queues.
import asyncio
from parity import Ticks, say
from told import loop, part, passes, run


async def hop(label, awaitable, *wake):
    for call in wake:
        loop.call_soon(call)
    ticks = Ticks(loop)
    await awaitable
    say(f"{label}: {ticks.stop()}")
    await passes(1)


async def main():
    part("hops")
    lock, event, semaphore = asyncio.Lock(), asyncio.Event(), asyncio.Semaphore(1)
    condition, barrier, queue = asyncio.Condition(), asyncio.Barrier(1), asyncio.Queue(1)
    await hop("free lock", lock.acquire())
    await hop("lock", lock.acquire(), lock.release)
    await hop("event", event.wait(), event.set)
    await hop("set event", event.wait())
    await hop("free semaphore", semaphore.acquire())
    await hop("semaphore", semaphore.acquire(), semaphore.release)
    await hop("condition's lock", condition.acquire())
    await hop("condition", condition.wait(), lambda: loop.create_task(condition.acquire()),
              lambda: loop.call_soon(condition.notify), lambda: loop.call_soon(condition.release))
    await hop("barrier of one", barrier.wait())
    await hop("get", queue.get(), lambda: queue.put_nowait("x"))
    await hop("put", queue.put("y"))
    await hop("put into full", queue.put("z"), queue.get_nowait)
    await hop("get at once", queue.get())
    await hop("join", queue.join(), queue.task_done, queue.task_done, queue.task_done)
    await hop("join at once", queue.join())


run(main)
