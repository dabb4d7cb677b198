# oldest: 3.11
# Cancelling the future of a job that waits, and of one that runs.
import asyncio
import concurrent.futures
import threading
from parity import new_loop, outcome, say

loop = new_loop()
begun, go_on = threading.Event(), threading.Event()


def waits():
    begun.set()
    go_on.wait()
    say("the first goes on")


def never():
    say("never")


def last():
    say("the last runs")
    return "last"


async def main():
    pool = concurrent.futures.ThreadPoolExecutor(1)
    running = loop.run_in_executor(pool, waits)
    begun.wait()
    queued = loop.run_in_executor(pool, never)
    third = loop.run_in_executor(pool, last)
    say("queued: " + str(queued.cancel()) + " again: " + str(queued.cancel()))
    say("running: " + str(running.cancel()))
    for _ in range(3):
        await asyncio.sleep(0)
    outcome("queued", queued)
    outcome("running", running)
    go_on.set()
    say(await third)
    pool.shutdown()


loop.run_until_complete(main())
loop.close()
