"""Locks, queues, groups and timeouts with asyncio and uvloop; see waits.h for the works."""
import asyncio
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import bench

CHILDREN, LOCKERS, USERS, UNITS, TIMEOUT = 1000, 2, 8, 4, 10
loop = bench.new_loop()


async def share(guard, tasks):
    async def use(times):
        for _ in range(times):
            async with guard:
                await asyncio.sleep(0)

    await asyncio.gather(*(use(bench.count // tasks) for _ in range(tasks)))


async def hand_over():
    queue = asyncio.Queue(1)

    async def put_all():
        for _ in range(bench.count):
            await queue.put(queue)

    async def get_all():
        for _ in range(bench.count):
            await queue.get()

    await asyncio.gather(put_all(), get_all())


async def child():
    await asyncio.sleep(0)


async def group():
    for _ in range(0, bench.count, CHILDREN):
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CHILDREN):
                tasks.create_task(child())


async def gather():
    for _ in range(0, bench.count, CHILDREN):
        await asyncio.gather(*(child() for _ in range(CHILDREN)))


async def limit():
    for _ in range(bench.count):
        async with asyncio.timeout(TIMEOUT):
            pass


def measured(work):
    def run():
        start = bench.work_now()
        loop.run_until_complete(work())
        return (bench.work_now() - start) / bench.count
    return run


bench.main({"lock": measured(lambda: share(asyncio.Lock(), LOCKERS)),
            "semaphore": measured(lambda: share(asyncio.Semaphore(UNITS), USERS)),
            "queue": measured(hand_over), "group": measured(group), "gather": measured(gather),
            "timeout": measured(limit)})
