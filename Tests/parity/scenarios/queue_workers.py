# oldest: 3.11
# Producers, consumers, a queue that takes two: who gets what in which pass; join.
import asyncio
from parity import say
from told import part, passes, run, tell
import told


async def produce(queue, name, count):
    for i in range(count):
        await queue.put(f"{name}{i}")
        say(f"{told.ticks.count} {name} put {i}, size {queue.qsize()}")


async def consume(queue, name, pause):
    while True:
        item = await queue.get()
        say(f"{told.ticks.count} {name} got {item}, size {queue.qsize()}")
        await passes(pause)
        queue.task_done()


async def main():
    queue = asyncio.Queue(2)
    part("work")
    tell("p done", produce(queue, "p", 4))
    tell("q done", produce(queue, "q", 3))
    tell("join", queue.join())
    await passes(1)
    consumers = [tell("c", consume(queue, "c", 1)), tell("d", consume(queue, "d", 2)),
                 tell("e", consume(queue, "e", 0))]
    await passes(1)
    await queue.join()
    say(f"{told.ticks.count} joined")
    for consumer in consumers:
        consumer.cancel()
    await passes(2)


run(main)
