# oldest: 3.13
# aclosing() around async for: what is closed when, and what leaves, and in what order.
import asyncio
from contextlib import aclosing
from parity import Boom, new_loop, say, say_error

loop = new_loop()


async def body(name, count, fails):
    try:
        for i in range(3):
            yield i
    finally:
        say(name + " ends")
        for _ in range(count):
            await asyncio.sleep(0)
        if fails:
            raise Boom(name + " fails")
        say(name + " ended")


async def use(how, fails):
    async with aclosing(body("outer", 1, fails)) as outer:
        async for a in outer:
            async with aclosing(body("inner", 2, False)) as inner:
                async for b in inner:
                    say(f"{a} {b}")
                    if how == "break":
                        break
                    if how == "raise":
                        raise Boom("use")
                    if how == "sleep":
                        await asyncio.sleep(3600)
            if how != "all":
                break
    say("after")


async def tell(how, fails, cancels=False):
    say(f"- {how}, {fails}")
    task = loop.create_task(use(how, fails))
    if cancels:
        await asyncio.sleep(0)
        task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        say("CancelledError")
    except BaseException as error:
        say_error("raised", error)


async def main():
    for how in "all", "break", "raise":
        for fails in False, True:
            await tell(how, fails)
    await tell("sleep", False, True)
    await tell("sleep", True, True)


loop.run_until_complete(main())
loop.close()
