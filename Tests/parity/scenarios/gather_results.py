# oldest: 3.11
# gather: argument order, duplicates, the first failure, failures as results (G-01, G-07).
import asyncio
from parity import Boom, new_loop, outcome, say, say_error

loop = new_loop()


async def main():
    a, b, c = (loop.create_future() for _ in range(3))
    group = asyncio.gather(a, b, c, b)
    b.set_result("b")
    a.set_result("a")
    await asyncio.sleep(0)
    outcome("two of three", group)
    c.set_result("c")
    say(" ".join(await group))
    a, b = loop.create_future(), loop.create_future()
    group = asyncio.gather(a, b)
    b.set_exception(Boom("first"))
    try:
        await group
    except Boom as error:
        say_error("caught", error)
    outcome("a", a)
    a.set_result("late")
    a, b, c = (loop.create_future() for _ in range(3))
    group = asyncio.gather(a, b, c, return_exceptions=True)
    a.set_exception(Boom("one"))
    b.cancel()
    c.set_result("three")
    results = await group
    say_error("0", results[0])
    say_error("1", results[1])
    say("2: " + results[2])
    a, b = loop.create_future(), loop.create_future()
    group = asyncio.gather(a, b)
    a.cancel()
    try:
        await group
    except asyncio.CancelledError as error:
        say_error("child cancelled", error)
    outcome("b", b)


loop.run_until_complete(main())
loop.close()
