# oldest: 3.11
# Queue, PriorityQueue, LifoQueue without waiting: order, full, empty, task_done.
import asyncio
from parity import say
from told import part, run


def attempt(label, function, *args):
    try:
        value = function(*args)
    except Exception as error:
        say(f"{label}: {type(error).__name__}")
    else:
        say(f"{label}: {'ok' if value is None else value}")


async def main():
    for kind in asyncio.Queue, asyncio.LifoQueue, asyncio.PriorityQueue:
        part(kind.__name__)
        queue = kind(4)
        attempt("get", queue.get_nowait)
        for item in "5a", "1b", "4c", "0d", "9e":
            attempt("put " + item, queue.put_nowait, item)
        say(f"size {queue.qsize()} of {queue.maxsize}, full {int(queue.full())}, empty {int(queue.empty())}")
        attempt("get", queue.get_nowait)
        attempt("get", queue.get_nowait)
        attempt("put 3f", queue.put_nowait, "3f")
        for _ in range(4):
            attempt("get", queue.get_nowait)
        for _ in range(6):
            try:
                queue.task_done()
                say("done")
            except ValueError:
                say("done too often")
    part("no limit")
    queue = asyncio.Queue(-1)
    for _ in range(100):
        queue.put_nowait("x")
    say(f"size {queue.qsize()} of {queue.maxsize}, full {int(queue.full())}")


run(main)
