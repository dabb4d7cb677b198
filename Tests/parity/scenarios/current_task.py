# oldest: 3.11
# current_task: the one that is stepped, none in a callback, an error without a loop (K-09, K-10).
import asyncio
from parity import attempt, new_loop, say

loop = new_loop()
tasks = []


async def worker():
    me = len(tasks)
    tasks.append(asyncio.current_task())
    for _ in range(2):
        await asyncio.sleep(0)
        say(f"worker {me} is itself: {int(asyncio.current_task() is tasks[me])}")


def callback():
    say(f"in a callback: {asyncio.current_task()}")


async def main():
    children = [loop.create_task(worker()) for _ in range(3)]
    say(f"all: {len(asyncio.all_tasks())}")
    loop.call_soon(callback)
    for child in children:
        await child
    say(f"all: {len(asyncio.all_tasks())}")


attempt("outside", asyncio.current_task)
loop.run_until_complete(main())
say(f"all: {len(asyncio.all_tasks(loop))}")
say(f"of a loop that rests: {asyncio.current_task(loop)}")
loop.close()
