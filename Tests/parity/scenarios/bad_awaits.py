# oldest: 3.11
# What cannot be yielded or awaited in a task is thrown in there (K-04, K-05).
import asyncio
from parity import new_loop, say, say_error

loop = new_loop()


class Yields:
    def __await__(self):
        yield "text"


async def once():
    say("once")


async def main():
    try:
        await Yields()
    except RuntimeError as error:
        say("bad yield: RuntimeError " + str(int("Task got bad yield" in str(error))))
    coroutine = once()
    await coroutine
    try:
        await coroutine
    except RuntimeError as error:
        say_error("again", error)
    await asyncio.sleep(0)
    say("goes on")


loop.run_until_complete(main())
loop.close()
