"""Posting with asyncio and uvloop: call_soon_threadsafe; see threads.h for the works."""
import os
import statistics
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import bench


def post_once(loop, producers, count):
    left = count // producers * producers
    start_line = threading.Barrier(producers + 1)

    def one_less():
        nonlocal left
        left -= 1
        if left == 0:
            loop.stop()

    def produce():
        start_line.wait()
        for _ in range(count // producers):
            loop.call_soon_threadsafe(one_less)

    threads = [threading.Thread(target=produce) for _ in range(producers)]
    for thread in threads:
        thread.start()
    start_line.wait()
    start = bench.now()
    loop.run_forever()
    took = bench.now() - start
    for thread in threads:
        thread.join()
    return took


def posts(producers):
    loop = bench.new_loop()
    post_once(loop, producers, bench.count // 10 + producers)
    return post_once(loop, producers, bench.count) / bench.count


def ping_pong(processor_there):
    samples = []
    start = 0
    here, there = bench.new_loop(), bench.new_loop()

    def serve():
        nonlocal start
        start = bench.now()
        there.call_soon_threadsafe(ping)

    def ping():
        here.call_soon_threadsafe(pong)

    def pong():
        samples.append(bench.now() - start)
        if len(samples) < bench.count:
            serve()
        else:
            there.call_soon_threadsafe(there.stop)
            here.stop()

    def run_there():
        bench.pin(processor_there)
        there.run_forever()

    bench.pin(0)
    thread = threading.Thread(target=run_there)
    thread.start()
    here.call_soon(serve)
    here.run_forever()
    thread.join()
    return statistics.median(samples)


bench.main({"posts1": lambda: posts(1), "posts2": lambda: posts(2),
            "pingpong": lambda: ping_pong(1), "pingpong1": lambda: ping_pong(0)})
