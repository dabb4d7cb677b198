"""call_soon with asyncio and uvloop; see calls.h for the works."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import bench

BATCH = 1000
loop = bench.new_loop()
left = 0


def nothing():
    pass


def refill():
    global left
    if left <= 0:
        loop.stop()
        return
    left -= BATCH
    for _ in range(BATCH - 1):
        loop.call_soon(nothing)
    loop.call_soon(refill)


def follow():
    global left
    left -= 1
    if left > 0:
        loop.call_soon(follow)
    else:
        loop.stop()


def measure(first):
    global left
    for count in (bench.count // 10 + BATCH, bench.count):
        left = count
        start = bench.work_now()
        loop.call_soon(first)
        loop.run_forever()
    return (bench.work_now() - start) / bench.count


bench.main({"batch": lambda: measure(refill), "chain": lambda: measure(follow)})
