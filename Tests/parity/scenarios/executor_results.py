# oldest: 3.11
# run_in_executor: results, exceptions, the worker's name, and the order with what a job posts.
import asyncio
import threading
from parity import Boom, attempt, new_loop, outcome, say

loop = new_loop()


def returns():
    return "from " + threading.current_thread().name[:8]


def raises():
    raise Boom("in the job")


def second():
    say("called by that")


def first():
    say("posted by the job")
    loop.call_soon(second)


def posts():
    loop.call_soon_threadsafe(first)
    return "returned"


async def main():
    say(await loop.run_in_executor(None, returns))
    try:
        await loop.run_in_executor(None, raises)
    except Boom as error:
        say("raised " + str(error))
    say(await loop.run_in_executor(None, posts))
    future = loop.run_in_executor(None, raises)
    future.add_done_callback(lambda future: outcome("callback", future))
    await asyncio.wait([future])
    outcome("waited", future)
    await loop.shutdown_default_executor()


loop.run_until_complete(main())
loop.close()
attempt("closed", loop.run_in_executor, None, returns)
