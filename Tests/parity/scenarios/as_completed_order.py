# oldest: 3.11
# as_completed(): outcomes in the order in which they come, whoever waits; and no time (G-22 to G-25).
import asyncio
from parity import Boom, new_loop, outcome, say, say_error

loop = new_loop()


async def tell(label, coroutine):
    try:
        say(label + ": " + await coroutine)
    except (Boom, TimeoutError, asyncio.CancelledError) as error:
        say_error(label, error)


async def passes(name, count):
    for _ in range(count):
        await asyncio.sleep(0)
    return name


async def main():
    a, b, c, d = (loop.create_future() for _ in range(4))
    first, second, third, fourth = asyncio.as_completed([a, b, c, d])
    tasks = [loop.create_task(tell("first", first)), loop.create_task(tell("second", second))]
    await asyncio.sleep(0)
    d.set_result("d")
    b.set_exception(Boom("b"))
    a.cancel("a")
    c.set_result("c")
    for task in tasks:
        await task
    await tell("fourth", fourth)
    await tell("third", third)
    for coroutine in asyncio.as_completed([passes("same", 3)] * 2):
        await tell("once", coroutine)
    a, b, c = (loop.create_future() for _ in range(3))
    b.set_result("b")
    for coroutine in asyncio.as_completed([a, b, c], timeout=0.001):
        await tell("in time", coroutine)
    outcome("a", a)
    # Cancelled while it waits, it takes nothing.
    first, second = asyncio.as_completed([a, c])
    task = loop.create_task(tell("cancelled", first))
    other = loop.create_task(tell("other", second))
    await asyncio.sleep(0)
    c.set_result("c")
    await asyncio.sleep(0)
    task.cancel()
    await other
    outcome("task", task)


loop.run_until_complete(main())
loop.close()
