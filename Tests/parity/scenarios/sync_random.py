# oldest: 3.13
# Everything of locks and queues at random: who gets what in which pass, with cancellations at any time.
import asyncio
import sys
from parity import Ticks, new_loop, say

loop = new_loop()
seed = 0
SEEDS = int(sys.argv[1]) if len(sys.argv) > 1 else 30


def choose(count):
    global seed
    seed = (seed * 1664525 + 1013904223) % (1 << 32)
    return (seed >> 16) % count


async def passes(count):
    for _ in range(count):
        await asyncio.sleep(0)


class World:
    def __init__(self):
        self.lock, self.event, self.semaphore = asyncio.Lock(), asyncio.Event(), asyncio.Semaphore(2)
        self.condition, self.barrier, self.queue = asyncio.Condition(self.lock), asyncio.Barrier(3), asyncio.Queue(2)
        self.words, self.tasks, self.ticks = [], [], Ticks(loop)

    def log(self, word):
        self.words.append(f"{self.ticks.count}:{word}")

    async def holds(self, thing, name, pause):
        await thing.acquire()
        try:
            self.log(name + "+")
            await passes(pause)
        finally:
            thing.release()

    async def waits(self, name, pause):
        async with self.condition:
            await self.condition.wait()
            self.log(f"{name}+{int(self.lock.locked())}")
            await passes(pause)

    async def notifies(self, count):
        async with self.condition:
            self.condition.notify(count)

    async def gets(self, name, pause):
        self.log(f"{name}<{await self.queue.get()}")
        await passes(pause)
        self.queue.task_done()

    async def meets(self, name):
        self.log(f"{name}={await self.barrier.wait()}")

    def work(self, kind, name, number, pause):
        if kind == 0:
            return self.holds(self.lock, name, pause)
        if kind == 1:
            return self.holds(self.semaphore, name, pause)
        if kind == 2:
            return self.event.wait()
        if kind == 3:
            return self.waits(name, pause)
        if kind == 4:
            return self.notifies(1 + pause)
        if kind == 5:
            return self.queue.put(number)
        if kind == 6:
            return self.gets(name, pause)
        if kind == 7:
            return self.meets(name)
        if kind == 8:
            return self.queue.join()
        return self.barrier.reset() if pause else self.barrier.abort()

    async def worker(self, kind, number, pause):
        name = "abcdefghij"[kind] + str(number)
        try:
            await self.work(kind, name, number, pause)
            self.log(name + ".")
        except asyncio.CancelledError as error:
            self.log(f"{name}~{error}")
        except Exception as error:
            self.log(name + "!" + {"QueueShutDown": "S", "BrokenBarrierError": "B"}.get(type(error).__name__, "V"))

    def nowait(self, number):
        try:
            if number % 2:
                self.queue.put_nowait(number)
            else:
                self.log(f"<{self.queue.get_nowait()}")
        except Exception as error:
            self.log("!" + {"QueueShutDown": "S", "QueueFull": "F"}.get(type(error).__name__, "E"))

    def act(self, what, number):
        if what < 5:
            kind, pause = choose(10), choose(3)
            self.tasks.append(loop.create_task(self.worker(kind, number, pause)))
        elif what < 7 and self.tasks:
            self.tasks[choose(len(self.tasks))].cancel(f"m{number}")
        elif what == 7:
            self.nowait(number)
        elif what == 8:
            if choose(2):
                self.event.set()
            else:
                self.event.clear()
        elif what == 9 and choose(8) == 0:
            self.queue.shutdown(immediate=choose(2) == 1)

    async def live(self):
        for number in range(1, 80):
            what = choose(14)
            if what >= 10:
                await passes(1)
            else:
                self.act(what, number)
        await passes(5)
        self.log("end")
        for task in self.tasks:
            task.cancel("end")
        await passes(60)
        self.ticks.stop()
        left = sum(not task.done() for task in self.tasks)
        self.words.append(f"left {left}, locked {int(self.lock.locked())}, size {self.queue.qsize()}, "
                          f"waiting {self.barrier.n_waiting}, value {int(self.semaphore.locked())}")


async def main():
    global seed
    for number in range(SEEDS):
        seed = number
        world = World()
        await world.live()
        say(f"seed {number}: " + " ".join(world.words))
        await passes(1)


loop.run_until_complete(main())
loop.close()
