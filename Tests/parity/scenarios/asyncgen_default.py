# oldest: 3.11
# anext() with a default: what is answered with it, and what is raised all the same.
import asyncio
from parity import Boom, new_loop, say, say_error

loop = new_loop()


async def counts(fails):
    try:
        yield 1
        yield 2
        if fails:
            raise Boom("fails")
    finally:
        say("finally")


async def tell(label, awaitable):
    try:
        say(f"{label}: {await awaitable}")
    except (Exception, asyncio.CancelledError) as error:
        say_error(label, error)


async def waits(future):
    await future
    yield "waited"


async def values(fails):
    g = counts(fails)
    for _ in range(4):
        await tell("anext", anext(g, "default"))
    await tell("without", anext(g))


async def closed():
    g = counts(False)
    await tell("anext", anext(g, "default"))
    await g.aclose()
    await tell("closed", anext(g, "default"))


async def running():
    future = loop.create_future()
    g = waits(future)
    first = asyncio.ensure_future(tell("first", anext(g, "default")))
    await asyncio.sleep(0)
    await tell("second", anext(g, "default"))
    first.cancel()
    await first
    await tell("after", anext(g, "default"))


async def nothing():
    g = counts(False)
    for _ in range(3):
        await tell("nothing", anext(g, None))


for name, part in (("values", values(False)), ("fails", values(True)), ("closed", closed()),
                   ("running", running()), ("nothing", nothing())):
    say("- " + name)
    loop.run_until_complete(part)
loop.close()
