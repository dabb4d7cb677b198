# oldest: 3.11
# wait(): the three modes, a limit, what counts as done, what is refused (G-17 to G-21).
import asyncio
from parity import Boom, attempt, new_loop, outcome, say

loop = new_loop()
MODES = (asyncio.ALL_COMPLETED, asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION)


def futures():
    return [loop.create_future() for _ in range(3)]


async def waits(label, these, **options):
    done, pending = await asyncio.wait(these, **options)
    say(f"{label}: {len(done)} done, {len(pending)} pending")


async def main():
    for index, mode in enumerate(MODES):
        a, b, c = these = futures()
        task = loop.create_task(waits(f"mode {index}", these, return_when=mode))
        await asyncio.sleep(0)
        a.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        say(f"waits on: {not task.done()}")
        b.set_exception(Boom("b"))
        await asyncio.sleep(0)
        c.set_result("c")  # in the pass in between: it counts
        await task
        outcome("b", b)
    a, b, c = these = futures()
    a.set_result("a")
    await waits("no time", these, timeout=0)
    await waits("1 ms", these, timeout=0.001)
    outcome("c", c)
    await waits("one of them", [a, b], return_when=asyncio.FIRST_COMPLETED)
    await waits("the same twice", [a, a])
    loop.call_soon(b.set_result, "b")
    await waits("ends with the time", these, timeout=0)


loop.run_until_complete(main())
loop.close()
