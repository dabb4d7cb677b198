# oldest: 3.13
# Barrier: numbers and order of leaving, cancelled, reset, aborted (S-22, S-24, S-25, S-27).
import asyncio
from parity import say
from told import part, passes, run, tell


def state(barrier):
    say(f"waiting {barrier.n_waiting}, broken {int(barrier.broken)}")


async def main():
    barrier = asyncio.Barrier(3)
    part("twice")
    for name in "abc":
        tell(name, barrier.wait())
    await passes(1)
    state(barrier)
    for name in "def":
        tell(name, barrier.wait())
    await passes(6)
    part("cancelled while it fills")
    task = tell("a", barrier.wait())
    tell("b", barrier.wait())
    await passes(2)
    state(barrier)
    task.cancel()
    await passes(2)
    state(barrier)
    for name in "cd":
        tell(name, barrier.wait())
    await passes(5)
    part("cancelled while it drains")
    tasks = [tell(name, barrier.wait()) for name in "abc"]
    await passes(1)
    tasks[0].cancel()
    await passes(5)
    state(barrier)
    part("reset")
    for name in "ab":
        tell(name, barrier.wait())
    await passes(1)
    await barrier.reset()
    state(barrier)
    for name in "cde":
        tell(name, barrier.wait())
    await passes(6)
    part("aborted")
    for name in "ab":
        tell(name, barrier.wait())
    await passes(1)
    await barrier.abort()
    state(barrier)
    tell("late", barrier.wait())
    await passes(5)
    await barrier.reset()
    state(barrier)
    part("all leave")
    tasks = [tell(name, barrier.wait()) for name in "ab"]
    await passes(1)
    for task in tasks:
        task.cancel()
    tell("c", barrier.wait())
    await passes(4)
    state(barrier)


run(main)
