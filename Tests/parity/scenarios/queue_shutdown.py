# oldest: 3.13
# Queue.shutdown(): getters, putters, join; at once and not.
import asyncio
from parity import say
from told import part, passes, run, tell


def attempt(label, function, *args):
    try:
        value = function(*args)
    except Exception as error:
        say(f"{label}: {type(error).__name__}")
    else:
        say(f"{label}: {'ok' if value is None else value}")


async def main():
    part("empty")
    queue = asyncio.Queue()
    for name in "ab":
        tell(name, queue.get())
    await passes(1)
    queue.shutdown()
    await passes(2)
    tell("join", queue.join())
    tell("get", queue.get())
    tell("put", queue.put("x"))
    attempt("get", queue.get_nowait)
    attempt("put", queue.put_nowait, "x")
    await passes(2)
    part("one item for three")
    queue = asyncio.Queue()
    for name in "abc":
        tell(name, queue.get())
    await passes(1)
    queue.put_nowait("1")
    queue.shutdown()
    await passes(3)
    tell("join", queue.join())
    await passes(1)
    queue.task_done()
    await passes(2)
    part("full")
    queue = asyncio.Queue(1)
    queue.put_nowait("0")
    for name in "ab":
        tell(name, queue.put(name))
    tell("join", queue.join())
    await passes(1)
    queue.shutdown()
    await passes(2)
    attempt("get", queue.get_nowait)
    attempt("get", queue.get_nowait)
    queue.task_done()
    await passes(2)
    part("twice, the second time at once")
    queue = asyncio.Queue()
    for item in "123":
        queue.put_nowait(item)
    tell("join", queue.join())
    await passes(1)
    queue.shutdown()
    attempt("get", queue.get_nowait)
    queue.shutdown(immediate=True)
    attempt("get", queue.get_nowait)
    await passes(2)
    queue.task_done()
    await passes(2)
    say(f"size {queue.qsize()}")


run(main)
