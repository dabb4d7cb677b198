"""Jobs with asyncio and uvloop: run_in_executor with a pool of four; see executor.h for the works."""
import concurrent.futures
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import bench

WORKERS = 4
BATCH = 1000


def job():
    pass


def go_once(loop, pool, count, batch):
    left, waiting = count, 0

    def done(_):
        nonlocal waiting
        waiting -= 1
        if waiting > 0:
            return
        if left > 0:
            next_batch()
        else:
            loop.stop()

    def next_batch():
        nonlocal left, waiting
        waiting = min(left, batch)
        left -= waiting
        for _ in range(waiting):
            loop.run_in_executor(pool, job).add_done_callback(done)

    start = bench.now()
    next_batch()
    loop.run_forever()
    return bench.now() - start


def jobs(batch):
    loop = bench.new_loop()
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        go_once(loop, pool, bench.count // 10 + 1, batch)
        return go_once(loop, pool, bench.count, batch) / bench.count


bench.main({"jobs": lambda: jobs(BATCH), "single": lambda: jobs(1)})
