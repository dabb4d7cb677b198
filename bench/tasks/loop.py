"""Coroutines with asyncio and uvloop; see tasks.h for the works."""
import asyncio
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import bench

ALIVE = 1000
loop = bench.new_loop()


async def play(me, other, turns, awaited):
    for _ in range(turns):
        mine = awaited[me] = loop.create_future()
        if awaited[other] is not None:
            awaited[other].set_result(None)
        await mine
    awaited[me] = None
    if awaited[other] is not None:
        awaited[other].set_result(None)


async def await_in_turns():
    awaited = [None, None]
    start = bench.work_now()
    await asyncio.gather(play(0, 1, bench.count // 2, awaited), play(1, 0, bench.count // 2, awaited))
    return (bench.work_now() - start) / bench.count


async def spawn_all():
    running = 0
    batch_done = None

    async def visit():
        nonlocal running
        await asyncio.sleep(0)
        running -= 1
        if running == 0:
            batch_done.set_result(None)

    start = bench.work_now()
    for _ in range(0, bench.count, ALIVE):
        running = ALIVE
        batch_done = loop.create_future()
        tasks = {loop.create_task(visit()) for _ in range(ALIVE)}
        await batch_done
        tasks.clear()
    return (bench.work_now() - start) / bench.count


async def weigh():
    gate = loop.create_future()

    async def sleep_at_gate():
        await gate

    before = bench.resident_bytes()
    tasks = []
    for i in range(bench.count):
        tasks.append(loop.create_task(sleep_at_gate()))
        if i % ALIVE == ALIVE - 1:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    added = bench.resident_bytes() - before
    gate.set_result(None)
    await asyncio.gather(*tasks)
    return added / bench.count


bench.main({"await": lambda: loop.run_until_complete(await_in_turns()),
            "spawn": lambda: loop.run_until_complete(spawn_all()),
            "bytes": lambda: loop.run_until_complete(weigh())})
