# oldest: 3.12
# eager_task_factory as the loop's factory: what starts at once and what does not (E-01, E-09).
import asyncio
from parity import Boom, new_loop, outcome, say

loop = new_loop()


async def returns(name):
    say(name + " runs")
    return name


async def waits(name):
    say(name + " step 1")
    await asyncio.sleep(0)
    say(name + " step 2")
    return name


async def makes(name):
    say(name + " makes")
    inner = loop.create_task(returns(name + "'s"))
    outcome(name + "'s", inner)
    return name


async def main():
    say("main runs")
    outcome("created", loop.create_task(returns("a")))
    task = loop.create_task(waits("b"))
    outcome("waits", task)
    both = asyncio.gather(returns("c"), waits("d"))
    outcome("gather", both)
    outcome("makes", loop.create_task(makes("e")))
    await task
    say(" ".join(await both))
    outcome("waits", task)
    loop.set_task_factory(None)
    plain = loop.create_task(returns("f"))
    outcome("plain", plain)
    await plain


loop.call_soon(say, "before main")
loop.set_task_factory(asyncio.eager_task_factory)
loop.run_until_complete(main())
loop.close()
