# oldest: 3.13
# Each rule of asynchronous generators, with its sentence.
import asyncio
from parity import Boom, new_loop, say, say_error

loop = new_loop()


async def counts():
    try:
        for i in (1, 2, 3):
            got = yield i
            say(f"got {got}")
    finally:
        say("finally")


async def catches():
    while True:
        try:
            yield "value"
        except Boom as error:
            say_error("caught", error)
            if str(error) == "end":
                return
        except GeneratorExit:
            say("ignored")


async def raises(error):
    yield "first"
    raise error


async def waits(future):
    try:
        await future
        yield "waited"
    finally:
        await asyncio.sleep(0)
        say("cleaned up")


async def tell(label, awaitable):
    try:
        say(f"{label}: {await awaitable}")
    except BaseException as error:
        say_error(label, error)


async def values():
    g = counts()
    await tell("asend early", g.asend("x"))
    await tell("anext", g.__anext__())
    await tell("asend", g.asend("x"))
    await tell("anext", g.__anext__())
    await tell("anext", g.__anext__())
    await tell("anext", g.__anext__())
    await tell("asend", g.asend("x"))
    await tell("athrow", g.athrow(Boom("late")))
    await tell("aclose", g.aclose())


async def closing():
    g = counts()
    await tell("aclose unstarted", g.aclose())
    await tell("anext", g.__anext__())
    g = counts()
    await tell("athrow unstarted", g.athrow(Boom("early")))
    await tell("anext", g.__anext__())
    g = counts()
    await g.__anext__()
    await tell("aclose", g.aclose())
    await tell("aclose", g.aclose())
    g = catches()
    await g.__anext__()
    await tell("aclose", g.aclose())
    await tell("aclose", g.aclose())
    await tell("athrow", g.athrow(Boom("x")))
    await tell("anext", g.__anext__())
    g = catches()
    await g.__anext__()
    await tell("athrow", g.athrow(Boom("go on")))
    await tell("athrow", g.athrow(Boom("end")))
    await tell("athrow", g.athrow(Boom("x")))


async def raising():
    for error in StopAsyncIteration("a"), StopIteration("b"), Boom("c"), GeneratorExit():
        g = raises(error)
        await g.__anext__()
        await tell("anext", g.__anext__())
        await tell("anext", g.__anext__())
    g = raises(Boom("d"))
    await g.__anext__()
    await tell("athrow", g.athrow(StopAsyncIteration()))
    g = raises(Boom("d"))
    await tell("athrow", g.athrow(StopAsyncIteration()))


async def running():
    future = loop.create_future()
    g = waits(future)
    first = loop.create_task(tell("first", g.__anext__()))
    await asyncio.sleep(0)
    await tell("anext", g.__anext__())
    await tell("asend", g.asend("x"))
    await tell("athrow", g.athrow(Boom("x")))
    await tell("aclose", g.aclose())
    first.cancel("enough")
    await first
    await tell("anext", g.__anext__())


async def reusing():
    g = counts()
    for once in g.__anext__(), g.asend("x"), g.athrow(Boom("x")), g.aclose():
        await tell("once", once)
        await tell("again", once)


for part in values, closing, raising, running, reusing:
    say("- " + part.__name__)
    loop.run_until_complete(part())
loop.close()
