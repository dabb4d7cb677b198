# oldest: 3.11
# Calls from a thread run in order; coroutines from a thread give their outcome back (X).
import asyncio
import concurrent.futures
import threading
from parity import Boom, new_loop, say

loop = new_loop()


async def returns():
    await asyncio.sleep(0)
    return "value"


async def raises():
    await asyncio.sleep(0)
    raise Boom("from the task")


async def blocks():
    try:
        await loop.create_future()
    except asyncio.CancelledError:
        say("task cancelled")
        loop.call_soon(loop.stop)
        raise


async def cancels_itself():
    raise asyncio.CancelledError


def thread():
    for n in range(5):
        loop.call_soon_threadsafe(say, f"call {n}")
    future = asyncio.run_coroutine_threadsafe(returns(), loop)
    results.append("result " + future.result())
    future = asyncio.run_coroutine_threadsafe(raises(), loop)
    results.append("raised " + str(future.exception()))
    future = asyncio.run_coroutine_threadsafe(cancels_itself(), loop)
    try:
        future.result()
    except concurrent.futures.CancelledError:
        results.append("cancelled")
    started = threading.Event()
    future = asyncio.run_coroutine_threadsafe(blocks(), loop)
    loop.call_soon_threadsafe(loop.call_soon, started.set)
    started.wait()
    results.append(f"cancel {int(future.cancel())}")
    results.append(f"cancelled {int(future.cancelled())}")


results = []
worker = threading.Thread(target=thread)
worker.start()
loop.run_forever()
worker.join()
for line in results:
    say(line)
loop.close()
