# oldest: 3.11
# The end of a run: what is left is cancelled, then the default executor's jobs are waited for.
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
        go_on.set()


async def main():
    loop = asyncio.get_running_loop()
    tasks.append(loop.create_task(background()))
    loop.run_in_executor(None, job)
    await asyncio.sleep(0)
    say("main done")


tasks = []
asyncio.run(main())
say("closed")
