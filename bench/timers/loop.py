"""Timers with asyncio and uvloop; see timers.h for the works.

Neither can move a timer: it is cancelled and another one started. asyncio sweeps cancelled timers
out between passes only, so the moves come in pieces of 1,000 with a pass after each.
"""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import bench

STANDING = 100_000
FIRE_WITHIN = 0.2
PIECE = 1000
loop = bench.new_loop()
left = 0


def run(fn):
    """Call fn from inside the loop; return how long that took."""
    took = 0

    def call():
        nonlocal took
        start = bench.work_now()
        fn()
        took = bench.work_now() - start
        loop.stop()

    loop.call_soon(call)
    loop.run_forever()
    return took


def fired():
    global left
    left -= 1
    if left == 0:
        loop.stop()


def cancel():
    delays = [random.uniform(1, 1000) for _ in range(bench.count)]

    def start_and_cancel():
        handles = [loop.call_later(delay, fired) for delay in delays]
        for handle in handles:
            handle.cancel()

    run(start_and_cancel)
    run(lambda: None)
    # with the pass in which asyncio sweeps the cancelled ones out
    return (run(start_and_cancel) + run_pass()) / bench.count


def run_pass():
    start = bench.work_now()
    run(lambda: None)
    return bench.work_now() - start


def start_and_fire(delays):
    global left
    left = len(delays)

    def start_all():
        for delay in delays:
            loop.call_later(delay, fired)

    start = bench.work_now()
    run(start_all)
    first_part = bench.work_now() - start
    bench.time.sleep(FIRE_WITHIN + 0.002)
    start = bench.work_now()
    if left > 0:
        loop.run_forever()
    return first_part + bench.work_now() - start


def fire():
    delays = [random.uniform(0, FIRE_WITHIN) for _ in range(bench.count)]
    start_and_fire(delays)
    return start_and_fire(delays) / bench.count


def rearm():
    others = []
    delays = [random.uniform(1, 1000) for _ in range(PIECE)]
    handle = None

    def stand():
        others.extend(loop.call_later(random.uniform(1, 1000), fired) for _ in range(STANDING))

    def move():
        nonlocal handle
        for delay in delays:
            handle.cancel()
            handle = loop.call_later(delay, fired)

    run(stand)
    handle = others[0]
    run(move)
    start = bench.work_now()
    for _ in range(0, bench.count, PIECE):
        run(move)
    return (bench.work_now() - start) / bench.count


bench.main({"cancel": cancel, "fire": fire, "rearm": rearm})
