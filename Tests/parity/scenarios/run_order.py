# oldest: 3.11
# run: main ends, what is left is cancelled and awaited, errors of it are reported.
import asyncio
from parity import Boom, attempt, say, watch


async def background():
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        say("background cancelled")
        await asyncio.sleep(0)
        say("background cleaned up")
        raise


async def fails():
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        raise Boom("at shutdown")


async def other():
    say("never")


async def main():
    loop = asyncio.get_running_loop()
    watch(loop)
    tasks.append(loop.create_task(background()))
    tasks.append(loop.create_task(fails()))
    await asyncio.sleep(0)
    coroutine = other()
    attempt("nested run", asyncio.run, coroutine)
    coroutine.close()
    say("main done")
    return "value"


async def raises():
    raise Boom("main raises")


tasks = []
say("returned " + asyncio.run(main()))
try:
    asyncio.run(raises())
except Boom as error:
    say("raised " + str(error))
attempt("outside", asyncio.get_running_loop)
