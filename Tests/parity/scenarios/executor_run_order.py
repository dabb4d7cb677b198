# oldest: 3.11
# The end of a run: what is left is cancelled, generators are closed, the default executor's jobs
# are waited for, the loop is closed.
import asyncio
import threading
from parity import say

go_on = threading.Event()


def job():
    go_on.wait()
    say("exec done")


async def background():
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        say("bg cancelled")


async def numbers():
    try:
        yield 1
    finally:
        say("agen closed")
        go_on.set()


async def main():
    loop = asyncio.get_running_loop()
    tasks.append(loop.create_task(background()))
    loop.run_in_executor(None, job)
    await asyncio.sleep(0)
    generators.append(numbers())
    await anext(generators[0])
    say("main done")


tasks = []
generators = []
asyncio.run(main())
say("closed")
