# oldest: 3.12
# Shutting executors down: what still runs, what is refused, and the default one's warning.
import asyncio
import concurrent.futures
import threading
import warnings
from parity import attempt, new_loop, outcome, say

loop = new_loop()
begun, go_on = threading.Event(), threading.Event()


def waits():
    begun.set()
    go_on.wait()


def job(name):
    say("runs: " + name)


async def cancels():
    pool = concurrent.futures.ThreadPoolExecutor(1)
    running = loop.run_in_executor(pool, waits)
    begun.wait()
    queued = [loop.run_in_executor(pool, job, "cancelled") for _ in range(2)]
    pool.shutdown(wait=False, cancel_futures=True)
    attempt("submit after shutdown", loop.run_in_executor, pool, job, "refused")
    go_on.set()
    await asyncio.wait([running, *queued])
    outcome("running", running)
    for future in queued:
        outcome("queued", future)
    pool.shutdown()


async def main():
    await cancels()
    attempt("set a wrong one", loop.set_default_executor, object())
    begun.clear()
    go_on.clear()
    hanging = loop.run_in_executor(None, waits)
    begun.wait()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await loop.shutdown_default_executor(0.05)
    say(str(caught[0].message))
    outcome("hanging", hanging)
    attempt("after that", loop.run_in_executor, None, job, "refused")
    go_on.set()
    await hanging
    outcome("hanging", hanging)
    await loop.shutdown_default_executor()
    say("twice is fine")


loop.run_until_complete(main())
loop.close()
