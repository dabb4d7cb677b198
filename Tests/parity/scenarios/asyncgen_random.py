# oldest: 3.13
# Asynchronous generators at random: who asks them what in which pass, cancelled and dropped at any time.
import asyncio
import gc
import sys
from parity import Boom, Ticks, error_text, new_loop, say

gc.disable()  # what is dropped goes at once, or with the process
loop = new_loop()
seed = 0
SEEDS = int(sys.argv[1]) if len(sys.argv) > 1 else 40


def choose(count):
    global seed
    seed = (seed * 1664525 + 1013904223) % (1 << 32)
    return (seed >> 16) % count


class Dice:
    """A generator's own: what it does depends on how often it was asked alone."""

    def __init__(self, seed):
        self.seed = seed

    def choose(self, count):
        self.seed = (self.seed * 1664525 + 1013904223) % (1 << 32)
        return (self.seed >> 16) % count


class World:
    def __init__(self):
        self.words = []
        # A traceback keeps frames, and so what they hold; so everything is held for longer than that.
        self.generators, self.tasks, self.inners = [], [], []

    def log(self, word):
        self.words.append(f"{self.ticks.count}:{word}")

    async def body(self, name, dice, inner):
        count = 0
        self.log(name + "(")
        while True:
            what = dice.choose(12)
            if what == 0:
                return
            if what == 1:
                raise [Boom("own"), StopAsyncIteration(), StopIteration(), Boom("own")][dice.choose(4)]
            try:
                if what < 7:
                    count += 1
                    got = yield count
                    if got is not None:
                        self.log(f"{name}<{got}")
                elif what < 9 and inner is not None:
                    self.log(f"{name}={await inner.__anext__()}")
                else:
                    await asyncio.sleep(0)
            except BaseException as error:
                self.log(name + "!" + type(error).__name__)
                how = dice.choose(8)
                if how == 0:
                    continue
                if how == 1:
                    return
                if how == 2:
                    raise Boom("handling")
                if how < 6:
                    await asyncio.sleep(0)
                    self.log(name + ")")
                raise

    def operation(self, generator, number):
        what = choose(8)
        if what < 3:
            return generator.__anext__()
        if what < 5:
            return generator.asend(number if what == 3 else None)
        if what < 7:
            return generator.athrow(Boom("thrown"))
        return generator.aclose()

    async def worker(self, name, operation):
        try:
            self.log(f"{name}={await operation}")
        except asyncio.CancelledError as error:
            self.log(f"{name}~{error}")
        except BaseException as error:
            self.log(f"{name}!{error_text(error)}")

    def done(self, name, task):
        self.tasks.remove(task)
        if task.cancelled():
            self.log(f"{name}~")
        elif task.exception() is not None:
            self.log(f"{name}!{error_text(task.exception())}")
        else:
            self.log(f"{name}={task.result()}")

    def make(self, number):
        inner = choose(3)
        inner = self.generators[choose(len(self.generators))] if inner == 0 and self.generators else None
        self.inners.append(inner)
        self.generators.append(self.body(f"g{number}", Dice(number * 77 + choose(1000)), inner))

    def ask(self, number):
        operation = self.operation(self.generators[choose(len(self.generators))], number)
        if choose(2):
            task = loop.create_task(self.worker(f"w{number}", operation))
            task.add_done_callback(lambda task, held=operation: self.tasks.remove(task))
        else:
            task = loop.create_task(operation)
            task.add_done_callback(lambda task: self.done(f"t{number}", task))
        self.tasks.append(task)

    def act(self, what, number):
        if what < 2:
            self.make(number)
        elif what < 7 and self.generators:
            self.ask(number)
        elif what == 7 and self.tasks:
            self.tasks[choose(len(self.tasks))].cancel(f"m{number}")
        elif what == 8 and self.generators:
            del self.generators[choose(len(self.generators))]

    async def live(self):
        self.ticks = Ticks(loop)
        for number in range(1, 60):
            what = choose(13)
            if what >= 9:
                await asyncio.sleep(0)
            else:
                self.act(what, number)
        for _ in range(20):
            await asyncio.sleep(0)
        say(" ".join(self.words))
        self.words = []
        self.log("shutdown")
        await loop.shutdown_asyncgens()
        for _ in range(10):
            await asyncio.sleep(0)
        self.ticks.stop()
        # CPython closes them in no order.
        say(" ".join(sorted(self.words)))


def quiet(loop, context):
    if "asyncgen" in context:
        world.log("closing!" + error_text(context["exception"]))
    else:
        world.log("report!" + error_text(context["exception"]))


loop.set_exception_handler(quiet)
for round in range(SEEDS):
    seed = round
    say(f"seed {round}")
    world = World()
    loop._asyncgens_shutdown_called = False
    loop.run_until_complete(world.live())
    loop.run_until_complete(asyncio.sleep(0))
