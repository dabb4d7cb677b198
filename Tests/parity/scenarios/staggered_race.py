# oldest: 3.11
# staggered_race(): who starts when and who wins, with every kind of delay (G-36, G-37).
import asyncio
from asyncio.staggered import staggered_race
from parity import Boom, error_text, new_loop, say

loop = new_loop()
future = None


async def contend(index, what):
    say(f"+{index}")
    try:
        for _ in range(int(what[1:] or 0)):
            await asyncio.sleep(0)
        if what[0] == "w":
            await future
        if what[0] == "t":
            future.set_result("set")
            await asyncio.sleep(60)
    except asyncio.CancelledError:
        say(f"-{index}")
        raise
    if what[0] == "f":
        raise Boom(str(index))
    return f"value {index}"


async def race(delay, *whats):
    global future
    future = loop.create_future()
    fns = [lambda index=index, what=what: contend(index, what) for index, what in enumerate(whats)]
    value, winner, errors = await staggered_race(fns, delay)
    say(f"{' '.join(whats)}: {value} of {winner}")
    for index, error in enumerate(errors):
        say(f"{index}: " + ("None" if error is None else error_text(error)))


async def main():
    await race(None)
    await race(None, "s", "s")
    await race(None, "f", "f", "s", "s")
    await race(60, "f", "f3", "s5", "s")
    await race(None, "f", "f", "f")
    await race(0.001, "w", "s")
    await race(0.001, "f2", "w", "s")
    await race(0.001, "w", "w", "w", "t")
    for delay in (0, -1):
        for passes in range(9):
            await race(delay, f"s{passes}", "s", "s")
            await race(delay, f"f{passes}", "w", "s1", "s")


loop.run_until_complete(main())
loop.close()
