# oldest: 3.11
# Getters and putters that are cancelled before and after they were woken.
import asyncio
from parity import say
from told import part, passes, run, tell


async def getters(part_name):
    part(part_name)
    queue = asyncio.Queue()
    tasks = [tell(name, queue.get()) for name in "abc"]
    await passes(1)
    return queue, tasks


async def putters(part_name):
    part(part_name)
    queue = asyncio.Queue(1)
    queue.put_nowait("0")
    tasks = [tell(name, queue.put(name)) for name in "abc"]
    await passes(1)
    return queue, tasks


async def main():
    queue, tasks = await getters("getter cancelled, then put")
    tasks[0].cancel()
    queue.put_nowait("1")
    await passes(3)
    queue, tasks = await getters("put, then getter cancelled")
    queue.put_nowait("1")
    tasks[0].cancel()
    await passes(1)
    tasks[1].cancel()
    await passes(3)
    queue, tasks = await getters("all cancelled")
    queue.put_nowait("1")
    for task in tasks:
        task.cancel()
    await passes(3)
    say(f"size {queue.qsize()}, {queue.get_nowait()}")
    queue, tasks = await putters("putter cancelled, then got")
    tasks[0].cancel()
    say(queue.get_nowait())
    await passes(3)
    say(queue.get_nowait())
    await passes(3)
    queue, tasks = await putters("got, then putter cancelled")
    say(queue.get_nowait())
    tasks[0].cancel()
    await passes(3)
    say(queue.get_nowait())
    queue.put_nowait("pushes in")
    await passes(3)
    say(queue.get_nowait())
    await passes(3)
    say(f"size {queue.qsize()}")


run(main)
