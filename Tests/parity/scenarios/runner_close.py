# oldest: 3.11
# Runner.close(): what runs left goes on in the next run, and is cancelled and awaited at the close.
import asyncio
from parity import Boom, attempt, say, watch

tasks = []


async def background(name, turns, error):
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        say(name + " cancelled")
        for _ in range(turns):
            await asyncio.sleep(0)
        say(name + " cleaned up")
        if error:
            raise Boom(error)
        raise


async def counts():
    for i in range(4):
        say("count " + str(i))
        await asyncio.sleep(0)


async def first():
    watch(asyncio.get_running_loop())
    loop = asyncio.get_running_loop()
    tasks.append(loop.create_task(background("one", 2, "at the close")))
    tasks.append(loop.create_task(counts()))
    await asyncio.sleep(0)
    say("first done")


async def second():
    await asyncio.sleep(0)
    say("second done")


async def stops():
    asyncio.get_running_loop().stop()
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        say("stopped main cancelled")
        raise


runner = asyncio.Runner()
runner.run(first())
say("between")
runner.run(second())
say("closing")
runner.close()
runner = asyncio.Runner()
attempt("stopped", runner.run, stops())
runner.run(second())
say("closing")
runner.close()
say("closed")
