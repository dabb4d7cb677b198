# oldest: 3.13
# timeout(): too late, in time, no time at all, swallowed, another error, states (TO-01 to TO-05, TO-10).
import asyncio
from parity import Boom, attempt, new_loop, say, say_error

loop = new_loop()


async def part(label, delay, body):
    task = asyncio.current_task()
    limit = asyncio.timeout(delay)
    try:
        async with limit:
            await body()
    except (TimeoutError, Boom) as error:
        say_error(label, error)
        say("cause: " + type(error.__cause__).__name__)
    else:
        say(label + ": no error")
    await asyncio.sleep(0)
    say(f"expired: {limit.expired()}, cancelling: {task.cancelling()}")


async def nothing():
    pass


async def waits():
    await loop.create_future()


async def yields():
    await asyncio.sleep(0)


async def swallows():
    try:
        await loop.create_future()
    except asyncio.CancelledError:
        say("swallowed")


async def fails():
    raise Boom("own")


async def fails_late():
    try:
        await loop.create_future()
    except asyncio.CancelledError:
        raise Boom("instead")


async def states():
    limit = asyncio.timeout(60)
    attempt("reschedule before", limit.reschedule, 1)
    async with limit:
        attempt("reschedule", limit.reschedule, None)
        say("when: " + str(limit.when()))
        limit.reschedule(loop.time() + 60)
    attempt("reschedule after", limit.reschedule, 1)
    try:
        await limit.__aenter__()
    except RuntimeError as error:
        say("enter twice: RuntimeError")
    try:
        async with asyncio.timeout(60) as limit:
            limit.reschedule(loop.time() - 1)
            await loop.create_future()
    except TimeoutError:
        say("rescheduled into the past")
    limit = asyncio.timeout(0)
    try:
        async with limit:
            try:
                await loop.create_future()
            finally:
                say("expiring: " + str(limit.expired()))
                attempt("reschedule", limit.reschedule, 1)
    except TimeoutError:
        attempt("reschedule expired", limit.reschedule, 1)


async def main():
    await part("too late", 0.001, waits)
    await part("in time", 60, yields)
    await part("no limit", None, yields)
    await part("no time, a yield", 0, yields)
    await part("no time, no await", 0, nothing)
    await part("negative", -1, waits)
    await part("swallows", 0.001, swallows)
    await part("fails", 60, fails)
    await part("fails late", 0.001, fails_late)
    await states()


loop.run_until_complete(main())
loop.close()
