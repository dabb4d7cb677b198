# oldest: 3.11
# wait_for: no time at all, a limit that passes, one that does not (G-28, G-31, G-35).
import asyncio
from parity import Boom, new_loop, outcome, say, say_error

loop = new_loop()


async def body():
    say("never starts")


async def stubborn():
    try:
        await loop.create_future()
    except asyncio.CancelledError:
        raise Boom("while cancelled")


async def try_it(label, awaitable, timeout):
    try:
        say(label + ": " + await asyncio.wait_for(awaitable, timeout))
    except (TimeoutError, Boom) as error:
        say(label + ": " + type(error).__name__)


async def main():
    await try_it("coroutine, 0", body(), 0)
    await try_it("coroutine, negative", body(), -1)
    done = loop.create_future()
    done.set_result("done")
    await try_it("done, 0", done, 0)
    pending = loop.create_future()
    await try_it("pending, 0", pending, 0)
    outcome("pending", pending)
    inner = loop.create_future()
    await try_it("shield, 0", asyncio.shield(inner), 0)
    outcome("inside the shield", inner)
    pending = loop.create_future()
    await try_it("pending, 1 ms", pending, 0.001)
    outcome("pending", pending)
    await try_it("stubborn, 1 ms", stubborn(), 0.001)
    await try_it("sleep, no limit", asyncio.sleep(0.001, "slept"), None)
    await try_it("sleep, enough", asyncio.sleep(0, "slept"), 60)


loop.run_until_complete(main())
loop.close()
