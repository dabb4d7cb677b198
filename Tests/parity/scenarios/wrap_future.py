# oldest: 3.11
# A thread future on the loop: outcomes come over, cancelling goes back (F-16).
import asyncio
import concurrent.futures
from parity import Boom, new_loop, outcome, say

loop = new_loop()


async def main():
    source = concurrent.futures.Future()
    wrapped = asyncio.wrap_future(source)
    source.set_result("x")
    outcome("not yet", wrapped)
    await wrapped
    outcome("wrapped", wrapped)
    source = concurrent.futures.Future()
    wrapped = asyncio.wrap_future(source)
    source.set_exception(Boom("over"))
    await asyncio.wait([wrapped])
    outcome("wrapped", wrapped)
    source = concurrent.futures.Future()
    wrapped = asyncio.wrap_future(source)
    say(f"cancel: {int(wrapped.cancel())}")
    await asyncio.sleep(0)
    say(f"source cancelled: {int(source.cancelled())}")
    source = concurrent.futures.Future()
    wrapped = asyncio.wrap_future(source)
    source.set_result("kept")
    say(f"cancel: {int(wrapped.cancel())}")
    await asyncio.sleep(0)
    say(f"source cancelled: {int(source.cancelled())}")
    say("source: " + source.result())
    outcome("wrapped", wrapped)


loop.run_until_complete(main())
loop.close()
