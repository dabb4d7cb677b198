"""Tasks that wait for futures and for each other in ways drawn by lot; walk.h does the same in C."""
import asyncio
from parity import Boom, Ticks, new_loop

FUTURES, MOST = 5, 60
seed = 0


def choose(count):
    global seed
    seed = (seed * 1664525 + 1013904223) % (1 << 32)
    return (seed >> 16) % count


class World:
    def __init__(self, loop):
        self.loop, self.words, self.tasks, self.ticks = loop, [], [], Ticks(loop)
        self.futures = [loop.create_future() for _ in range(FUTURES)]

    def log(self, word):
        self.words.append(f"{self.ticks.count}:{word}")

    async def waits(self, kind, things):
        if kind == "a":
            return await things[0]
        if kind == "x":
            try:
                return await things[0]
            except asyncio.CancelledError:
                self.log("x")
                return await things[1]
        if kind == "g":
            return sum(await asyncio.gather(*things))
        if kind == "G":
            return sum(r if isinstance(r, int) else 1000 if isinstance(r, asyncio.CancelledError) else 100
                       for r in await asyncio.gather(*things, return_exceptions=True))
        if kind == "s":
            return await asyncio.shield(things[0])
        if kind == "S":
            return sum(await asyncio.shield(asyncio.gather(*things)))
        if kind == "c":
            total = 0
            for next_one in asyncio.as_completed(things):
                value = await next_one
                self.log(f"<{value}")
                total = total * 2 + value
            return total % 100000
        how = {"w": asyncio.ALL_COMPLETED, "f": asyncio.FIRST_COMPLETED, "e": asyncio.FIRST_EXCEPTION}[kind]
        done, _ = await asyncio.wait(things, return_when=how)
        return len(done)

    async def worker(self, name, kind, things):
        # What is done already is another matter: CPython 3.11 gathers it a pass later than 3.12, and
        # as_completed() takes it in the order of a set.
        things = [thing for thing in things if not thing.done()]
        if len(things) < (2 if kind == "x" else 1):
            return self.log(f"{name}-") or 0
        try:
            value = await self.waits(kind, things)
        except asyncio.CancelledError:
            # Without its message: CPython gives that to the first of several who await a task.
            self.log(f"{name}~")
            raise
        except Boom as error:
            self.log(f"{name}!{error}")
            raise
        self.log(f"{name}={value}")
        return value % 100000

    def start(self, kinds, number):
        kind, count, things = kinds[choose(len(kinds))], 1 + choose(3), []
        for _ in range(max(2, count) if kind == "x" else count):
            pick = choose(FUTURES + len(self.tasks))
            things.append(self.futures[pick] if pick < FUTURES else self.tasks[pick - FUTURES])
        self.tasks.append(self.loop.create_task(self.worker(f"{kind}{number}", kind, things)))

    def complete(self, number):
        at, how = choose(FUTURES), choose(6)
        future = self.futures[at]
        if future.done():
            self.futures[at] = self.loop.create_future()
        elif how < 4:
            future.set_result(number)
        elif how == 4:
            future.set_exception(Boom(f"e{number}"))
        else:
            future.cancel()

    def act(self, kinds, what, number):
        if what < 4:
            self.start(kinds, number)
        elif what < 7:
            self.complete(number)
        elif self.tasks:
            self.tasks[choose(len(self.tasks))].cancel(f"m{number}")


async def passes(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def round_of(loop, kinds, number_of_round):
    global seed
    seed = number_of_round
    world = World(loop)
    for number in range(1, MOST):
        what = choose(12)
        if what < 8:
            world.act(kinds, what, number)
        else:
            await asyncio.sleep(0)
    await passes(3)
    world.log("end")
    for future in world.futures:
        if not future.done():
            future.set_result(7)
    await passes(4)
    for task in world.tasks:
        task.cancel("end")
    await passes(40)
    world.ticks.stop()
    left = sum(not task.done() for task in world.tasks)
    for thing in world.tasks + world.futures:
        thing.done() and not thing.cancelled() and thing.exception()
    print(f"{number_of_round}: {' '.join(world.words)} left {left}", flush=True)
    await passes(1)


def walk(kinds, rounds=40):
    loop = new_loop()
    loop.set_exception_handler(lambda loop, context: None)

    async def main():
        for number_of_round in range(rounds):
            await round_of(loop, kinds, number_of_round)

    loop.run_until_complete(main())
    loop.close()
