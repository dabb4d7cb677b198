"""What the Python contestants need: bench.h for asyncio and uvloop.

Called as PROGRAM WORK COUNT LOOP, where LOOP is asyncio or uvloop; prints a single number.
"""
import os
import sys
import time

now = time.perf_counter_ns
work_now = time.process_time_ns  # see bench_work_now()
work, count, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def new_loop():
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    import asyncio

    return asyncio.new_event_loop()


def report(value):
    print(f"{value:.3f}")


def resident_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


ALLOWED = sorted(os.sched_getaffinity(0))


def pin(number):
    """Keep the calling thread on one processor; see bench_pin()."""
    os.sched_setaffinity(0, {ALLOWED[number % len(ALLOWED)]})


def main(works):
    if work not in works:
        sys.exit(f"{sys.argv[0]} does not do {work}")
    report(works[work]())
